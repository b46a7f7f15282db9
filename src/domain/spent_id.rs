//! Ids that count once, in the form in which it is remembered that they were used.

use super::client::ClientId;
use super::secret::{base64url, sha256};

/// A used id: a hash over what it was for, who used it, and the id itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpentId(String);

impl SpentId {
    /// The `jti` of a client assertion: every client counts its own (RFC 7523 §3).
    #[must_use]
    pub fn client_assertion(client: &ClientId, token_id: &str) -> Self {
        Self::new("client_assertion", client.as_str(), token_id)
    }

    /// An id of `owner` for a `purpose`; equal ids of other owners or purposes are other ids.
    fn new(purpose: &str, owner: &str, id: &str) -> Self {
        // The lengths keep the parts apart.
        let frame = format!("{purpose}:{}:{}:", owner.len(), id.len());
        let parts = [frame.as_bytes(), owner.as_bytes(), id.as_bytes()];
        Self(base64url(&sha256(&parts)))
    }

    /// Unpadded base64url of the hash, 43 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ex_02_an_id_is_that_of_its_client_and_its_purpose() {
        let of = |client: &str, id: &str| SpentId::client_assertion(&ClientId::new(client), id);
        assert_eq!(of("a", "1"), of("a", "1"));
        assert_eq!(of("a", "1").as_str().len(), 43);
        let others = [
            of("b", "1"),
            of("a", "2"),
            of("a1", ""),
            of("", "a1"),
            SpentId::new("other", "a", "1"),
        ];
        for other in others {
            assert_ne!(of("a", "1"), other);
        }
    }
}
