//! Tools made of OpenAPI documents, called against a server on this machine.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a call that goes wrong fails its test"
)]

mod answers;
mod bounds;
mod credentials;
mod loading;
mod public_documents;
mod requests;
mod scenario;
mod server;
