//! The settings about what clients publish of themselves.

use std::sync::Arc;

use mcp_oauth_core::domain::client_document_policy::{ClientDocumentPolicy, DomainPattern};
use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_documents::WebDocuments;
use mcp_oauth_memory::DocumentMemory;

use crate::settings::Reader;

/// How documents are fetched and remembered.
#[derive(Debug, Clone)]
pub(crate) struct DocumentSettings {
    pub(crate) memory: DocumentMemory,
    pub(crate) web: Arc<WebDocuments>,
}

/// What `client_documents` can be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Off,
    Listed,
    Open,
}

impl Reader<'_> {
    /// Whose documents are read. A list that would not count is a problem.
    pub(crate) fn client_document_policy(&self) -> Option<ClientDocumentPolicy> {
        let domains = self.client_document_domains();
        let choices = [("open", Choice::Open), ("listed", Choice::Listed), ("off", Choice::Off)];
        let choice = self.one_of("client_documents", &choices)?;
        let domains = domains?;
        if (choice == Choice::Listed) == domains.is_empty() {
            let reason = "client_documents = \"listed\" and this list belong together";
            let remedy = "Name at least one domain with \"listed\", and none without it.";
            self.0.problem("client_document_domains", reason, remedy);
        }
        Some(match choice {
            Choice::Off => ClientDocumentPolicy::Off,
            Choice::Listed => ClientDocumentPolicy::Listed(domains),
            Choice::Open => ClientDocumentPolicy::Open,
        })
    }

    fn client_document_domains(&self) -> Option<Vec<DomainPattern>> {
        let names: Vec<String> = self.0.get("client_document_domains")?;
        let parse = |name: &String| match DomainPattern::parse(name) {
            Ok(domain) => Some(domain),
            Err(error) => {
                let remedy = "Write example.com, or *.example.com for all below it.";
                self.0.problem("client_document_domains", error.to_string(), remedy);
                None
            }
        };
        Some(names.iter().filter_map(parse).collect())
    }

    pub(crate) fn documents(&self, base_url: Option<&str>) -> Option<DocumentSettings> {
        let week = 7 * 24 * 3600;
        let least = self.seconds("client_document_least_seconds", 10, week);
        let most = self.seconds("client_document_most_seconds", 10, 4 * week);
        let entries = self.number("client_documents_remembered", 10, 100_000);
        let web = self.web_documents(base_url);
        let (least, most) = (least?, most?);
        if least > most {
            let remedy = "Make it no more than client_document_most_seconds.";
            let reason = "the least is more than the most";
            self.0.problem("client_document_least_seconds", reason, remedy);
        }
        let entries = usize::try_from(entries?).ok()?;
        let memory = DocumentMemory { least, most, entries };
        Some(DocumentSettings { memory, web: Arc::new(web?) })
    }

    /// Whoever trusts it and asks this machine would be a door for everybody, were others let in.
    fn web_documents(&self, base_url: Option<&str>) -> Option<WebDocuments> {
        const NAME: &str = "client_documents_test_ca_file";
        let Some(path) = self.0.optional_text(NAME) else { return Some(WebDocuments::public()) };
        let elsewhere = |url: &str| PublicAddress::new(url).is_ok_and(|it| !it.is_loopback());
        if base_url.is_some_and(elsewhere) {
            let reason = "it is for tests, and base_url is not loopback";
            self.0.problem(NAME, reason, "Leave it out.");
        }
        let problem = |reason: String| {
            self.0.problem(NAME, format!("{path}: {reason}"), "Name a readable PEM file.");
        };
        let pem = std::fs::read(&path).map_err(|error| problem(error.to_string())).ok()?;
        WebDocuments::for_tests(&pem).map_err(|error| problem(error.to_string())).ok()
    }
}
