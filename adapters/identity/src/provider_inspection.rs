//! What there is to know of a provider before anybody logs in there, step by step: facts for a person
//! to read, nothing is printed here.

use mcp_oauth_core::domain::provider_login::code_challenge;
use serde_json::{Map, Value};
use url::Url;

use crate::provider_documents::{ProviderDocuments, discovery_addresses};
use crate::provider_http::{Answer, Credentials};
use crate::provider_keys::ProviderKeys;

/// What a page says that refuses a redirect address, in lower case.
const SIGNS_OF_REFUSAL: [&str; 6] = [
    "aadsts50011",
    "redirect_uri_mismatch",
    "invalid parameter: redirect_uri",
    "invalid redirect",
    "callback url mismatch",
    "redirect uri is not",
];

/// What was found out about a provider, with nothing remembered from before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderInspection {
    /// The issuer as it is configured.
    pub issuer: String,
    /// Why nobody can be asked from this machine, if that is so.
    pub trouble: Option<String>,
    /// Where a discovery document was looked for, in this order; the last one had it, if any.
    pub attempts: Vec<DiscoveryAttempt>,
    /// How the published issuer is spelled; `None` without a document.
    pub spelling: Option<IssuerSpelling>,
    /// How many seconds the provider's clock (the `Date` header) is ahead of ours.
    pub clock_ahead: Option<i64>,
    /// What the document says; `None` without one.
    pub published: Option<PublishedFacts>,
    /// Its keys, or why there are none.
    pub keys: Result<InspectedKeys, String>,
    /// What the provider says to our redirect address.
    pub redirect: RedirectJudgement,
}

/// One place where a discovery document may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscoveryAttempt {
    /// Where.
    pub address: String,
    /// The status, when there was an answer.
    pub status: Option<u16>,
    /// Why it is no document; `None` for the one that is.
    pub problem: Option<String>,
}

/// How the published issuer compares to the configured one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerSpelling {
    /// Byte for byte the same.
    Same,
    /// The same but for a slash at the end: configure the published one.
    TrailingSlash {
        /// As published.
        published: String,
    },
    /// Another one.
    Other {
        /// As published; empty when there is none.
        published: String,
    },
}

/// What a discovery document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedFacts {
    /// `authorization_endpoint`.
    pub authorization_endpoint: Option<String>,
    /// `token_endpoint`.
    pub token_endpoint: Option<String>,
    /// `registration_endpoint`: clients can register themselves there (RFC 7591).
    pub registration_endpoint: Option<String>,
    /// `introspection_endpoint`.
    pub introspection_endpoint: Option<String>,
    /// Whether S256 is among `code_challenge_methods_supported`; `None` when it does not say.
    pub offers_s256: Option<bool>,
    /// `token_endpoint_auth_methods_supported`; `None` means `client_secret_basic`.
    pub token_endpoint_auth_methods: Option<Vec<String>>,
    /// `id_token_signing_alg_values_supported`.
    pub id_token_algorithms: Option<Vec<String>>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207).
    pub promises_response_issuer: bool,
}

/// A provider's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedKeys {
    /// How many are published.
    pub published: usize,
    /// The `kid` and `alg` (or kind) of those that can be used here.
    pub usable: Vec<(Option<String>, String)>,
}

/// What a provider says to our redirect address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedirectJudgement {
    /// It could not be asked: no client id, no redirect address or no authorization endpoint.
    NotAsked,
    /// It goes on to log the person in, or answers to our address.
    Accepted,
    /// It shows an error.
    Refused {
        /// The status of the answer.
        status: u16,
        /// What gives the error away.
        sign: String,
    },
    /// No answer, or one nobody can judge.
    Unclear(String),
}

/// Asks the provider for everything anew, one thing after another.
pub async fn inspect_provider(
    documents: &ProviderDocuments,
    redirect_uri: Option<&str>,
) -> ProviderInspection {
    let issuer = documents.config().policy.issuer.issuer.as_str().to_owned();
    let mut inspection = ProviderInspection {
        trouble: documents.trouble().map(str::to_owned),
        attempts: Vec::new(),
        spelling: None,
        clock_ahead: None,
        published: None,
        keys: Err("there is no discovery document".to_owned()),
        redirect: RedirectJudgement::NotAsked,
        issuer,
    };
    let Some(document) = inspection.look_for_document(documents).await else { return inspection };
    inspection.spelling = Some(spelling(&inspection.issuer, &document));
    let published = facts(&document);
    inspection.keys = keys(documents, &document).await;
    if let (Some(endpoint), Some(redirect_uri)) = (&published.authorization_endpoint, redirect_uri)
    {
        inspection.redirect = judge_redirect(documents, endpoint, redirect_uri).await;
    }
    inspection.published = Some(published);
    inspection
}

impl ProviderInspection {
    async fn look_for_document(
        &mut self,
        documents: &ProviderDocuments,
    ) -> Option<Map<String, Value>> {
        for address in discovery_addresses(&self.issuer) {
            let asked = match documents.http.address(&address) {
                Ok(url) => documents.http.get(&url).await.map(|answer| (url, answer)),
                Err(why) => Err(why),
            };
            let (status, document) = match asked {
                Ok((url, answer)) => {
                    self.clock_ahead = clock_ahead(documents, &answer).or(self.clock_ahead);
                    (Some(answer.status), answer.object(&url))
                }
                Err(why) => (None, Err(why)),
            };
            let problem = document.as_ref().err().map(|why| why.reason.clone());
            self.attempts.push(DiscoveryAttempt { address, status, problem });
            if let Ok(document) = document {
                return Some(document);
            }
        }
        None
    }
}

