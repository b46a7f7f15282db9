//! Client authentication at every endpoint that clients call (OAuth 2.1 §2.4).

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;
use url::form_urlencoded;

use super::client_directory::{ClientDirectory, NotFound, RefusedDocument};
use super::private_key_jwt::PrivateKeyJwt;
use super::throttle::Throttle;
use crate::domain::client::{Client, ClientCredential, ClientId, LONGEST_CLIENT_ID};
use crate::domain::client_assertion::{AssertionError, CLIENT_ASSERTION_TYPE, ClientAssertion};
use crate::domain::limit::TooMany;
use crate::domain::parameters::{ParameterError, Parameters};
use crate::domain::secret::ClientSecret;
use crate::port::StoreUnavailable;

/// Recognises the client behind a request.
pub(super) struct ClientAuthentication {
    pub(super) clients: Arc<ClientDirectory>,
    pub(super) private_key_jwt: PrivateKeyJwt,
    pub(super) throttle: Throttle,
}

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
    /// What the client publishes of itself is not used.
    #[error(transparent)]
    Document(#[from] RefusedDocument),
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
    /// The client has keys and sent nothing signed with one.
    #[error("the client has to authenticate with a client_assertion")]
    AssertionMissing,
    /// The client has no keys and sent something signed.
    #[error("the client has no keys to sign a client_assertion with")]
    AssertionUnexpected,
    /// An assertion of another kind than JWT.
    #[error("client_assertion_type has to be {CLIENT_ASSERTION_TYPE}")]
    AssertionType,
    /// The assertion says nothing that counts here.
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    /// No key of the client made the signature, or not in the way it said it would.
    #[error("the client_assertion is not signed with a key of the client")]
    WrongSignature,
    /// The assertion was used before.
    #[error("the client_assertion was used before; each needs a jti of its own")]
    AssertionReplayed,
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

impl ClientAuthenticationError {
    /// Whether somebody may be trying out secrets or signatures.
    fn is_wrong_proof(&self) -> bool {
        matches!(
            self,
            Self::WrongSecret { .. }
                | Self::AssertionUnexpected
                | Self::Assertion(_)
                | Self::WrongSignature
                | Self::AssertionReplayed
        )
    }
}

/// What a client presented.
struct Presented<'a> {
    id: ClientId,
    proof: Proof<'a>,
}

/// How it wants to be recognised.
enum Proof<'a> {
    /// By nothing but its id.
    None,
    /// By its secret.
    Secret { secret: ClientSecret, by_basic: bool },
    /// By its signature.
    Assertion(Box<ClientAssertion<'a>>),
}

impl Presented<'_> {
    fn by_basic(&self) -> bool {
        matches!(self.proof, Proof::Secret { by_basic: true, .. })
    }
}

impl ClientAuthentication {
    /// Which client sent this request.
    pub(super) async fn authenticate(
        &self,
        authorization: &[&str],
        form: &Parameters,
    ) -> Result<Client, ClientAuthenticationError> {
        let presented = presented(authorization, form)?;
        let client = self.known_client(&presented).await?;
        if !matches!(presented.proof, Proof::None) {
            self.throttle.before_secret(&client.id)?;
        }
        let recognised = self.check(&client.credential, &presented.proof).await;
        if recognised.as_ref().is_err_and(ClientAuthenticationError::is_wrong_proof) {
            self.throttle.wrong_secret(&client.id);
        }
        recognised.map(|()| client)
    }

    async fn check(
        &self,
        credential: &ClientCredential,
        proof: &Proof<'_>,
    ) -> Result<(), ClientAuthenticationError> {
        match (credential, proof) {
            (ClientCredential::Public, Proof::None) => Ok(()),
            (ClientCredential::Secret { hash, .. }, Proof::Secret { secret, .. })
                if hash.matches(secret) =>
            {
                Ok(())
            }
            (ClientCredential::Keys(keys), Proof::Assertion(assertion)) => {
                self.private_key_jwt.check(assertion, keys).await
            }
            (ClientCredential::Secret { .. }, Proof::None) => {
                Err(ClientAuthenticationError::SecretMissing)
            }
            (ClientCredential::Keys(_), Proof::None) => {
                Err(ClientAuthenticationError::AssertionMissing)
            }
            (_, Proof::Secret { by_basic, .. }) => {
                Err(ClientAuthenticationError::WrongSecret { by_basic: *by_basic })
            }
            (_, Proof::Assertion(_)) => Err(ClientAuthenticationError::AssertionUnexpected),
        }
    }

    async fn known_client(
        &self,
        presented: &Presented<'_>,
    ) -> Result<Client, ClientAuthenticationError> {
        self.clients.find(&presented.id).await.map_err(|error| match error {
            NotFound::Unknown => ClientAuthenticationError::Unknown {
                client: presented.id.as_str().chars().take(LONGEST_CLIENT_ID).collect(),
                by_basic: presented.by_basic(),
            },
            NotFound::Document(refused) => refused.into(),
            NotFound::Unavailable(unavailable) => unavailable.into(),
        })
    }
}

fn presented<'a>(
    authorization: &[&str],
    form: &'a Parameters,
) -> Result<Presented<'a>, ClientAuthenticationError> {
    let posted_id = form.optional("client_id")?;
    let posted_secret = form.optional("client_secret")?;
    if let Some(assertion) = assertion(form)? {
        if !authorization.is_empty() || posted_secret.is_some() {
            return Err(ClientAuthenticationError::SeveralMethods);
        }
        return signed(assertion, posted_id);
    }
    let header = match authorization {
        [] => {
            let by_post = |secret| Proof::Secret { secret, by_basic: false };
            return Ok(Presented {
                id: ClientId::new(form.required("client_id")?),
                proof: posted_secret.map(ClientSecret::presented).map_or(Proof::None, by_post),
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
    Ok(Presented { id, proof: Proof::Secret { secret, by_basic: true } })
}

/// The assertion, which needs its type beside it (RFC 7521 §4.2).
fn assertion(form: &Parameters) -> Result<Option<&str>, ClientAuthenticationError> {
    let kind = form.optional("client_assertion_type")?;
    if kind.is_none() && form.optional("client_assertion")?.is_none() {
        return Ok(None);
    }
    let assertion = form.required("client_assertion")?;
    if form.required("client_assertion_type")? == CLIENT_ASSERTION_TYPE {
        Ok(Some(assertion))
    } else {
        Err(ClientAuthenticationError::AssertionType)
    }
}

/// The assertion names the client; a `client_id` beside it has to name the same (RFC 7521 §4.2).
fn signed<'a>(
    assertion: &'a str,
    posted_id: Option<&str>,
) -> Result<Presented<'a>, ClientAuthenticationError> {
    let assertion = ClientAssertion::parse(assertion)?;
    let id = assertion.client().clone();
    if posted_id.is_some_and(|posted| posted != id.as_str()) {
        return Err(AssertionError::OtherClient.into());
    }
    Ok(Presented { id, proof: Proof::Assertion(Box::new(assertion)) })
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
