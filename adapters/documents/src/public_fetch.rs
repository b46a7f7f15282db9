//! One small GET: no redirects, no proxy, no waiting, no more than was bargained for.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, StatusCode};
use url::Url;

use crate::freshness::fresh_for;
use crate::guarded_resolver::{ForbiddenAddress, GuardedResolver, Lookup};
use crate::reach::Reach;

/// How long to wait for a connection, its name included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long everything may take, to the last byte.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks public addresses.
#[derive(Debug)]
pub(crate) struct PublicFetch {
    client: Client,
    reach: Reach,
}

/// A JSON text, and how much longer it is fresh.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) body: Vec<u8>,
    pub(crate) fresh_for: Option<Duration>,
}

/// Why there is none.
#[derive(Debug)]
pub(crate) enum NotFetched {
    /// Nobody may be asked there.
    Forbidden(String),
    /// No answer, or not 200.
    Unreachable(String),
    /// Not JSON, or too much of it.
    Unsuitable(String),
}

/// What distinguishes tests from the world.
pub(crate) struct Surroundings {
    pub(crate) reach: Reach,
    pub(crate) lookup: Arc<dyn Lookup>,
    /// Trusted beside the authorities of this machine.
    pub(crate) certificates: Vec<Certificate>,
    pub(crate) total_timeout: Option<Duration>,
}

impl PublicFetch {
    pub(crate) fn new(surroundings: Surroundings) -> reqwest::Result<Self> {
        let Surroundings { reach, lookup, certificates, total_timeout } = surroundings;
        let mut client = Client::builder()
            .user_agent("mcp-oauth-server")
            .https_only(true)
            .no_proxy()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .dns_resolver(GuardedResolver { lookup, reach })
            // A kept connection would outlive the judgement of its address.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(total_timeout.unwrap_or(TOTAL_TIMEOUT));
        if !certificates.is_empty() {
            client = client.tls_certs_merge(certificates);
        }
        Ok(Self { client: client.build()?, reach })
    }

    /// The JSON text at `url`, if it is at most `most` bytes long.
    pub(crate) async fn json(&self, url: &Url, most: usize) -> Result<Found, NotFetched> {
        if let Some(objection) = self.reach.objection(url) {
            return Err(NotFetched::Forbidden(objection));
        }
        let request = self.client.get(url.clone()).header(ACCEPT, "application/json");
        let response = request.send().await?;
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            return Err(NotFetched::Unreachable(format!("it answers {status}, not 200")));
        }
        if !is_json(response.headers()) {
            return Err(NotFetched::Unsuitable("is not served as JSON".to_owned()));
        }
        let fresh_for = fresh_for(response.headers());
        Ok(Found { body: body(response, most).await?, fresh_for })
    }
}

/// `application/json`, or any `application/…+json`.
fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    let subtype = media_type.strip_prefix("application/");
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// The body, given up as soon as it is too long, whatever length was announced.
async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, NotFetched> {
    let too_long = || NotFetched::Unsuitable(format!("is longer than {most} bytes"));
    if response.content_length().is_some_and(|announced| announced > most as u64) {
        return Err(too_long());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Err(too_long());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl From<reqwest::Error> for NotFetched {
    fn from(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let mut causes = vec![error.to_string()];
        let mut next = error.source();
        while let Some(cause) = next {
            if let Some(ForbiddenAddress(why)) = cause.downcast_ref() {
                return Self::Forbidden(why.clone());
            }
            causes.push(cause.to_string());
            next = cause.source();
        }
        Self::Unreachable(causes.join(": "))
    }
}
