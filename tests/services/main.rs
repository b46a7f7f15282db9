//! The use cases against mocks of the ports: in which order they are called, and above all which
//! are not. A mock panics at any call a scenario did not announce, so a scenario that announces
//! only reads proves that nothing was changed.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod samples;
mod world;

mod access;
mod authorize;
mod client_administration;
mod client_authentication;
mod client_credentials;
mod client_documents;
mod consent;
mod dev_token;
mod exchange_code;
mod grant_administration;
mod introspect;
mod log_out;
mod login;
mod manage_registration;
mod mcp_sessions;
mod metadata;
mod private_key_jwt;
mod provider_login;
mod provider_tokens;
mod readiness;
mod reception;
mod refresh;
mod refusal;
mod register;
mod remembered_consent;
mod revoke;
mod rounds;
mod signing_keys;
mod throttle;
mod tools;
