//! Containing a catalog: it may panic and it may never end, and neither may reach other requests.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use thiserror::Error;

/// How a piece of work ended without an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Broken {
    #[error("it panicked")]
    Panicked,
    #[error("it took longer than {} seconds", .0.as_secs_f32())]
    TimedOut(Duration),
}

/// Runs `work` for at most `limit`. State that a panic left half-changed is the catalog's own.
pub(crate) async fn contained<F: Future>(limit: Duration, work: F) -> Result<F::Output, Broken> {
    match tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(_panic)) => Err(Broken::Panicked),
        Err(_elapsed) => Err(Broken::TimedOut(limit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_panics_or_never_ends_is_contained() {
        let limit = Duration::from_millis(1500);
        assert_eq!(contained(limit, async { 7 }).await, Ok(7));
        let panicking = async { panic!("a bug in a tool") };
        assert_eq!(contained::<_>(limit, panicking).await, Err::<(), _>(Broken::Panicked));
        let endless = std::future::pending::<()>();
        let broken = contained(limit, endless).await.unwrap_err();
        assert_eq!(broken.to_string(), "it took longer than 1.5 seconds");
    }
}
