//! The local issuer: RSA keys of this server, tokens signed and verified with them; the check of
//! what clients sign; the encryption of what is kept of providers.

mod call_state_sealer;
mod cipher;
mod client_signatures;
mod key_ring;
mod key_sealer;
mod local_issuer;
mod provider_token_sealer;
mod rsa_key;

pub use call_state_sealer::CallStateSealer;
pub use client_signatures::ClientSignatures;
pub use key_sealer::{KeySealer, SHORTEST_SECRET, SealError};
pub use local_issuer::LocalIssuer;
pub use provider_token_sealer::ProviderTokenSealer;
pub use rsa_key::{InvalidKey, RsaKey};
