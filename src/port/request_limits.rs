use crate::domain::limit::{Limited, TooMany};

/// Counts what is limited.
///
/// Each value of [`Limited`] has a budget of its own: the action's burst, from which every count
/// takes one and to which one comes back after every interval. Neither call waits for anything. An
/// implementation may count for its process alone, keeps a bounded number of values whatever it is
/// asked, and prefers to forget those that have used up least.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait RequestLimits: Send + Sync {
    /// Counts once more. Of concurrent calls as many succeed as the budget has left.
    ///
    /// # Errors
    /// [`TooMany`] when nothing is left; then nothing is counted either, so that who waits for
    /// [`TooMany::retry_after`] gets through.
    fn count<'a>(&self, limited: &Limited<'a>) -> Result<(), TooMany>;

    /// Whether [`Self::count`] would succeed; counts nothing.
    ///
    /// # Errors
    /// [`TooMany`] when nothing is left.
    fn check<'a>(&self, limited: &Limited<'a>) -> Result<(), TooMany>;
}
