//! Properties that hold for whatever a stranger sends: the readers of untrusted text, given texts made
//! up at random around what they expect.
//!
//! `PROPTEST_CASES` says how many texts each property is tried with (256 unless set). A text that
//! breaks a property is kept in `tests/properties/*.regressions` and tried first ever after.

mod client_document;
mod client_document_url;
mod jwt;
mod parameters;
mod redirect_uri;
mod texts;
