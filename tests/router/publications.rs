//! What clients publish of themselves, without a web: documents and keys by their address.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use mcp_oauth_core::domain::client_document::ClientDocument;
use mcp_oauth_core::domain::client_document_url::ClientDocumentUrl;
use mcp_oauth_core::domain::client_keys::{ClientKeySet, JwksUri};
use mcp_oauth_core::port::{ClientDocuments, DocumentError, Fetched, WantedKeys};
use serde_json::Value;

/// What a failure tells of the inside; nobody outside may read it.
pub(crate) const INSIDE: &str = "10.0.0.7 answers 500";

/// The publications of all clients.
#[derive(Default)]
pub(crate) struct Publications {
    found: Mutex<BTreeMap<String, Value>>,
    asked: Mutex<Vec<String>>,
    busy: Mutex<bool>,
}

impl Publications {
    /// Publishes, or changes what was published before.
    pub(crate) fn publish(&self, address: &str, what: Value) {
        self.found.lock().unwrap().insert(address.to_owned(), what);
    }

    /// Takes it from the web.
    pub(crate) fn withdraw(&self, address: &str) {
        self.found.lock().unwrap().remove(address);
    }

    /// Has no time for anybody from now on.
    pub(crate) fn be_busy(&self) {
        *self.busy.lock().unwrap() = true;
    }

    /// Every address that was asked, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn ask(&self, address: &str) -> Result<Value, DocumentError> {
        self.asked.lock().unwrap().push(address.to_owned());
        let (address, reason) = (address.to_owned(), INSIDE.to_owned());
        if *self.busy.lock().unwrap() {
            return Err(DocumentError::Busy { address, reason });
        }
        let found = self.found.lock().unwrap().get(&address).cloned();
        found.ok_or(DocumentError::Unreachable { address, reason })
    }
}

#[async_trait]
impl ClientDocuments for Publications {
    async fn fetch(
        &self,
        url: &ClientDocumentUrl,
    ) -> Result<Fetched<ClientDocument>, DocumentError> {
        let text = self.ask(url.as_str())?.to_string();
        let document = ClientDocument::parse(url, text.as_bytes());
        fetched(url.as_str(), document.map_err(|why| why.to_string()))
    }

    async fn fetch_keys(
        &self,
        uri: &JwksUri,
        _: WantedKeys,
    ) -> Result<Fetched<ClientKeySet>, DocumentError> {
        let set = ClientKeySet::from_jwks(&self.ask(uri.as_str())?);
        fetched(uri.as_str(), set.map_err(|why| why.to_string()))
    }
}

fn fetched<T>(address: &str, value: Result<T, String>) -> Result<Fetched<T>, DocumentError> {
    match value {
        Ok(value) => Ok(Fetched { value, fresh_for: None }),
        Err(reason) => Err(DocumentError::Invalid { address: address.to_owned(), reason }),
    }
}
