//! An upstream server that is a process of ours: started, its errors logged, and nothing of it left
//! behind.

use std::env;
use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use rmcp::RoleClient;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use secrecy::ExposeSecret;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::time::Instant;

use super::config::Program;

/// What a process sees of our environment; none of it is a secret.
#[cfg(unix)]
const INHERITED: [&str; 12] = [
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "XDG_CACHE_HOME",
];
#[cfg(not(unix))]
const INHERITED: [&str; 14] = [
    "APPDATA",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "PATH",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERNAME",
    "USERPROFILE",
];

/// Bytes of a line of its errors that are logged.
const MOST_LINE: u64 = 4096;

/// How long it may take to end once its input has, and again once it was asked to (MCP, stdio,
/// shutdown).
const GRACE: Duration = Duration::from_secs(3);

/// How long what it wrote is read after it ended.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// POSIX, `signal.h`.
#[cfg(unix)]
const SIGTERM: i32 = 15;

/// A process, spoken to through its standard input and output.
pub(super) struct Process {
    child: Box<dyn ChildWrapper>,
    lines: AsyncRwTransport<RoleClient, ChildStdout, ChildStdin>,
    last_words: Option<Instant>,
    ended: bool,
}

impl Transport<RoleClient> for Process {
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.lines.send(item)
    }

    /// Until the process ends, even when something it started still holds its output open.
    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        if self.last_words.is_none() {
            tokio::select! {
                biased;
                message = self.lines.receive() => return message,
                _ = self.child.inner_mut().wait() => {
                    self.last_words = Some(Instant::now() + LAST_WORDS);
                }
            }
        }
        tokio::time::timeout_at(self.last_words?, self.lines.receive()).await.ok().flatten()
    }

    /// Ends its input, then asks it to end, then kills it; and kills what it started and left.
    async fn close(&mut self) -> Result<(), Self::Error> {
        if self.ended {
            return Ok(());
        }
        let _ = self.lines.close().await;
        let mut gone = tokio::time::timeout(GRACE, self.child.inner_mut().wait()).await.is_ok();
        #[cfg(unix)]
        if !gone && self.child.signal(SIGTERM).is_ok() {
            gone = tokio::time::timeout(GRACE, self.child.inner_mut().wait()).await.is_ok();
        }
        // Fails when nothing is left.
        let killed = self.child.start_kill();
        self.ended = true;
        if !gone {
            killed?;
            self.child.inner_mut().wait().await?;
        }
        Ok(())
    }
}

/// When there was no time to close it.
impl Drop for Process {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.child.start_kill();
        }
    }
}

/// Starts the process.
pub(super) fn start(program: &Program, name: &Arc<str>) -> io::Result<Process> {
    let mut command = Command::new(&program.program);
    command.args(&program.arguments).env_clear();
    for variable in INHERITED {
        if let Some(value) = env::var_os(variable) {
            command.env(variable, value);
        }
    }
    for (variable, value) in &program.environment {
        command.env(variable, value.expose_secret());
    }
    if let Some(directory) = &program.directory {
        command.current_dir(directory);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut command = CommandWrap::from(command);
    command.wrap(KillOnDrop);
    // Ctrl-C in a terminal is for us, and what it starts ends with it.
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessGroup::leader());
    let mut child = command.spawn()?;
    let (input, output) = child.stdin().take().zip(child.stdout().take()).ok_or_else(no_pipe)?;
    if let Some(errors) = child.stderr().take() {
        tokio::spawn(log_lines(errors, Arc::clone(name)));
    }
    let lines = AsyncRwTransport::new_client(output, input);
    Ok(Process { child, lines, last_words: None, ended: false })
}

fn no_pipe() -> io::Error {
    io::Error::other("it has no standard input and output")
}

/// Logs each line at level `debug`, its beginning if it is long.
async fn log_lines(errors: impl AsyncRead + Unpin, name: Arc<str>) {
    let mut errors = BufReader::new(errors);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut errors).take(MOST_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line);
                let text = text.trim_end();
                if !text.is_empty() {
                    tracing::debug!(upstream = &*name, "it wrote to stderr: {text:?}");
                }
            }
        }
    }
}
