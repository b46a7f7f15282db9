//! Identity providers: who logs people in, and whose access tokens are accepted.

mod dev_users;
mod id_token;
mod oidc_provider;
mod opaque_tokens;
mod provider_config;
mod provider_documents;
mod provider_http;
mod provider_inspection;
mod provider_keys;
mod provider_metadata;
mod provider_verifier;
mod refreshed;
mod token_endpoint_error;
mod unknown_keys;
mod vendor;

pub use dev_users::{DevUser, DevUsers};
pub use oidc_provider::{NoClient, OidcProvider};
pub use provider_config::{
    CLERK_API, GOOGLE_TOKENINFO, OpaqueMethod, ProviderClient, ProviderConfig, ResourceForwarding,
    TimeLimits, TokenFormat,
};
pub use provider_documents::{DocumentsUnavailable, ProviderDocuments};
pub use provider_inspection::{
    DiscoveryAttempt, InspectedKeys, IssuerSpelling, ProviderInspection, PublishedFacts,
    RedirectJudgement, inspect_provider,
};
pub use provider_metadata::PublishedMetadata;
pub use provider_verifier::{AmbiguousProviders, ProviderVerifier};
pub use vendor::Vendor;
