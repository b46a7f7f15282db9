//! Remembers tokens that were verified, so that the next request costs no signature check.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::resource::ResourceUri;
use mcp_oauth_core::domain::secret::{BearerToken, BearerTokenHash};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{Expected, TokenVerifier};
use quick_cache::sync::Cache;

/// How many tokens are remembered; the least used are forgotten first.
const MOST_TOKENS: usize = 4096;

/// How long an acceptance is remembered: so long a token outlives a key that was discarded.
const KEEP: Duration = Duration::from_secs(60);

/// A verifier in front of another one.
///
/// Only acceptances are remembered, by the hash of the token and the resource it was accepted for,
/// and never past its expiry.
pub struct VerifiedTokens {
    verifier: Arc<dyn TokenVerifier>,
    accepted: Cache<(BearerTokenHash, ResourceUri), Arc<Accepted>>,
}

struct Accepted {
    principal: Principal,
    at: Timestamp,
}

impl VerifiedTokens {
    /// Remembers what `verifier` accepts.
    #[must_use]
    pub fn new(verifier: Arc<dyn TokenVerifier>) -> Self {
        Self { verifier, accepted: Cache::new(MOST_TOKENS) }
    }
}

#[async_trait]
impl TokenVerifier for VerifiedTokens {
    async fn verify(
        &self,
        token: &BearerToken,
        expected: &Expected,
    ) -> Result<Principal, VerifyError> {
        let key = (token.hash(), expected.resource.canonical().clone());
        if let Some(accepted) = self.accepted.get(&key) {
            let until = accepted.at.after(KEEP).min(accepted.principal.expires_at);
            if accepted.at <= expected.now && expected.now < until {
                return Ok(accepted.principal.clone());
            }
            self.accepted.remove(&key);
        }
        let principal = self.verifier.verify(token, expected).await?;
        let accepted = Accepted { principal: principal.clone(), at: expected.now };
        self.accepted.insert(key, Arc::new(accepted));
        Ok(principal)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use mcp_oauth_core::domain::issuer::Issuer;
    use mcp_oauth_core::domain::person::Subject;
    use mcp_oauth_core::domain::principal::CallerKind;
    use mcp_oauth_core::domain::resource::ProtectedResource;
    use mcp_oauth_core::domain::scope::ScopeSet;
    use mcp_oauth_core::port::MockTokenVerifier;

    use super::*;

    fn at(now: i64) -> Expected {
        let resource = ResourceUri::parse("https://h/mcp").unwrap();
        let resource = Arc::new(ProtectedResource::new(resource, BTreeMap::new()));
        Expected { resource, now: Timestamp::from_unix(now) }
    }

    fn principal(subject: &str) -> Principal {
        Principal {
            issuer: Issuer::new("https://h"),
            subject: Subject::new(subject),
            client: None,
            audiences: Vec::new(),
            scopes: ScopeSet::default(),
            permissions: Default::default(),
            groups: Default::default(),
            tenant: None,
            verified_email: None,
            issued_at: None,
            expires_at: Timestamp::from_unix(100),
            token_id: None,
            grant: None,
            kind: CallerKind::User,
            claims: serde_json::Map::new(),
        }
    }

    #[tokio::test]
    async fn an_accepted_token_is_verified_once_until_it_expires() {
        let mut verifier = MockTokenVerifier::new();
        verifier.expect_verify().times(1).returning(|_, _| Ok(principal("alice")));
        verifier.expect_verify().times(1).returning(|_, _| Err(VerifyError::BadSignature));
        let tokens = VerifiedTokens::new(Arc::new(verifier));
        let token = BearerToken::presented("a");
        for now in [50, 51, 99] {
            assert_eq!(tokens.verify(&token, &at(now)).await, Ok(principal("alice")));
        }
        assert_eq!(tokens.verify(&token, &at(100)).await, Err(VerifyError::BadSignature));
    }

    #[tokio::test]
    async fn an_old_acceptance_is_verified_again() {
        let mut verifier = MockTokenVerifier::new();
        verifier.expect_verify().times(2).returning(|_, _| Ok(principal("alice")));
        verifier.expect_verify().times(1).returning(|_, _| Err(VerifyError::UnknownKey(None)));
        let tokens = VerifiedTokens::new(Arc::new(verifier));
        let token = BearerToken::presented("a");
        for now in [1, 60, 61] {
            assert!(tokens.verify(&token, &at(now)).await.is_ok(), "{now}");
        }
        assert_eq!(tokens.verify(&token, &at(0)).await, Err(VerifyError::UnknownKey(None)));
    }

    #[tokio::test]
    async fn a_refusal_and_another_token_are_not_remembered() {
        let mut verifier = MockTokenVerifier::new();
        verifier.expect_verify().times(2).returning(|_, _| Err(VerifyError::BadSignature));
        verifier.expect_verify().times(1).returning(|_, _| Ok(principal("bob")));
        let tokens = VerifiedTokens::new(Arc::new(verifier));
        let token = BearerToken::presented("a");
        assert!(tokens.verify(&token, &at(1)).await.is_err());
        assert!(tokens.verify(&token, &at(1)).await.is_err());
        assert!(tokens.verify(&BearerToken::presented("b"), &at(1)).await.is_ok());
    }
}
