use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use thiserror::Error;
use url::Url;

/// The parameters that mean something to PostgreSQL's client here.
const PARAMETERS: [&str; 12] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "port",
    "user",
    "password",
    "dbname",
    "application_name",
    "options",
    "statement-cache-capacity",
];

/// Those of them that name a file.
const FILES: [&str; 3] = ["sslrootcert", "sslcert", "sslkey"];

/// Where a PostgreSQL database is, how to get in, and over how many connections. It is printed
/// without the user and the password: `mcp on db.example:5432`.
#[derive(Clone)]
pub struct PostgresAddress {
    options: Box<PgConnectOptions>,
    names_password: bool,
    files: Vec<PathBuf>,
    connections: u32,
}

/// Why a text is no address of a PostgreSQL database. It repeats nothing that may be a password.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidPostgresAddress {
    /// No URL, or another one.
    #[error("it is not postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Malformed,
    /// There is an `@` after the host.
    #[error("a character such as @ : / ? # in the user or the password is not percent-encoded")]
    NotEncoded,
    /// A parameter that would be ignored.
    #[error("it has the unknown parameter {0:?}; there are {known}", known = PARAMETERS.join(", "))]
    UnknownParameter(String),
    /// A misspelled `sslmode` must not end in a connection without TLS.
    #[error("its sslmode is none of disable, allow, prefer, require, verify-ca and verify-full")]
    UnknownSslMode,
}

impl PostgresAddress {
    /// How many connections there may be unless something else is said.
    pub const CONNECTIONS: u32 = 10;

    /// Parses a connection URI as PostgreSQL's own programs take it; `sslmode` decides about TLS.
    /// What it leaves out comes from the variables `PGUSER`, `PGPASSWORD` and so on, the password
    /// also from the file that `PGPASSFILE` names, or `~/.pgpass`.
    ///
    /// # Errors
    /// [`InvalidPostgresAddress`].
    pub fn parse(url: &SecretString) -> Result<Self, InvalidPostgresAddress> {
        let malformed = |_| InvalidPostgresAddress::Malformed;
        let text = url.expose_secret();
        check_encoding(text)?;
        let url = Url::parse(text).map_err(|_| InvalidPostgresAddress::Malformed)?;
        if !matches!(url.scheme(), "postgres" | "postgresql") || url.fragment().is_some() {
            return Err(InvalidPostgresAddress::Malformed);
        }
        for (name, value) in url.query_pairs() {
            check_parameter(&name, &value)?;
        }
        let has = |parameter| url.query_pairs().any(|(name, _)| name == parameter);
        let is_file = |name: &str| FILES.contains(&name);
        let files = url.query_pairs().filter(|(name, _)| is_file(name));
        let files = files.map(|(_, path)| PathBuf::from(path.as_ref())).collect();
        let mut options = PgConnectOptions::from_str(text).map_err(malformed)?;
        if options.get_application_name().is_none() {
            options = options.application_name("mcp-oauth-server");
        }
        Ok(Self {
            options: Box::new(options),
            names_password: url.password().is_some() || has("password"),
            files,
            connections: Self::CONNECTIONS,
        })
    }

    /// Whether the password is part of the address.
    #[must_use]
    pub fn names_password(&self) -> bool {
        self.names_password
    }

    /// The same with this password.
    #[must_use]
    pub fn with_password(mut self, password: &SecretString) -> Self {
        *self.options = self.options.clone().password(password.expose_secret());
        self
    }

    /// The same with at most so many connections at a time; there is at least one.
    #[must_use]
    pub fn with_connections(mut self, most: u32) -> Self {
        self.connections = most.max(1);
        self
    }

    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    pub(crate) fn connections(&self) -> u32 {
        self.connections
    }

    /// The files with certificates and keys that the address names.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }
}

/// A password with a `/` in it would be parsed as a host, a port and a database that ends in
/// `@host`, and would then be printed as such.
fn check_encoding(text: &str) -> Result<(), InvalidPostgresAddress> {
    let (_, rest) = text.split_once("://").ok_or(InvalidPostgresAddress::Malformed)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.matches('@').count() > 1 || rest[authority.len()..].contains('@') {
        return Err(InvalidPostgresAddress::NotEncoded);
    }
    Ok(())
}

fn check_parameter(name: &str, value: &str) -> Result<(), InvalidPostgresAddress> {
    if !PARAMETERS.contains(&name) {
        return Err(InvalidPostgresAddress::UnknownParameter(name.to_owned()));
    }
    if name == "sslmode" && PgSslMode::from_str(value).is_err() {
        return Err(InvalidPostgresAddress::UnknownSslMode);
    }
    Ok(())
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        // As PostgreSQL does, a database that is not named is called like the user.
        let database = options.get_database().unwrap_or(options.get_username());
        match options.get_socket() {
            Some(socket) => write!(f, "{database} on {}", socket.display()),
            None => write!(f, "{database} on {}:{}", options.get_host(), options.get_port()),
        }
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PostgresAddress, InvalidPostgresAddress> {
        PostgresAddress::parse(&SecretString::from(text))
    }

    #[test]
    fn an_address_is_printed_without_the_password() {
        for (text, printed) in [
            ("postgres://bob:pa%2Fss@db.example/mcp", "mcp on db.example:5432"),
            ("postgresql://bob:pass@[::1]:5433/mcp?sslmode=require", "mcp on [::1]:5433"),
            ("postgres://bob@db.example:1/?password=pass&dbname=mcp", "mcp on db.example:1"),
            ("postgres://bob:pass@db.example", "bob on db.example:5432"),
            ("postgres:///mcp?host=/run/postgresql&password=pass", "mcp on /run/postgresql"),
        ] {
            let address = parse(text).unwrap();
            assert_eq!(address.to_string(), printed);
            assert_eq!(format!("{address:?}"), format!("PostgresAddress({printed})"));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        use InvalidPostgresAddress::{Malformed, NotEncoded, UnknownParameter, UnknownSslMode};
        for (text, reason) in [
            ("postgres:secret", Malformed),
            ("mysql://bob:secret@db.example/mcp", Malformed),
            ("postgres://bob:secret@db.example:port/mcp", Malformed),
            ("postgres://bob:secret@db.example/mcp#x", Malformed),
            ("postgres://bob:12/secret@db.example/mcp", NotEncoded),
            ("postgres://bob:12?secret@db.example/mcp", NotEncoded),
            ("postgres://bob:12#secret@db.example/mcp", NotEncoded),
            ("postgres://bob:sec@ret@db.example/mcp", NotEncoded),
            ("postgres://bob:secret@db/mcp?pasword=secret", UnknownParameter("pasword".to_owned())),
            ("postgres://bob:secret@db/mcp?sslmode=secret", UnknownSslMode),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error, reason, "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