fn clock_ahead(documents: &ProviderDocuments, answer: &Answer) -> Option<i64> {
    let date = answer.headers.get(http::header::DATE)?.to_str().ok()?;
    let theirs = httpdate::parse_http_date(date).ok()?;
    let theirs = theirs.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    Some(i64::try_from(theirs).ok()?.saturating_sub(documents.clock.now().as_unix()))
}

fn spelling(configured: &str, document: &Map<String, Value>) -> IssuerSpelling {
    let published = text(document, "issuer").unwrap_or_default();
    let slashless = |issuer: &str| issuer.strip_suffix('/').unwrap_or(issuer).to_owned();
    if published == configured {
        IssuerSpelling::Same
    } else if slashless(&published) == slashless(configured) {
        IssuerSpelling::TrailingSlash { published }
    } else {
        IssuerSpelling::Other { published }
    }
}

fn facts(document: &Map<String, Value>) -> PublishedFacts {
    PublishedFacts {
        authorization_endpoint: text(document, "authorization_endpoint"),
        token_endpoint: text(document, "token_endpoint"),
        registration_endpoint: text(document, "registration_endpoint"),
        introspection_endpoint: text(document, "introspection_endpoint"),
        offers_s256: list(document, "code_challenge_methods_supported")
            .map(|methods| methods.iter().any(|method| method == "S256")),
        token_endpoint_auth_methods: list(document, "token_endpoint_auth_methods_supported"),
        id_token_algorithms: list(document, "id_token_signing_alg_values_supported"),
        promises_response_issuer: document.get("authorization_response_iss_parameter_supported")
            == Some(&Value::Bool(true)),
    }
}

fn text(document: &Map<String, Value>, member: &str) -> Option<String> {
    document.get(member)?.as_str().map(str::to_owned)
}

fn list(document: &Map<String, Value>, member: &str) -> Option<Vec<String>> {
    let list = document.get(member)?.as_array()?;
    Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

async fn keys(
    documents: &ProviderDocuments,
    document: &Map<String, Value>,
) -> Result<InspectedKeys, String> {
    let address = text(document, "jwks_uri").ok_or("the document has no jwks_uri")?;
    let url = documents.http.address(&address).map_err(|why| why.to_string())?;
    let set = documents.http.get_object(&url, Credentials::None).await;
    let set = Value::Object(set.map_err(|why| why.to_string())?);
    let published = set.get("keys").and_then(Value::as_array).map_or(0, Vec::len);
    let keys = ProviderKeys::parse(&set).map_err(|why| why.to_string())?;
    let usable = keys.iter().map(|key| {
        let kind = key.public().fingerprint();
        let kind = kind.split('.').next().unwrap_or_default().to_owned();
        let algorithm = key.algorithm().map(|algorithm| algorithm.as_str().to_owned());
        (key.key_id().map(str::to_owned), algorithm.unwrap_or(kind))
    });
    Ok(InspectedKeys { published, usable: usable.collect() })
}

/// Asks as a browser would that is sent there to log in, and goes no further.
async fn judge_redirect(
    documents: &ProviderDocuments,
    endpoint: &str,
    redirect_uri: &str,
) -> RedirectJudgement {
    let Some(client) = &documents.config().client else { return RedirectJudgement::NotAsked };
    let mut url = match documents.http.address(endpoint) {
        Ok(url) => url,
        Err(why) => return RedirectJudgement::Unclear(why.to_string()),
    };
    // Nobody follows this up, so nothing in it has to be secret.
    let challenge = code_challenge(&"inspection".repeat(5));
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &client.client_id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", "openid")
        .append_pair("state", "inspection")
        .append_pair("nonce", "inspection")
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    match documents.http.get(&url).await {
        Ok(answer) => judgement(&url, &answer, redirect_uri),
        Err(why) => RedirectJudgement::Unclear(why.to_string()),
    }
}

fn judgement(asked: &Url, answer: &Answer, redirect_uri: &str) -> RedirectJudgement {
    let status = answer.status;
    let refused = |sign: &str| RedirectJudgement::Refused { status, sign: sign.to_owned() };
    match status {
        200 => {
            let page = String::from_utf8_lossy(&answer.body).to_lowercase();
            let sign = SIGNS_OF_REFUSAL.iter().find(|sign| page.contains(**sign));
            sign.map_or(RedirectJudgement::Accepted, |sign| refused(sign))
        }
        300..=399 => {
            let location = answer.headers.get(http::header::LOCATION);
            let location = location.and_then(|value| value.to_str().ok()).unwrap_or_default();
            let Ok(location) = asked.join(location) else {
                return RedirectJudgement::Unclear("redirects to no address".to_owned());
            };
            let is_error = location.path().to_lowercase().contains("error")
                || location.query_pairs().any(|(name, _)| name.to_lowercase().contains("error"));
            if is_error && !location.as_str().starts_with(redirect_uri) {
                refused("redirects to an error page")
            } else {
                RedirectJudgement::Accepted
            }
        }
        400..=499 => refused("answers with a client error"),
        _ => RedirectJudgement::Unclear(format!("answers {status}")),
    }
}
