//! The rows, one table a file, and what they mean.

pub(crate) mod audit_entries;
pub(crate) mod clients;
pub(crate) mod codes;
pub(crate) mod consents;
pub(crate) mod grants;
pub(crate) mod login_sessions;
pub(crate) mod mcp_sessions;
pub(crate) mod pending_logins;
pub(crate) mod provider_tokens;
pub(crate) mod refresh_tokens;
pub(crate) mod revoked_tokens;
pub(crate) mod signing_keys;
pub(crate) mod spent_token_ids;
