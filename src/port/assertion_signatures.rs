use crate::domain::client_assertion::SignedText;
use crate::domain::client_keys::PublicKey;

/// Checks the signatures of clients.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait AssertionSignatures: Send + Sync {
    /// Whether the private half of `key` made the signature over the text with the algorithm it
    /// names. A key that is not of the algorithm's kind, or a signature that is none, is a plain no.
    fn is_signed<'a>(&self, signed: SignedText<'a>, key: &PublicKey) -> bool;
}
