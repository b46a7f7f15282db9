//! What the operating system asks of this program: to stop, or to read again what can change while it
//! runs.

use std::io;

use tokio::sync::watch;

/// Somebody's ear for requests to read things again; each clone hears every one.
///
/// Requests that come while the last one is still being followed count as one.
#[derive(Clone)]
pub(crate) struct Reloads(watch::Receiver<()>);

impl Reloads {
    /// Ends at the next request; never, where the operating system has none.
    pub(crate) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

/// Hears SIGHUP, from this call on.
///
/// # Errors
/// When the operating system has no room for one more listener.
#[cfg(unix)]
pub(crate) fn asked_to_reload() -> io::Result<Reloads> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    let (tell, told) = watch::channel(());
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP: reading again what can change while the server runs");
            tell.send_replace(());
        }
    });
    Ok(Reloads(told))
}

/// Nobody asks here.
///
/// # Errors
/// None here.
#[cfg(not(unix))]
pub(crate) fn asked_to_reload() -> io::Result<Reloads> {
    Ok(Reloads(watch::channel(()).1))
}

/// Ends when the operating system asks this program to. It is heard from this call on, not from the
/// first poll on: whoever has read the first line that was printed may ask.
///
/// # Errors
/// When the operating system has no room for one more listener.
#[cfg(unix)]
pub(crate) fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let terminal_closes = terminal_closes()?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = terminal_closes => {}
        }
    })
}

/// Ends when the terminal that this program was started in is closed, which is a SIGHUP, too: somebody
/// who closes the window means the program as well.
#[cfg(unix)]
fn terminal_closes() -> io::Result<impl Future<Output = ()>> {
    use std::io::IsTerminal;
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    let had_terminal = io::stdin().is_terminal();
    Ok(async move {
        while hangup.recv().await.is_some() {
            if had_terminal && !io::stdin().is_terminal() {
                return;
            }
        }
        std::future::pending().await
    })
}

/// Ends when somebody asks this program to.
///
/// # Errors
/// None here.
#[cfg(not(unix))]
pub(crate) fn asked_to_stop() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
