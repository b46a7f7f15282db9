//! Running the program in an empty directory and an empty environment.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;

/// Numbers the files for standard error: several programs may share a directory.
static SPAWNED: AtomicU32 = AtomicU32::new(0);

/// A start about to happen.
pub(crate) struct Program {
    command: Command,
    directory: Rc<TempDir>,
}

impl Program {
    pub(crate) fn new() -> Self {
        Self::in_directory(&Rc::new(TempDir::new().unwrap()))
    }

    /// In a directory where it, or another, has been before.
    pub(crate) fn in_directory(directory: &Rc<TempDir>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mcp-oauth-server"));
        command.current_dir(directory.path()).env_clear().stdin(Stdio::null());
        Self { command, directory: Rc::clone(directory) }
    }

    pub(crate) fn directory(&self) -> &Rc<TempDir> {
        &self.directory
    }

    /// Puts a file into the directory.
    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        fs::write(self.directory.path().join(name), content).unwrap();
        self
    }

    /// Puts a configuration file there and names it.
    pub(crate) fn config(self, content: &str) -> Self {
        self.file("server.toml", content).flags(&["--config", "server.toml"])
    }

    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        self.command.args(flags);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it to its end.
    pub(crate) fn output(mut self) -> Output {
        self.command.output().unwrap()
    }

    /// Runs it, and returns why it did not start.
    pub(crate) fn refusal(self) -> String {
        let mut running = self.spawn();
        let mut printed = String::new();
        running.stdout.read_line(&mut printed).unwrap();
        assert_eq!(printed, "", "it started");
        let (status, explanation) = running.end();
        assert_eq!(status.code(), Some(1), "{explanation}");
        explanation
    }

    /// Runs it until it serves.
    pub(crate) fn serve(self) -> Running {
        let mut running = self.spawn();
        let mut line = String::new();
        // The last line that is printed before the first request is answered.
        while !line.starts_with("  npx") {
            line.clear();
            let read = running.stdout.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "it did not start: {}", running.log());
            running.banner.push_str(&line);
        }
        running
    }

    /// Like [`Self::serve`], on a free port and with nothing kept.
    pub(crate) fn serve_briefly(self) -> Running {
        self.flags(&["--port", "0", "--store", "memory"]).serve()
    }

    /// Runs a command that goes on until it is told to end.
    pub(crate) fn spawn(mut self) -> Running {
        let number = SPAWNED.fetch_add(1, Ordering::Relaxed);
        let log = self.directory.path().join(format!("stderr-{number}"));
        self.command.stdout(Stdio::piped()).stderr(File::create(&log).unwrap());
        let mut child = self.command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Running { child, stdout, log, banner: String::new(), _directory: self.directory }
    }
}

/// The program while it runs; it is killed with this value.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    log: PathBuf,
    /// What it printed at its start.
    pub(crate) banner: String,
    _directory: Rc<TempDir>,
}

impl Running {
    /// What it has said on standard error so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The port of the addresses it printed.
    pub(crate) fn port(&self) -> u16 {
        let (_, after) = self.banner.split_once("http://localhost:").unwrap();
        after.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    }

    /// The status line, the headers and the body of what it answers to a GET.
    pub(crate) fn get(&self, path: &str) -> String {
        self.get_with("Accept: */*", path)
    }

    /// Like [`Self::get`], with one more header.
    pub(crate) fn get_with(&self, header: &str, path: &str) -> String {
        self.ask("GET", path, &[header], "")
    }

    /// What it answers to a form.
    pub(crate) fn post(&self, path: &str, form: &str) -> String {
        let length = format!("Content-Length: {}", form.len());
        let kind = "Content-Type: application/x-www-form-urlencoded";
        self.ask("POST", path, &[kind, &length], form)
    }

    fn ask(&self, method: &str, path: &str, headers: &[&str], body: &str) -> String {
        let port = self.port();
        let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
        connection.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let line = format!("{method} {path} HTTP/1.1");
        let host = format!("Host: localhost:{port}");
        let head = [&[&*line, &*host, "Connection: close"], headers].concat();
        write!(connection, "{}\r\n\r\n{body}", head.join("\r\n")).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The status of what it answers to a GET.
    pub(crate) fn status(&self, path: &str) -> u16 {
        let answer = self.get(path);
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap()
    }

    /// The next line that it prints, waited for.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// Asks it to end by a signal; returns how it ended and what it had said on standard error.
    pub(crate) fn stop(self, signal: &str) -> (ExitStatus, String) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
        self.end()
    }

    fn end(mut self) -> (ExitStatus, String) {
        (self.child.wait().unwrap(), self.log())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
