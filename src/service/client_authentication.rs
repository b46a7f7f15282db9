//! Client authentication at the token endpoint (OAuth 2.1 §2.4).

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use url::form_urlencoded;

use super::throttle::Throttle;
use crate::domain::client::{Client, ClientCredential, ClientId, LONGEST_CLIENT_ID};
use crate::domain::limit::TooMany;
use crate::domain::parameters::{ParameterError, Parameters};
use crate::domain::secret::ClientSecret;
use crate::port::{ClientRegistry, StoreUnavailable};

/// Why a client was not recognised.
#[derive(Debug, Error)]
pub enum ClientAuthenticationError {
    /// A parameter is missing or repeated.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// Credentials came in more than one way.
    #[error("the client authenticated in more than one way")]
    SeveralMethods,
    /// The Authorization header is not Basic with an id and a secret.
    #[error("the Authorization header is not Basic with a client id and a secret")]
    MalformedBasic,
    /// No such client is registered.
    #[error("no client {client:?} is registered here")]
    Unknown {
        /// What was presented.
        client: String,
        /// Whether it came by Basic.
        by_basic: bool,
    },
    /// The client has a secret and sent none.
    #[error("the client has to authenticate with its secret")]
    SecretMissing,
    /// The secret is wrong, or the client has none.
    #[error("the client secret is wrong")]
    WrongSecret {
        /// Whether it came by Basic.
        by_basic: bool,
    },
    /// It was wrong too often.
    #[error(transparent)]
    TooMany(#[from] TooMany),
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

/// What a client presented.
struct Presented {
    id: ClientId,
    secret: Option<ClientSecret>,
    by_basic: bool,
}

/// Which registered client sent this request.
pub(super) async fn authenticate_client(
    clients: &dyn ClientRegistry,
    throttle: &Throttle,
    authorization: &[&str],
    form: &Parameters,
) -> Result<Client, ClientAuthenticationError> {
    let presented = presented(authorization, form)?;
    let unknown = || ClientAuthenticationError::Unknown {
        client: presented.id.as_str().chars().take(LONGEST_CLIENT_ID).collect(),
        by_basic: presented.by_basic,
    };
    if presented.id.as_str().len() > LONGEST_CLIENT_ID {
        return Err(unknown());
    }
    let client = clients.find(&presented.id).await?.ok_or_else(unknown)?;
    if presented.secret.is_some() {
        throttle.before_secret(&client.id)?;
    }
    match (&client.credential, &presented.secret) {
        (ClientCredential::Public, None) => Ok(client),
        (ClientCredential::Secret { .. }, None) => Err(ClientAuthenticationError::SecretMissing),
        (ClientCredential::Secret { hash, .. }, Some(secret)) if hash.matches(secret) => Ok(client),
        (_, Some(_)) => {
            throttle.wrong_secret(&client.id);
            Err(ClientAuthenticationError::WrongSecret { by_basic: presented.by_basic })
        }
    }
}

fn presented(
    authorization: &[&str],
    form: &Parameters,
) -> Result<Presented, ClientAuthenticationError> {
    let posted_id = form.optional("client_id")?;
    let posted_secret = form.optional("client_secret")?;
    let header = match authorization {
        [] => {
            return Ok(Presented {
                id: ClientId::new(form.required("client_id")?),
                secret: posted_secret.map(ClientSecret::presented),
                by_basic: false,
            });
        }
        [only] => only,
        _ => return Err(ClientAuthenticationError::SeveralMethods),
    };
    let (id, secret) = basic(header).ok_or(ClientAuthenticationError::MalformedBasic)?;
    // Naming itself in the form too is no second method, contradicting itself is.
    if posted_secret.is_some() || posted_id.is_some_and(|posted| posted != id.as_str()) {
        return Err(ClientAuthenticationError::SeveralMethods);
    }
    Ok(Presented { id, secret: Some(secret), by_basic: true })
}

/// Both halves are form-encoded before they are joined (OAuth 2.1 §2.4.1).
pub(super) fn basic(header: &str) -> Option<(ClientId, ClientSecret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((ClientId::new(form_decoded(id)), ClientSecret::presented(&form_decoded(secret))))
}

fn form_decoded(half: &str) -> Cow<'_, str> {
    // A lone key without `=` or `&` in it: parsing gives back exactly one name.
    let escaped = half.replace('&', "%26").replace('=', "%3D");
    let name = form_urlencoded::parse(escaped.as_bytes()).next().map(|(name, _)| name.into_owned());
    name.map_or(Cow::Borrowed(half), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tk_12_both_halves_of_basic_are_form_decoded() {
        let header = format!("Basic {}", STANDARD.encode("my%3Aid:s%25e%3Acr+t:&=x"));
        let (id, secret) = basic(&header).unwrap();
        assert_eq!(id.as_str(), "my:id");
        assert_eq!(secret.expose(), "s%e:cr t:&=x");
    }

    #[test]
    fn tk_13_two_methods_at_once_are_refused() {
        let header = format!("Basic {}", STANDARD.encode("id:secret"));
        let both = Parameters::parse(b"client_id=id&client_secret=secret").unwrap();
        assert!(matches!(
            presented(&[&header], &both),
            Err(ClientAuthenticationError::SeveralMethods)
        ));
        let named = Parameters::parse(b"client_id=id").unwrap();
        assert!(presented(&[&header], &named).is_ok());
        assert!(matches!(
            presented(&[&header, &header], &named),
            Err(ClientAuthenticationError::SeveralMethods)
        ));
    }

    #[test]
    fn another_scheme_is_malformed() {
        assert!(basic("Bearer abc").is_none());
        assert!(basic("Basic !!").is_none());
        assert!(basic(&format!("Basic {}", STANDARD.encode("no-colon"))).is_none());
    }
}
