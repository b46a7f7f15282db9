//! Values and rules. Everything here is parsed once at the edge and never re-checked inside.

pub mod access_token;
pub mod audit;
pub mod authorization;
pub mod bearer;
pub mod client;
pub(crate) mod error_text;
pub mod grant;
pub mod issuer;
pub mod jwt;
pub mod key_rotation;
pub mod login;
pub mod parameters;
pub mod person;
pub mod pkce;
pub mod principal;
pub mod public_address;
pub mod redirect_uri;
pub mod refresh;
pub mod resource;
pub mod scope;
pub mod secret;
pub mod timestamp;
pub mod tool;
pub mod web_origin;
