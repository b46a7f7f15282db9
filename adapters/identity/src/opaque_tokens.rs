//! Looks up tokens that say nothing by themselves, and remembers the answers for a moment.

use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::opaque_token::{introspected, told_by_google, verified_by_clerk};
use mcp_oauth_core::domain::provider_claims::Claims;
use mcp_oauth_core::domain::secret::{BearerToken, BearerTokenHash};
use mcp_oauth_core::domain::timestamp::Timestamp;
use quick_cache::sync::Cache;
use secrecy::ExposeSecret;
use serde_json::json;
use url::Url;

use crate::provider_config::{OpaqueMethod, ProviderClient};
use crate::provider_documents::ProviderDocuments;
use crate::provider_http::{Answer, Credentials, NoAnswer};

/// How many answers are remembered; the least used are forgotten first.
const MOST_ANSWERS: usize = 4096;

/// How long a good token is remembered: so long one that was revoked is still accepted here. The
/// cache of verified tokens in front of this adds its own time, 90 s together.
const ACTIVE_REMEMBERED: Duration = Duration::from_secs(30);

/// How long a refusal, or that there was no answer.
const OTHERS_REMEMBERED: Duration = Duration::from_secs(5);

/// The tokens of one provider that are looked up.
pub(crate) struct OpaqueTokens {
    documents: Arc<ProviderDocuments>,
    method: OpaqueMethod,
    answers: Cache<BearerTokenHash, Arc<Remembered>>,
}

struct Remembered {
    answer: Result<Claims, NotActive>,
    at: Timestamp,
}

#[derive(Clone)]
enum NotActive {
    Refused(VerifyError),
    Unknown(NoAnswer),
}

impl OpaqueTokens {
    /// Those of the provider of `documents`, looked up by `method`.
    pub(crate) fn new(documents: Arc<ProviderDocuments>, method: OpaqueMethod) -> Self {
        Self { documents, method, answers: Cache::new(MOST_ANSWERS) }
    }

    /// What the provider says of `token`. Many callers with one token are one question.
    pub(crate) async fn claims(
        &self,
        token: &BearerToken,
        now: Timestamp,
    ) -> Result<Claims, VerifyError> {
        let key = token.hash();
        if self.answers.get(&key).is_some_and(|remembered| !remembered.counts(now)) {
            self.answers.remove(&key);
        }
        let ask = async {
            let answer = self.look_up(token, now).await;
            Ok::<_, std::convert::Infallible>(Arc::new(Remembered { answer, at: now }))
        };
        let Ok(remembered) = self.answers.get_or_insert_async(&key, ask).await;
        remembered.answer.clone().map_err(|why| match why {
            NotActive::Refused(why) => why,
            NotActive::Unknown(why) => {
                VerifyError::Unavailable { reason: why.to_string(), retry_after: OTHERS_REMEMBERED }
            }
        })
    }

    async fn look_up(&self, token: &BearerToken, now: Timestamp) -> Result<Claims, NotActive> {
        match &self.method {
            OpaqueMethod::Introspection { endpoint } => {
                let answer = self.introspect(endpoint.as_deref(), token.expose(), now).await?;
                introspected(answer, self.documents.config().policy.audience.mode)
                    .map_err(NotActive::Refused)
            }
            OpaqueMethod::ClerkVerify { api_url, secret_key } => {
                let address = format!("{api_url}/oauth_applications/access_tokens/verify");
                let http = &self.documents.http;
                let url = http.address(&address)?;
                let document = json!({ "access_token": token.expose() });
                let credentials = Credentials::Bearer(secret_key.expose_secret());
                let answer = http.post_json(&url, &document, credentials).await?;
                let answer = described(answer, &url, &[400, 404, 422])?;
                verified_by_clerk(&answer).map_err(NotActive::Refused)
            }
            OpaqueMethod::GoogleTokenInfo { endpoint } => {
                let form = [("access_token", token.expose())];
                let answer = self.ask(endpoint, &form, Credentials::None, &[400]).await?;
                Ok(told_by_google(answer))
            }
        }
    }

    /// RFC 7662 §2.1. A refusal there is about us, never about the token.
    async fn introspect(
        &self,
        endpoint: Option<&str>,
        token: &str,
        now: Timestamp,
    ) -> Result<Claims, NotActive> {
        let discovery = match endpoint {
            Some(_) => None,
            None => Some(self.documents.discovery(now).await?),
        };
        let published = discovery.as_ref().and_then(|it| it.text("introspection_endpoint"));
        let endpoint = endpoint.or(published).ok_or_else(|| NoAnswer {
            address: "the discovery document".to_owned(),
            reason: "has no introspection_endpoint".to_owned(),
        })?;
        let mut form = vec![("token", token), ("token_type_hint", "access_token")];
        let credentials = match &self.documents.config().client {
            Some(ProviderClient { client_id, client_secret: Some(secret) }) => {
                Credentials::Basic { id: client_id, secret: secret.expose_secret() }
            }
            Some(ProviderClient { client_id, client_secret: None }) => {
                form.push(("client_id", client_id));
                Credentials::None
            }
            None => Credentials::None,
        };
        self.ask(endpoint, &form, credentials, &[]).await
    }

    /// What is told at `address` in answer to a form.
    async fn ask(
        &self,
        address: &str,
        form: &[(&str, &str)],
        credentials: Credentials<'_>,
        means_inactive: &[u16],
    ) -> Result<Claims, NotActive> {
        let http = &self.documents.http;
        let url = http.address(address)?;
        described(http.post_form(&url, form, credentials).await?, &url, means_inactive)
    }
}

/// The object in an answer; with one of the statuses `means_inactive` the token is worth nothing.
fn described(answer: Answer, url: &Url, means_inactive: &[u16]) -> Result<Claims, NotActive> {
    if means_inactive.contains(&answer.status) {
        return Err(NotActive::Refused(VerifyError::Inactive));
    }
    Ok(answer.object(url)?)
}

impl Remembered {
    fn counts(&self, now: Timestamp) -> bool {
        let remembered = if self.answer.is_ok() { ACTIVE_REMEMBERED } else { OTHERS_REMEMBERED };
        self.at <= now && now < self.at.after(remembered)
    }
}

impl From<NoAnswer> for NotActive {
    fn from(why: NoAnswer) -> Self {
        Self::Unknown(why)
    }
}
