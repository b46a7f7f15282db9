//! How requests authenticate: with what the operator gave, never with the token of the client.

mod authenticator;
mod token_cache;
mod token_request;

use secrecy::SecretString;
use url::Url;

pub(super) use authenticator::{Authentication, Authenticator};

/// How requests of a catalog authenticate. Secrets are in none of its texts.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// Not at all.
    #[default]
    None,
    /// A header, e.g. `Authorization: Bearer …` or `X-Api-Key: …`.
    Header {
        /// Its name.
        name: String,
        /// Its whole value.
        value: SecretString,
    },
    /// A parameter of the query.
    Query {
        /// Its name.
        name: String,
        /// Its value, not yet encoded.
        value: SecretString,
    },
    /// A user name and a password (RFC 7617).
    Basic {
        /// The user name, without a colon.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// A token for this server itself, the same for every caller (RFC 6749 §4.4).
    ClientCredentials(TokenGrant),
    /// A token for each caller, for the one their login provider gave (RFC 8693). It needs
    /// `keep_tokens`.
    TokenExchange(TokenGrant),
}

/// Where a token comes from, and what it is for.
#[derive(Debug, Clone)]
pub struct TokenGrant {
    /// The token endpoint.
    pub token_url: Url,
    /// Who this server is there.
    pub client_id: String,
    /// Its secret; `None` for a public client.
    pub client_secret: Option<SecretString>,
    /// How it presents them.
    pub client_authentication: ClientAuthentication,
    /// The `scope` parameter.
    pub scope: Option<String>,
    /// The `audience` parameter (RFC 8693 §2.1, and what providers made of it).
    pub audience: Option<String>,
    /// The `resource` parameter (RFC 8707).
    pub resource: Option<Url>,
}

/// How a client presents its secret (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClientAuthentication {
    /// `client_secret_basic`.
    #[default]
    Basic,
    /// `client_secret_post`.
    Post,
}
