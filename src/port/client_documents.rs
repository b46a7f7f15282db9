use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::client_document::ClientDocument;
use crate::domain::client_document_url::ClientDocumentUrl;
use crate::domain::client_keys::{ClientKeySet, JwksUri};

/// Where clients publish what is to be known of them. The addresses come from strangers: whoever
/// implements this makes sure that nothing is reached through it that is not meant for the public.
///
/// Nothing is asked of an address that resolves, even in part, to one of special use
/// ([`crate::domain::special_address`]). Redirects are not followed, no proxy is used, only port 443
/// is asked, and only 200 with JSON counts: of a document at most 5 KiB (draft §6.6), of keys 12 KiB,
/// within seconds. A setting for tests may lift what is said of addresses and the port.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ClientDocuments: Send + Sync {
    /// The document at `url`, or one that was there not long ago: for as long as its host allows,
    /// within bounds. What is no valid document is never remembered, nor is a failure.
    ///
    /// # Errors
    /// [`DocumentError`].
    async fn fetch(
        &self,
        url: &ClientDocumentUrl,
    ) -> Result<Fetched<ClientDocument>, DocumentError>;

    /// The keys at `uri`, under the same rules.
    ///
    /// # Errors
    /// [`DocumentError`].
    async fn fetch_keys(
        &self,
        uri: &JwksUri,
        wanted: WantedKeys,
    ) -> Result<Fetched<ClientKeySet>, DocumentError>;
}

/// Which keys will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WantedKeys {
    /// Remembered ones.
    Any,
    /// Those that are there now: a key was missing in the others. Whoever asks too often gets the
    /// remembered ones all the same.
    Latest,
}

/// Something that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched<T> {
    /// What was there.
    pub value: T,
    /// How much longer its host lets it be kept; `None` when the host does not say,
    /// or when this was remembered: it is for whoever remembers.
    pub fresh_for: Option<Duration>,
}

/// Why nothing was fetched. The reasons are for the audit log: to the one who named the address they
/// would tell what can be reached from here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DocumentError {
    /// A rule forbids to ask there.
    #[error("{address} is not asked: {reason}")]
    Forbidden {
        /// Where.
        address: String,
        /// Which rule.
        reason: String,
    },
    /// There was no answer, or not the one it should be.
    #[error("{address} does not answer as it should: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// What happened.
        reason: String,
    },
    /// The answer breaks a rule of its format.
    #[error("the document at {address} {reason}")]
    Invalid {
        /// Where.
        address: String,
        /// Which rule.
        reason: String,
    },
    /// Too much is being fetched already: this says nothing about the document.
    #[error("{address} is not asked now: {reason}")]
    Busy {
        /// Where.
        address: String,
        /// Which limit.
        reason: String,
    },
}
