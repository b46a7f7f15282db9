//! Identity providers: who logs people in, and whose access tokens are accepted.

mod dev_users;
mod provider_config;
mod vendor;

pub use dev_users::{DevUser, DevUsers};
pub use provider_config::{
    CLERK_API, GOOGLE_TOKENINFO, OpaqueMethod, ProviderClient, ProviderConfig, ResourceForwarding,
    TimeLimits, TokenFormat,
};
pub use vendor::Vendor;
