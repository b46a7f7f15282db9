//! What the core needs from the world. Each port's documentation is a contract; an adapter can be
//! written from it alone. The suites in `tests/contracts` execute those of the stores.

mod argument_schemas;
mod assertion_signatures;
mod audit_log;
mod audit_trail;
mod call_context;
mod caller_tokens;
mod catalog_changes;
mod client_channel;
mod client_documents;
mod client_registry;
mod clock;
mod consent_memory;
mod grant_directory;
mod grant_store;
mod housekeeping;
mod identity_provider;
mod key_store;
mod login_sessions;
mod mcp_sessions;
#[cfg(feature = "mocks")]
mod mock_tool_catalog;
mod password_login;
mod pending_logins;
mod prompt_catalog;
mod provider_metadata;
mod provider_token_store;
mod random;
mod request_limits;
mod resource_catalog;
mod shared_refreshes;
mod signing_keys;
mod spent_token_ids;
mod state_sealer;
mod token_revocations;
mod token_sealer;
mod token_verifier;
mod tool_catalog;

pub use argument_schemas::*;
pub use assertion_signatures::*;
pub use audit_log::*;
pub use audit_trail::*;
pub use call_context::*;
pub use caller_tokens::*;
pub use catalog_changes::*;
pub use client_channel::*;
pub use client_documents::*;
pub use client_registry::*;
pub use clock::*;
pub use consent_memory::*;
pub use grant_directory::*;
pub use grant_store::*;
pub use housekeeping::*;
pub use identity_provider::*;
pub use key_store::*;
pub use login_sessions::*;
pub use mcp_sessions::*;
#[cfg(feature = "mocks")]
pub use mock_tool_catalog::*;
pub use password_login::*;
pub use pending_logins::*;
pub use prompt_catalog::*;
pub use provider_metadata::*;
pub use provider_token_store::*;
pub use random::*;
pub use request_limits::*;
pub use resource_catalog::*;
pub use shared_refreshes::*;
pub use signing_keys::*;
pub use spent_token_ids::*;
pub use state_sealer::*;
pub use token_revocations::*;
pub use token_sealer::*;
pub use token_verifier::*;
pub use tool_catalog::*;

use thiserror::Error;

/// A store can't answer at the moment; the request may be tried again and nothing was changed.
#[derive(Debug, Error)]
#[error("the store is unavailable: {0}")]
pub struct StoreUnavailable(#[source] pub Box<dyn std::error::Error + Send + Sync>);

impl StoreUnavailable {
    /// With the adapter's own error as its source.
    pub fn new(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(source.into())
    }
}
