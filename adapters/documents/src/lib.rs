//! Fetches what clients publish of themselves. The addresses come from strangers, so this is the one
//! place from which requests leave this server, and it asks nobody who is not on the public internet.

#[cfg(test)]
mod fetch_tests;
mod freshness;
mod guarded_resolver;
mod public_fetch;
mod reach;
#[cfg(test)]
mod test_server;
mod web_documents;

pub use web_documents::{InvalidCertificate, WebDocuments};
