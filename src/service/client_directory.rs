//! Which client an identifier means: a registered one, or the one a metadata document describes.

use std::sync::Arc;

use thiserror::Error;

use super::policy::Policy;
use crate::domain::client::{Client, ClientId, LONGEST_CLIENT_ID};
use crate::domain::client_document_url::{ClientDocumentUrl, InvalidDocumentUrl};
use crate::domain::client_keys::{ClientKeySet, JwksUri};
use crate::port::{
    ClientDocuments, ClientRegistry, Clock, DocumentError, StoreUnavailable, WantedKeys,
};

/// Finds clients. Whose documents are read is asked anew each time, so that a document that is
/// remembered counts no longer than the operator wants it to.
pub(super) struct ClientDirectory {
    pub(super) clients: Arc<dyn ClientRegistry>,
    pub(super) documents: Arc<dyn ClientDocuments>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) policy: Arc<Policy>,
}

/// Why no client is found.
#[derive(Debug, Error)]
pub(super) enum NotFound {
    /// Nobody of that identifier is registered.
    #[error("no such client is registered here")]
    Unknown,
    /// The identifier is an address without a usable document.
    #[error(transparent)]
    Document(#[from] RefusedDocument),
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

/// Why what a client publishes is not used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RefusedDocument {
    /// The address is none that a document may have.
    #[error("the client_id begins like the address of a metadata document, but {0}")]
    Address(#[from] InvalidDocumentUrl),
    /// The operator wants no documents, or none from there.
    #[error("this server fetches nothing from {host:?} (client_documents)")]
    NotPermitted {
        /// The host of the document or of the keys.
        host: String,
    },
    /// It can't be fetched, or is no good.
    #[error(transparent)]
    Unusable(#[from] DocumentError),
}

impl ClientDirectory {
    pub(super) async fn find(&self, id: &ClientId) -> Result<Client, NotFound> {
        if id.as_str().len() > LONGEST_CLIENT_ID {
            return Err(NotFound::Unknown);
        }
        match id.document_url() {
            None => self.clients.find(id).await?.ok_or(NotFound::Unknown),
            Some(url) => {
                let url = url.map_err(RefusedDocument::from)?;
                Ok(self.described_at(&url).await?)
            }
        }
    }

    async fn described_at(&self, url: &ClientDocumentUrl) -> Result<Client, RefusedDocument> {
        self.check_permitted(url.host())?;
        let document = self.documents.fetch(url).await?.value;
        Ok(document.client(self.clock.now()))
    }

    /// The keys a client publishes.
    pub(super) async fn keys_at(
        &self,
        uri: &JwksUri,
        wanted: WantedKeys,
    ) -> Result<ClientKeySet, RefusedDocument> {
        self.check_permitted(uri.host())?;
        Ok(self.documents.fetch_keys(uri, wanted).await?.value)
    }

    fn check_permitted(&self, host: &str) -> Result<(), RefusedDocument> {
        if self.policy.client_documents.permits(host) {
            Ok(())
        } else {
            Err(RefusedDocument::NotPermitted { host: host.to_owned() })
        }
    }
}
