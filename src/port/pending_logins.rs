use async_trait::async_trait;

use super::StoreUnavailable;
use crate::domain::provider_login::PendingLogin;
use crate::domain::secret::ProviderStateHash;

/// Where logins at providers are kept while the person is there. They survive a restart, and another
/// replica may finish what this one began.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PendingLogins: Send + Sync {
    /// Stores a login that begins. Anybody may begin one, so a store that is short of room may forget
    /// the one that ends first instead of growing without an end.
    ///
    /// # Errors
    /// [`StoreUnavailable`], also when the name is taken.
    async fn begin(&self, login: &PendingLogin) -> Result<(), StoreUnavailable>;

    /// Takes the login with the name `state` ([`PendingLogin::state`]) out and returns it, expired or not; `None` if there is none. Of any number of
    /// concurrent calls for one name exactly one gets it.
    ///
    /// # Errors
    /// [`StoreUnavailable`]; it is still there then.
    async fn take_once(
        &self,
        state: &ProviderStateHash,
    ) -> Result<Option<PendingLogin>, StoreUnavailable>;
}
