//! Documents and keys from the web.

use std::sync::Arc;

use async_trait::async_trait;
use mcp_oauth_core::domain::client_document::ClientDocument;
use mcp_oauth_core::domain::client_document_url::ClientDocumentUrl;
use mcp_oauth_core::domain::client_keys::{ClientKeySet, JwksUri};
use mcp_oauth_core::port::{ClientDocuments, DocumentError, Fetched, WantedKeys};
use reqwest::Certificate;
use thiserror::Error;
use url::Url;

use crate::guarded_resolver::SystemLookup;
use crate::public_fetch::{Found, NotFetched, PublicFetch, Surroundings};
use crate::reach::Reach;

/// The longest document read, in bytes (draft-ietf-oauth-client-id-metadata-document §6.6).
const LONGEST_DOCUMENT: usize = 5 * 1024;

/// The longest key set read, in bytes.
const LONGEST_KEY_SET: usize = 12 * 1024;

/// Fetches each time it is asked; who wants to remember puts something in front.
#[derive(Debug)]
pub struct WebDocuments {
    fetch: Result<PublicFetch, String>,
}

/// A text without a certificate in it.
#[derive(Debug, Error)]
#[error("it holds no \"CERTIFICATE\" block (PEM)")]
pub struct InvalidCertificate;

impl WebDocuments {
    /// Asks public servers, with the certificate authorities of this machine. Where there are none,
    /// nobody can be asked ([`Self::trouble`]).
    #[must_use]
    pub fn public() -> Self {
        Self::within(Surroundings {
            reach: Reach::Public,
            lookup: Arc::new(SystemLookup),
            certificates: Vec::new(),
            total_timeout: None,
        })
    }

    /// For tests: asks servers on this machine too, on any port, and trusts one more certificate
    /// authority.
    ///
    /// # Errors
    /// [`InvalidCertificate`].
    pub fn for_tests(authority_pem: &[u8]) -> Result<Self, InvalidCertificate> {
        let certificates = Certificate::from_pem_bundle(authority_pem).unwrap_or_default();
        if certificates.is_empty() {
            return Err(InvalidCertificate);
        }
        Ok(Self::within(Surroundings {
            reach: Reach::LoopbackToo,
            lookup: Arc::new(SystemLookup),
            certificates,
            total_timeout: None,
        }))
    }

    pub(crate) fn within(surroundings: Surroundings) -> Self {
        Self { fetch: PublicFetch::new(surroundings).map_err(|error| format!("{error:?}")) }
    }

    /// Why nobody can be asked, if that is so.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.fetch.as_ref().err().map(String::as_str)
    }

    async fn found(&self, url: &Url, most: usize) -> Result<Found, DocumentError> {
        let found = match &self.fetch {
            Ok(fetch) => fetch.json(url, most).await,
            Err(trouble) => Err(NotFetched::Unreachable(trouble.clone())),
        };
        let address = || url.to_string();
        found.map_err(|why| match why {
            NotFetched::Forbidden(reason) => {
                DocumentError::Forbidden { address: address(), reason }
            }
            NotFetched::Unreachable(reason) => {
                DocumentError::Unreachable { address: address(), reason }
            }
            NotFetched::Unsuitable(reason) => DocumentError::Invalid { address: address(), reason },
        })
    }
}

#[async_trait]
impl ClientDocuments for WebDocuments {
    async fn fetch(
        &self,
        url: &ClientDocumentUrl,
    ) -> Result<Fetched<ClientDocument>, DocumentError> {
        let Found { body, fresh_for } = self.found(url.url(), LONGEST_DOCUMENT).await?;
        match ClientDocument::parse(url, &body) {
            Ok(value) => Ok(Fetched { value, fresh_for }),
            Err(why) => Err(invalid(url.url(), why.to_string())),
        }
    }

    async fn fetch_keys(
        &self,
        uri: &JwksUri,
        _: WantedKeys,
    ) -> Result<Fetched<ClientKeySet>, DocumentError> {
        let Found { body, fresh_for } = self.found(uri.url(), LONGEST_KEY_SET).await?;
        let set = serde_json::from_slice(&body)
            .map_err(|_| invalid(uri.url(), "is not JSON".to_owned()))?;
        match ClientKeySet::from_jwks(&set) {
            Ok(value) => Ok(Fetched { value, fresh_for }),
            Err(why) => Err(invalid(uri.url(), format!("is no set of keys: {why}"))),
        }
    }
}

fn invalid(url: &Url, reason: String) -> DocumentError {
    DocumentError::Invalid { address: url.to_string(), reason }
}
