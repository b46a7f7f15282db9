use secrecy::SecretSlice;
use thiserror::Error;

use crate::domain::grant::GrantId;
use crate::domain::kept_tokens::SealedTokens;
use crate::domain::provider::ProviderName;

/// Encrypts tokens of providers before they are stored, with a secret that is not in the store.
///
/// What was sealed for one grant and one provider opens for no other, so that whoever can write into
/// the store gets nobody else's tokens, and no tokens sent to another provider.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait TokenSealer: Send + Sync {
    /// Seals tokens; no two results are the same bytes.
    ///
    /// # Errors
    /// [`SealingFailed`].
    fn seal(
        &self,
        grant: &GrantId,
        provider: &ProviderName,
        tokens: &SecretSlice<u8>,
    ) -> Result<SealedTokens, SealingFailed>;

    /// Opens what was sealed, under the secret of today or the one before.
    ///
    /// # Errors
    /// [`SealingFailed`]: it is damaged, of another grant or provider, or under another secret.
    fn open(
        &self,
        grant: &GrantId,
        provider: &ProviderName,
        sealed: &SealedTokens,
    ) -> Result<SecretSlice<u8>, SealingFailed>;
}

/// Tokens could not be sealed, or not be opened. The text quotes neither.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SealingFailed(pub &'static str);
