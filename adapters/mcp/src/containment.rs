//! Containing a catalog: it may panic, never end, or never stop sending, and none of it may reach
//! other requests.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a catalog may take for what its port promises to be cheap, or to begin at once.
pub(crate) const CHEAP_LIMIT: Duration = Duration::from_secs(10);

/// How a piece of work ended without an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Broken {
    #[error("it panicked")]
    Panicked,
    #[error("it took longer than {} seconds", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("it sent more than one call may")]
    Flooded,
}

/// What ends the work from outside.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// How long it may work.
    pub(crate) limit: Duration,
    /// How many questions are put to the client now: meanwhile it is the client that takes its time.
    pub(crate) asking: watch::Receiver<usize>,
    /// Cancelled when it has sent too much.
    pub(crate) flooded: CancellationToken,
}

/// Runs `work` for at most `limit`. State that a panic left half-changed is the catalog's own.
pub(crate) async fn contained<F: Future>(limit: Duration, work: F) -> Result<F::Output, Broken> {
    match tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(_panic)) => Err(Broken::Panicked),
        Err(_elapsed) => Err(Broken::TimedOut(limit)),
    }
}

/// Runs the work of a call within its bounds.
pub(crate) async fn bounded<F: Future>(bounds: Bounds, work: F) -> Result<F::Output, Broken> {
    let Bounds { limit, asking, flooded } = bounds;
    tokio::select! {
        biased;
        () = flooded.cancelled() => Err(Broken::Flooded),
        outcome = AssertUnwindSafe(work).catch_unwind() => outcome.map_err(|_panic| Broken::Panicked),
        () = run_down(limit, asking) => Err(Broken::TimedOut(limit)),
    }
}

/// Returns after `limit`, not counting the time in which something is asked.
async fn run_down(limit: Duration, mut asking: watch::Receiver<usize>) {
    let mut left = limit;
    loop {
        if *asking.borrow_and_update() > 0 {
            if asking.changed().await.is_err() {
                return;
            }
            continue;
        }
        let since = Instant::now();
        match tokio::time::timeout(left, asking.changed()).await {
            Ok(Ok(())) => left = left.saturating_sub(since.elapsed()),
            // Nothing will be asked any more.
            Ok(Err(_)) => return tokio::time::sleep(left.saturating_sub(since.elapsed())).await,
            Err(_elapsed) => return,
        }
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

    #[tokio::test(start_paused = true)]
    async fn time_in_which_a_person_thinks_does_not_count() {
        let limit = Duration::from_secs(60);
        let (asking, watched) = watch::channel(0);
        let bounds = Bounds { limit, asking: watched, flooded: CancellationToken::new() };
        let began = Instant::now();
        let work = async {
            tokio::time::sleep(Duration::from_secs(40)).await;
            asking.send_replace(1);
            tokio::time::sleep(Duration::from_secs(500)).await;
            asking.send_replace(0);
            std::future::pending::<()>().await;
        };
        assert_eq!(bounded(bounds, work).await, Err(Broken::TimedOut(limit)));
        assert_eq!(began.elapsed(), Duration::from_secs(560));
    }
}
