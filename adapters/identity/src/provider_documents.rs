//! What a provider publishes of itself: its discovery document and its keys.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::domain::client_keys::AssertionAlgorithm;
use mcp_oauth_core::domain::error_text::shortened;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::Clock;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::provider_config::ProviderConfig;
use crate::provider_http::{Credentials, NoAnswer, ProviderHttp};
use crate::provider_keys::ProviderKeys;
use crate::refreshed::{Refreshed, Who};
use crate::unknown_keys::UnknownKeys;

/// How long a discovery document is fresh.
const DISCOVERY_FRESH: Duration = Duration::from_secs(3600);

/// How long keys are fresh: so long a withdrawn key is still accepted.
const KEYS_FRESH: Duration = Duration::from_secs(900);

/// One provider: how it was configured and what it publishes. Logging in and verifying share it, so
/// that each document is fetched once.
///
/// A discovery document is fresh for an hour, keys for a quarter of one. Both are kept for a day
/// while the provider does not answer. After a question, answered or not, the provider is left alone
/// for 30 s; many callers are one question. A key id that is not among the keys has them fetched
/// anew, within the same limit.
pub struct ProviderDocuments {
    config: ProviderConfig,
    pub(crate) http: ProviderHttp,
    pub(crate) clock: Arc<dyn Clock>,
    discovery: Refreshed<Discovery>,
    keys: Refreshed<ProviderKeys>,
    unknown: UnknownKeys,
}

/// A provider's document can't be had. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct DocumentsUnavailable(pub(crate) String);

/// A discovery document whose issuer is the configured one (OpenID Connect Discovery §4.3).
pub(crate) struct Discovery {
    members: Arc<Map<String, Value>>,
}

impl Discovery {
    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Value::as_str)
    }

    pub(crate) fn is(&self, member: &str) -> bool {
        self.members.get(member) == Some(&Value::Bool(true))
    }

    pub(crate) fn lists(&self, member: &str) -> Option<Vec<&str>> {
        let list = self.members.get(member)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).collect())
    }
}

impl ProviderDocuments {
    /// Of the provider that `config` describes; nobody is asked yet.
    #[must_use]
    pub fn new(config: ProviderConfig, clock: Arc<dyn Clock>) -> Self {
        let http = ProviderHttp::new(config.policy.issuer.issuer.as_str(), config.limits);
        Self {
            config,
            http,
            clock,
            discovery: Refreshed::new(DISCOVERY_FRESH),
            keys: Refreshed::new(KEYS_FRESH),
            unknown: UnknownKeys::default(),
        }
    }

    /// How it was configured.
    #[must_use]
    pub fn config(&self) -> &ProviderConfig {
        &self.config
    }

