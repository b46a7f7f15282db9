use async_trait::async_trait;
use thiserror::Error;

use super::StoreUnavailable;
use crate::domain::grant::{CodeRecord, Grant, GrantId};
use crate::domain::refresh::RefreshRecord;
use crate::domain::secret::{CodeHash, RefreshTokenHash};
use crate::domain::timestamp::Timestamp;

/// Where authorization codes, grants and refresh tokens live. What was acknowledged survives a
/// restart and a crash.
///
/// Methods that change several things change all or none.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait GrantStore: Send + Sync {
    /// Stores a new grant and the code that carries it, together; `code.grant` is `grant.id`.
    ///
    /// # Errors
    /// [`StoreUnavailable`], also when the id or the hash is taken; nothing is stored then.
    async fn begin(&self, grant: &Grant, code: &CodeRecord) -> Result<(), StoreUnavailable>;

    /// The code and its grant, or `None`. Expired, redeemed and revoked ones are found alike: to
    /// tell them apart is the caller's part.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn find_code(
        &self,
        code: &CodeHash,
    ) -> Result<Option<(CodeRecord, Grant)>, StoreUnavailable>;

    /// Takes the code out of circulation and stores the first refresh token of its grant, if there
    /// is to be one, together.
    ///
    /// `refresh.grant` is the grant of the code. Exactly one of any number of concurrent calls for
    /// one code succeeds.
    ///
    /// # Errors
    /// [`RedeemError::Gone`] when there is no such code or its grant is revoked, whether or not the
    /// code was redeemed before; else [`RedeemError::AlreadyRedeemed`] for every later call.
    /// [`RedeemError::Unavailable`], also when the hash of the refresh token is taken. Nothing is
    /// changed then.
    async fn redeem_code_once(
        &self,
        code: &CodeHash,
        at: Timestamp,
        refresh: Option<RefreshRecord>,
    ) -> Result<(), RedeemError>;

    /// The refresh token and its grant, or `None`. Expired, rotated and revoked ones are found
    /// alike: to tell them apart is the caller's part.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn find_refresh(
        &self,
        token: &RefreshTokenHash,
    ) -> Result<Option<(RefreshRecord, Grant)>, StoreUnavailable>;

    /// Marks the token as rotated at `at` (with no grace uses) and stores its successor, together.
    ///
    /// `successor.grant` is the grant of the token. Exactly one of any number of concurrent calls
    /// for one token succeeds.
    ///
    /// # Errors
    /// [`RotateError::Gone`] when there is no such token or its grant is revoked, whether or not it
    /// was rotated before; else [`RotateError::NotCurrent`] for every later call. Nothing is
    /// changed then. [`RotateError::Unavailable`], also when the hash of the successor is taken.
    async fn rotate_if_current(
        &self,
        token: &RefreshTokenHash,
        at: Timestamp,
        successor: &RefreshRecord,
    ) -> Result<(), RotateError>;

    /// Counts one more use of a rotated token within its grace window, if `most` are not reached,
    /// `successor` is a current token of the same grant, and that is not revoked.
    ///
    /// Of any number of concurrent calls at most `most` are counted. Returns whether this one was;
    /// otherwise nothing is changed.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn count_grace_use(
        &self,
        token: &RefreshTokenHash,
        successor: &RefreshTokenHash,
        most: u32,
    ) -> Result<bool, StoreUnavailable>;

    /// Ends a grant: its code and its refresh tokens are worth nothing from now on. A grant that
    /// is unknown or revoked already stays as it is.
    ///
    /// # Errors
    /// [`StoreUnavailable`].
    async fn revoke(&self, grant: &GrantId, at: Timestamp) -> Result<(), StoreUnavailable>;
}

/// Why a code was not redeemed.
#[derive(Debug, Error)]
pub enum RedeemError {
    /// It was, before.
    #[error("the code was redeemed before")]
    AlreadyRedeemed,
    /// There is no such code, or its grant is revoked.
    #[error("the code or its grant is gone")]
    Gone,
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}

/// Why a refresh token was not rotated.
#[derive(Debug, Error)]
pub enum RotateError {
    /// It was, before.
    #[error("the refresh token was rotated before")]
    NotCurrent,
    /// There is no such token, or its grant is revoked.
    #[error("the refresh token or its grant is gone")]
    Gone,
    /// The store can't answer.
    #[error(transparent)]
    Unavailable(#[from] StoreUnavailable),
}
