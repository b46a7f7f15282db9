use std::pin::Pin;

use async_trait::async_trait;

use super::TokenOutcome;
use crate::domain::grant::GrantId;

/// A refresh of the kept tokens of a grant, not begun yet.
pub type Refresh = Pin<Box<dyn Future<Output = TokenOutcome> + Send>>;

/// Lets everybody in this process who needs new tokens of one grant share one refresh: a refresh
/// token that was used twice may be worth nothing, and all that came of it.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SharedRefreshes: Send + Sync {
    /// Runs `refresh`, unless one of the same grant is under way: then `refresh` is dropped and the
    /// outcome of that one is this one's, too. Those of different grants don't wait for each other.
    ///
    /// A refresh that was begun goes on to its end when nobody waits for it any more: the provider
    /// may have taken the old token out of use already. One that breaks is
    /// [`Unavailable`](super::ProviderTokenError::Unavailable).
    async fn join(&self, grant: &GrantId, refresh: Refresh) -> TokenOutcome;
}
