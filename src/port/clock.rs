use crate::domain::timestamp::Timestamp;

/// What time it is.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The present moment; two calls may return the same, and later ones never less.
    fn now(&self) -> Timestamp;
}
