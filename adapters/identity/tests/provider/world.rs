//! A provider, its keys, a clock that stands still, and this server as its client.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::provider::ProviderName;
use mcp_oauth_core::domain::resource::{ProtectedResource, ResourceDocument, ResourceUri};
use mcp_oauth_core::domain::secret::BearerToken;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{Clock, Expected, TokenVerifier};
use mcp_oauth_identity::{
    ProviderClient, ProviderConfig, ProviderDocuments, ProviderVerifier, PublishedMetadata, Vendor,
};
use serde_json::{Value, json};

use crate::fake_provider::FakeProvider;
use crate::signing::TestKey;

pub(crate) const NOW: i64 = 1_800_000_000;
pub(crate) const RESOURCE: &str = "https://mcp.example/mcp";
pub(crate) const CLIENT: &str = "our-client";
pub(crate) const SECRET: &str = "the-client-secret";

pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    pub(crate) provider: FakeProvider,
    pub(crate) key: TestKey,
    pub(crate) clock: Arc<TestClock>,
}

impl World {
    /// A provider that publishes one key.
    pub(crate) async fn new() -> Self {
        let provider = FakeProvider::start().await;
        let key = TestKey::p256("one");
        provider.has_keys(&[key.jwk()]);
        Self { provider, key, clock: Arc::new(TestClock(AtomicI64::new(NOW))) }
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.now().as_unix()
    }

    pub(crate) fn config(&self) -> ProviderConfig {
        let name = ProviderName::parse("work").unwrap();
        let issuer = Issuer::new(self.provider.issuer.as_str());
        let client_secret = Some(SECRET.into());
        let client = Some(ProviderClient { client_id: CLIENT.to_owned(), client_secret });
        ProviderConfig { client, ..ProviderConfig::of(Vendor::Oidc, name, issuer) }
    }

    pub(crate) fn documents(&self, config: ProviderConfig) -> Arc<ProviderDocuments> {
        Arc::new(ProviderDocuments::new(config, Arc::clone(&self.clock) as Arc<dyn Clock>))
    }

    pub(crate) fn verifier(&self) -> ProviderVerifier {
        self.verifier_of(self.config())
    }

    pub(crate) fn verifier_of(&self, config: ProviderConfig) -> ProviderVerifier {
        ProviderVerifier::new(vec![self.documents(config)]).unwrap()
    }

    pub(crate) fn metadata_of(&self, config: ProviderConfig) -> PublishedMetadata {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        PublishedMetadata::new(vec![self.documents(config)], clock)
    }

    /// Claims of a good access token but for those named; `null` takes one out.
    pub(crate) fn claims(&self, changes: Value) -> Value {
        let claims = json!({
            "iss": self.provider.issuer, "sub": "user-1", "aud": RESOURCE, "client_id": "mcp-client",
            "scope": "read", "iat": self.now(), "exp": self.now() + 3600, "jti": "t1",
        });
        changed(claims, changes)
    }

    pub(crate) async fn verify(
        &self,
        verifier: &ProviderVerifier,
        token: &str,
    ) -> Result<Principal, VerifyError> {
        verifier.verify(&BearerToken::presented(token), &self.expected()).await
    }

    pub(crate) fn expected(&self) -> Expected {
        let spellings = BTreeMap::from([(RESOURCE.to_owned(), ResourceDocument::StreamableHttp)]);
        let resource = ProtectedResource::new(ResourceUri::parse(RESOURCE).unwrap(), spellings);
        Expected { resource: Arc::new(resource), now: self.clock.now() }
    }
}

pub(crate) fn changed(mut claims: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}
