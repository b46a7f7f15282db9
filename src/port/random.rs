use crate::domain::secret::SECRET_BYTES;

/// Unpredictable bytes.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Random: Send + Sync {
    /// 256 bits from a cryptographically secure source, never the same twice.
    fn entropy(&self) -> [u8; SECRET_BYTES];
}
