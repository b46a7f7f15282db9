use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::kept_tokens::ProviderAccessToken;
use crate::domain::provider::ProviderName;

/// A token of the caller's provider; `None` when none is kept.
pub type TokenOutcome = Result<Option<ProviderAccessToken>, ProviderTokenError>;

/// What is kept of one caller's provider, for the tool they call.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait CallerTokens: Send + Sync {
    /// An access token that lives long enough to be used, refreshed when it has to be. `None` when
    /// none is kept: the operator does not have them kept, or the provider took them back.
    ///
    /// # Errors
    /// [`ProviderTokenError`].
    async fn provider_token(&self) -> TokenOutcome;
}

/// Why there is no token of the caller's provider now. The texts may be told to the caller.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProviderTokenError {
    /// Asking once more is no use.
    #[error("{provider} gives no more access for this login: disconnect, and log in again")]
    LogInAgain {
        /// Where to log in.
        provider: ProviderName,
    },
    /// The provider or the store can't be asked; the log says why.
    #[error("the login provider can't be asked at the moment; try again in {} seconds", .retry_after.as_secs())]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}
