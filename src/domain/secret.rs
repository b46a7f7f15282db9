//! Secrets, which cannot be printed, and their hashes, which can be stored.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Bytes of entropy in every secret made here: 256 bits, above the 160 RFC 6749 §10.10 asks for.
pub const SECRET_BYTES: usize = 32;

/// SHA-256 of a value, lower-level than the hash types below.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Whether two values are the same, in a time that does not depend on where they differ.
#[must_use]
pub fn same_bytes(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

/// A fresh identifier of 128 bits, 22 characters, that nobody has to keep secret.
#[must_use]
pub fn identifier(entropy: [u8; SECRET_BYTES]) -> String {
    base64url(&entropy[..16])
}

/// Unpadded base64url, the alphabet of every secret and hash here (RFC 4648 §5).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes behind unpadded base64url, or `None` when it is anything else.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Declares a secret handed to somebody else and the hash under which it is stored.
macro_rules! secret {
    ($(#[$secret_doc:meta])* $secret:ident, $(#[$hash_doc:meta])* $hash:ident) => {
        $(#[$secret_doc])*
        #[derive(Debug, Clone)]
        pub struct $secret(SecretString);

        impl $secret {
            /// A fresh secret over `entropy`.
            #[must_use]
            pub fn from_entropy(entropy: [u8; SECRET_BYTES]) -> Self {
                Self(SecretString::from(base64url(&entropy)))
            }

            /// The secret as somebody presented it; it may be any text.
            #[must_use]
            pub fn presented(text: &str) -> Self {
                Self(SecretString::from(text))
            }

            /// The text itself, for the one who is to receive it.
            #[must_use]
            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }

            /// The hash under which it is stored.
            #[must_use]
            pub fn hash(&self) -> $hash {
                $hash(base64url(&sha256(&[self.expose().as_bytes()])))
            }
        }

        $(#[$hash_doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $hash(String);

        impl $hash {
            /// The hash as a store kept it.
            #[must_use]
            pub fn from_stored(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// Unpadded base64url of the SHA-256, 43 characters.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether `presented` is the secret behind this hash, in constant time.
            #[must_use]
            pub fn matches(&self, presented: &$secret) -> bool {
                same_bytes(self.0.as_bytes(), presented.hash().0.as_bytes())
            }
        }
    };
}

secret!(
    /// An authorization code (RFC 6749 §4.1.2).
    AuthorizationCode,
    /// The stored form of an [`AuthorizationCode`].
    CodeHash
);
secret!(
    /// A refresh token (RFC 6749 §1.5).
    RefreshToken,
    /// The stored form of a [`RefreshToken`].
    RefreshTokenHash
);
secret!(
    /// A client secret (RFC 6749 §2.3.1).
    ClientSecret,
    /// The stored form of a [`ClientSecret`].
    ClientSecretHash
);
secret!(
    /// A registration access token (RFC 7592 §1.2).
    RegistrationToken,
    /// The stored form of a [`RegistrationToken`].
    RegistrationTokenHash
);
secret!(
    /// An initial access token (RFC 7591 §1.2): whoever has it may register clients.
    InitialAccessToken,
    /// The hash of an [`InitialAccessToken`].
    InitialAccessTokenHash
);
secret!(
    /// The value of a login session's cookie.
    SessionToken,
    /// The stored form of a [`SessionToken`].
    SessionHash
);
secret!(
    /// The value of the cookie that ties a login form to the browser it was shown in.
    BrowserToken,
    /// The hash of a [`BrowserToken`].
    BrowserHash
);
secret!(
    /// An access token as a client presented it.
    BearerToken,
    /// Names an access token in a log without revealing it.
    BearerTokenHash
);

secret!(
    /// The value of the cookie that ties a login at a provider to the browser it began in.
    LoginCookie,
    /// The stored form of a [`LoginCookie`].
    LoginCookieHash
);
secret!(
    /// The `state` this server sends to a provider (RFC 6749 §4.1.1).
    ProviderState,
    /// The stored form of a [`ProviderState`].
    ProviderStateHash
);
secret!(
    /// The id of a session of MCP, which whoever has it and is its owner may use.
    McpSessionId,
    /// The stored form of an [`McpSessionId`].
    McpSessionHash
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tk_21_secrets_carry_256_bits() {
        let secret = AuthorizationCode::from_entropy([7; SECRET_BYTES]);
        assert_eq!(from_base64url(secret.expose()).map(|bytes| bytes.len() * 8), Some(256));
    }

    #[test]
    fn jv_18_a_secret_cannot_be_printed() {
        let secret = RefreshToken::presented("do-not-print-me");
        assert!(!format!("{secret:?}").contains("do-not-print-me"));
    }

    #[test]
    fn a_hash_knows_its_secret_and_no_other() {
        let hash = ClientSecret::presented("right").hash();
        assert!(hash.matches(&ClientSecret::presented("right")));
        assert!(!hash.matches(&ClientSecret::presented("wrong")));
    }
}
