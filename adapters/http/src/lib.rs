//! The HTTP side of the server: OAuth endpoints, pages for people, discovery, documentation, and
//! the loop that accepts connections.

mod api;
mod api_answer;
mod api_body;
mod browser_cookies;
mod connection;
mod correlation;
mod cors;
mod docs;
mod exchange;
mod host_and_origin;
mod landing;
mod methods;
mod open_requests;
mod openapi;
mod page_templates;
mod pages;
mod preface;
mod provider_pages;
mod request_head;
mod router;
mod server;
mod tls;
mod unread_answer;
mod unread_body;
mod well_known;

pub use docs::docs_client;
pub use openapi::openapi_document;
pub use router::{HttpSettings, Mount, router};
pub use server::{ServerLimits, serve};
pub use tls::{Tls, TlsCertificate, UnusableCertificate};