    /// Why nobody can be asked from this machine, if that is so, e.g. because it has no certificate
    /// authorities.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.http.trouble()
    }

    /// The discovery document as it came, at most an hour old unless the provider does not answer.
    ///
    /// # Errors
    /// [`DocumentsUnavailable`], also when the document is of another issuer.
    pub async fn discovery_document(
        &self,
    ) -> Result<Arc<Map<String, Value>>, DocumentsUnavailable> {
        let discovery = self.discovery(self.clock.now()).await;
        discovery
            .map(|discovery| Arc::clone(&discovery.members))
            .map_err(|why| DocumentsUnavailable(why.to_string()))
    }

    pub(crate) async fn discovery(&self, now: Timestamp) -> Result<Arc<Discovery>, NoAnswer> {
        self.discovery.get(now, || self.fetch_discovery()).await
    }

    /// The keys, which may have made a signature that names `key_id` if anybody's have.
    pub(crate) async fn keys(
        &self,
        key_id: Option<&str>,
        algorithm: AssertionAlgorithm,
        now: Timestamp,
    ) -> Result<Arc<ProviderKeys>, NoAnswer> {
        self.keys_for(Who::Anybody, key_id, algorithm, now).await
    }

    /// The same for an ID token that came from the provider itself: it names a key that there is.
    pub(crate) async fn keys_of_id_token(
        &self,
        key_id: Option<&str>,
        algorithm: AssertionAlgorithm,
        now: Timestamp,
    ) -> Result<Arc<ProviderKeys>, NoAnswer> {
        self.keys_for(Who::Provider, key_id, algorithm, now).await
    }

    async fn keys_for(
        &self,
        who: Who,
        key_id: Option<&str>,
        algorithm: AssertionAlgorithm,
        now: Timestamp,
    ) -> Result<Arc<ProviderKeys>, NoAnswer> {
        let keys = self.keys.get(now, || self.fetch_keys(now)).await?;
        // Without a key id there is nothing that newer keys could have and these lack.
        let Some(wanted) = key_id else { return Ok(keys) };
        let in_vain = who == Who::Anybody && self.unknown.contain(wanted, now);
        if keys.know(key_id, algorithm) || in_vain {
            return Ok(keys);
        }
        let newer = self.keys.get_newer(now, who, || self.fetch_keys(now)).await?;
        // Only what newer keys lack is unknown: the old ones say nothing of what came after them.
        if !newer.know(key_id, algorithm) && !Arc::ptr_eq(&keys, &newer) {
            self.unknown.add(wanted, now);
        }
        Ok(newer)
    }

    /// Whether there are keys, however old.
    pub(crate) async fn has_keys(&self, now: Timestamp) -> Result<(), NoAnswer> {
        self.keys.get(now, || self.fetch_keys(now)).await.map(|_| ())
    }

    async fn fetch_discovery(&self) -> Result<Discovery, NoAnswer> {
        let [first, second] = discovery_addresses(self.config.policy.issuer.issuer.as_str());
        let members = match self.fetch_object(&first).await {
            Ok(members) => members,
            Err(first) => self.fetch_object(&second).await.map_err(|_| first)?,
        };
        let discovery = Discovery { members: Arc::new(members) };
        match self.objection_to(&discovery) {
            Some(reason) => Err(NoAnswer { address: first, reason }),
            None => Ok(discovery),
        }
    }

    fn objection_to(&self, discovery: &Discovery) -> Option<String> {
        let rule = &self.config.policy.issuer;
        let received = discovery.text("issuer").unwrap_or_default();
        if rule.publishes(received) {
            return None;
        }
        let (received, configured) = (shortened(received), rule.issuer.as_str());
        Some(format!(
            "is the discovery document of {received:?}, but the issuer is configured as \
             {configured:?}; they have to be the same to the last character"
        ))
    }

    async fn fetch_keys(&self, now: Timestamp) -> Result<ProviderKeys, NoAnswer> {
        let discovery = self.discovery(now).await?;
        let address = discovery.text("jwks_uri").ok_or_else(|| NoAnswer {
            address: self.config.policy.issuer.issuer.as_str().to_owned(),
            reason: "has no jwks_uri in its discovery document".to_owned(),
        })?;
        let set = self.fetch_object(address).await?;
        ProviderKeys::parse(&Value::Object(set)).map_err(|why| NoAnswer {
            address: address.to_owned(),
            reason: format!("has no usable keys: {why}"),
        })
    }

    async fn fetch_object(&self, address: &str) -> Result<Map<String, Value>, NoAnswer> {
        self.http.get_object(&self.http.address(address)?, Credentials::None).await
    }
}

impl fmt::Debug for ProviderDocuments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderDocuments").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Where an issuer's document may be: OpenID Connect Discovery §4.1, then RFC 8414 §3.1.
pub(crate) fn discovery_addresses(issuer: &str) -> [String; 2] {
    let issuer = issuer.strip_suffix('/').unwrap_or(issuer);
    let path = issuer.find("://").and_then(|at| issuer[at + 3..].find('/').map(|to| at + 3 + to));
    let (origin, path) = issuer.split_at(path.unwrap_or(issuer.len()));
    [
        format!("{issuer}/.well-known/openid-configuration"),
        format!("{origin}/.well-known/oauth-authorization-server{path}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_looked_for_below_the_issuer_and_with_its_path_inserted() {
        for (issuer, expected) in [
            (
                "https://t.auth0.com/",
                [
                    "https://t.auth0.com/.well-known/openid-configuration",
                    "https://t.auth0.com/.well-known/oauth-authorization-server",
                ],
            ),
            (
                "https://kc.example/realms/x",
                [
                    "https://kc.example/realms/x/.well-known/openid-configuration",
                    "https://kc.example/.well-known/oauth-authorization-server/realms/x",
                ],
            ),
        ] {
            assert_eq!(discovery_addresses(issuer), expected);
        }
    }
}
