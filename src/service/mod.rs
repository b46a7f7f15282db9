//! The use cases, each a file that reads top to bottom in the order of its specification.

pub mod access;
pub mod authorize;
pub mod client_administration;
mod client_authentication;
mod client_credentials;
pub mod consent;
pub mod dev_token;
mod end_client;
mod exchange_code;
pub mod grant_administration;
pub mod introspect;
mod issue_code;
pub mod keys;
pub mod log_out;
pub mod login;
pub mod manage_registration;
pub mod metadata;
mod mint;
pub mod policy;
pub mod readiness;
pub mod reception;
mod refresh;
pub mod refusal;
pub mod register;
mod registration_request;
pub mod revoke;
mod throttle;
pub mod token;
pub mod tools;
pub mod transport_error;
mod use_cases;

pub use client_authentication::ClientAuthenticationError;
pub use client_credentials::ClientCredentialsError;
pub use exchange_code::ExchangeError;
pub use refresh::RefreshError;
pub use use_cases::{Ports, UseCases};
