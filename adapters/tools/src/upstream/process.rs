//! An upstream server that is a process of ours: started, its errors logged, and nothing of it left
//! behind.

use std::env;
use std::process::Stdio;
use std::sync::Arc;

use process_wrap::tokio::{CommandWrap, KillOnDrop};
use rmcp::transport::TokioChildProcess;
use secrecy::ExposeSecret;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Command;

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

/// Starts the process. Closing the transport closes its input, then asks it to end, then kills it and
/// whatever it started.
pub(super) fn start(program: &Program, name: &Arc<str>) -> std::io::Result<TokioChildProcess> {
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
    let mut command = CommandWrap::from(command);
    command.wrap(KillOnDrop);
    // Ctrl-C in a terminal is for us, and what it starts ends with it.
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessGroup::leader());
    let (process, errors) = TokioChildProcess::builder(command).stderr(Stdio::piped()).spawn()?;
    if let Some(errors) = errors {
        tokio::spawn(log_lines(errors, Arc::clone(name)));
    }
    Ok(process)
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
