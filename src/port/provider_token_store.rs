use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::grant::GrantId;
use crate::domain::kept_tokens::{KeptTokens, SealedTokens};

/// Where tokens of providers are kept for tools, sealed: a store never looks inside.
///
/// They end with their grant: those of one that was revoked are found no more, and housekeeping
/// throws them away, as it does with those of a grant it forgets.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ProviderTokenStore: Send + Sync {
    /// Keeps the tokens that came with a grant.
    ///
    /// # Errors
    /// [`StoreUnavailable`], also when there is no such grant, or it has tokens already.
    async fn keep_tokens(&self, tokens: &KeptTokens) -> Result<(), StoreUnavailable>;

    /// The tokens of a grant; `None` when none are kept, or the grant was revoked.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn find_tokens(&self, grant: &GrantId) -> Result<Option<KeptTokens>, StoreUnavailable>;

    /// Keeps `next` in place of `current`, if its grant still has that and was not revoked. Of any
    /// number of concurrent calls for one `current` exactly one succeeds. Returns whether this one
    /// did; otherwise nothing is changed.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn replace_tokens_if_current(
        &self,
        current: &SealedTokens,
        next: &KeptTokens,
    ) -> Result<bool, StoreUnavailable>;

    /// Forgets the tokens of a grant, if they still are `current`: somebody else may have replaced
    /// them with some that are good. Returns whether they went.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn forget_tokens_if_current(
        &self,
        grant: &GrantId,
        current: &SealedTokens,
    ) -> Result<bool, StoreUnavailable>;
}
