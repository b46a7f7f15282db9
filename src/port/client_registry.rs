use async_trait::async_trait;
use thiserror::Error;

use super::StoreUnavailable;
use crate::domain::client::{Client, ClientId};
use crate::domain::timestamp::Timestamp;

/// Where registered clients live. What is registered survives a restart.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ClientRegistry: Send + Sync {
    /// Adds a client, if fewer than `most` have registered themselves; those of another origin are
    /// not counted, nor held up.
    ///
    /// Of concurrent calls with one id exactly one succeeds, and no number of concurrent calls leads
    /// to more than `most`.
    ///
    /// # Errors
    /// [`RegisterError::Exists`] when the id is taken, and the registered client stays as it was;
    /// else [`RegisterError::Full`]; [`RegisterError::Unavailable`].
    async fn register(&self, client: &Client, most: u32) -> Result<(), RegisterError>;

    /// The client of that id, or `None`.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn find(&self, id: &ClientId) -> Result<Option<Client>, StoreUnavailable>;

    /// Puts `client` in the place of the registered one with its id.
    ///
    /// Returns whether there was one; otherwise nothing is stored.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn replace(&self, client: &Client) -> Result<bool, StoreUnavailable>;

    /// Remembers that the client was used; an unknown id, or an earlier moment than the remembered
    /// one, changes nothing.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn touch(&self, id: &ClientId, used_at: Timestamp) -> Result<(), StoreUnavailable>;

    /// Removes the client; returns whether there was one. Its grants are not touched.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn delete(&self, id: &ClientId) -> Result<bool, StoreUnavailable>;

    /// Every client, oldest registration first, those of one second by id.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn list(&self) -> Result<Vec<Client>, StoreUnavailable>;
}

/// Why a client was not added.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// The id is taken.
    #[error("a client of that id is registered")]
    Exists,
    /// As many have registered themselves as may.
    #[error("as many clients are registered as may be")]
    Full,
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}
