use crate::domain::timestamp::Timestamp;

/// What time it is.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The present moment. It is wall-clock time: two calls may return the same, and a clock that
    /// is set back may return less.
    fn now(&self) -> Timestamp;
}
