//! The use cases, each a file that reads top to bottom in the order of its specification.

pub mod access;
pub mod authorize;
mod client_authentication;
pub mod consent;
pub mod dev_token;
mod exchange_code;
pub mod keys;
pub mod login;
pub mod metadata;
mod mint;
pub mod policy;
pub mod readiness;
pub mod reception;
mod refresh;
pub mod refusal;
pub mod register;
mod throttle;
pub mod token;
pub mod tools;
pub mod transport_error;
mod use_cases;

pub use client_authentication::ClientAuthenticationError;
pub use exchange_code::ExchangeError;
pub use refresh::RefreshError;
pub use use_cases::{Ports, UseCases};
