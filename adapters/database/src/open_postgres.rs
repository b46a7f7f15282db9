use std::fs::File;
use std::io;
use std::time::Duration;

use sea_orm::{DatabaseConnection, SqlxPostgresConnector};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::bounded::Bounded;
use crate::open::{Database, Opened};
use crate::open_error::OpenError;
use crate::postgres_address::PostgresAddress;
use crate::schema::{self, Migrated};

/// What every session sets for itself, whatever the server, the role and the address say.
///
/// The guards are written for READ COMMITTED, where an `UPDATE` that had to wait looks at the row
/// again; stricter levels refuse it instead. And nothing waits for ever: a statement, a lock, or a
/// transaction whose owner has frozen ends with an error, milliseconds.
const SESSION: [(&str, &str); 4] = [
    ("default_transaction_isolation", "read committed"),
    ("statement_timeout", "10000"),
    ("lock_timeout", "5000"),
    ("idle_in_transaction_session_timeout", "30000"),
];

/// How long a call may wait for a connection before the store counts as unavailable; a server that
/// is starting again is waited for as long.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long a server may say nothing: longer than the wait for a connection, and than anything that
/// it would end itself.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

impl Database {
    /// Opens a PostgreSQL database and brings its schema up to date. Of several processes that do
    /// so at once, one migrates and the others wait for it.
    ///
    /// # Errors
    /// [`OpenError`]; the database is unchanged then.
    pub async fn open_postgres(address: &PostgresAddress) -> Result<Self, OpenError> {
        let (writer, migrated) = connect_and_migrate(address).await?;
        let opened =
            Opened { created: migrated.from_nothing, migrations_applied: migrated.applied.len() };
        Ok(Self { reader: writer.clone(), writer, opened })
    }
}

pub(crate) async fn migrate(address: &PostgresAddress) -> Result<Vec<String>, OpenError> {
    let (writer, migrated) = connect_and_migrate(address).await?;
    close(writer).await;
    Ok(migrated.applied)
}

pub(crate) async fn pending_migrations(
    address: &PostgresAddress,
) -> Result<Vec<String>, OpenError> {
    let reader = connect(address).await?;
    let pending = schema::pending(reader.unbounded()).await;
    close(reader).await;
    pending.map_err(|error| OpenError::server_not_migrated(address, error))
}

async fn connect_and_migrate(
    address: &PostgresAddress,
) -> Result<(Bounded<DatabaseConnection>, Migrated), OpenError> {
    let writer = connect(address).await?;
    match schema::bring_up_to_date(&writer).await {
        Ok(migrated) => Ok((writer, migrated)),
        Err(error) => {
            close(writer).await;
            Err(OpenError::server_not_migrated(address, error))
        }
    }
}

async fn connect(address: &PostgresAddress) -> Result<Bounded<DatabaseConnection>, OpenError> {
    let options = session_options(address);
    try_to_connect(address, &options).await?;
    let pool = PgPoolOptions::new()
        .max_connections(address.connections())
        .acquire_timeout(LONGEST_WAIT)
        .connect_lazy_with(options);
    let pool = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    Ok(Bounded::new(pool, Some(LONGEST_SILENCE)))
}

/// What was asked for is done by now, or failed, so a server that does not say goodbye is no failure.
async fn close(connections: Bounded<DatabaseConnection>) {
    let _ = connections.close().await;
}

fn session_options(address: &PostgresAddress) -> PgConnectOptions {
    address.options().clone().options(SESSION).disable_statement_logging()
}

/// The pool would try again and again, and in the end say no more than that time is up.
async fn try_to_connect(
    address: &PostgresAddress,
    options: &PgConnectOptions,
) -> Result<(), OpenError> {
    for path in address.files() {
        File::open(path).map_err(|source| {
            let (database, path) = (address.to_string(), path.to_owned());
            OpenError::UnreadableFile { database, path, source }
        })?;
    }
    let encoding = tokio::time::timeout(LONGEST_WAIT, encoding_of(options)).await;
    let database = address.to_string();
    match encoding {
        Ok(Ok(encoding)) if encoding == "UTF8" => Ok(()),
        Ok(Ok(encoding)) => Err(OpenError::WrongEncoding { database, encoding }),
        Ok(Err(error)) => Err(OpenError::not_connected(address, error)),
        Err(_) => {
            let source = io::Error::new(io::ErrorKind::TimedOut, "no answer");
            Err(OpenError::Unreachable { database, source })
        }
    }
}

/// In what the database keeps texts: names can have any character there is.
async fn encoding_of(options: &PgConnectOptions) -> Result<String, sqlx::Error> {
    let mut session = options.connect().await?;
    let encoding = sqlx::query_scalar("SHOW server_encoding").fetch_one(&mut session).await?;
    session.close().await?;
    Ok(encoding)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::thread;

    use sqlx::Row;

    use super::*;
    use crate::postgres_schema::PostgresSchema;

    const PASSWORD: &str = "7734001";

    fn address_at(server: SocketAddr) -> PostgresAddress {
        let url = format!("postgres://bob:{PASSWORD}@{server}/mcp?sslmode=disable");
        PostgresAddress::parse(&url.into()).unwrap()
    }

    /// A server that answers the first message of one client with this error.
    fn server_that_says(code: &'static str, message: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let _ = client.read(&mut [0; 1024]).unwrap();
            let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
            let length = u32::try_from(fields.len() + 4).unwrap();
            client
                .write_all(&[b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat())
                .unwrap();
        });
        server
    }

    async fn refusal(server: SocketAddr) -> OpenError {
        let opened = Database::open_postgres(&address_at(server)).await;
        let error = opened.err().expect("there is no such database");
        for told in [error.to_string(), format!("{error:?}")] {
            assert!(told.contains(&format!("mcp on {server}")), "{told}");
            assert!(!told.contains(PASSWORD), "{told}");
        }
        error
    }

    #[tokio::test]
    async fn a_wrong_password_is_said_to_be_one() {
        let message = "password authentication failed for user \"bob\"";
        let error = refusal(server_that_says("28P01", message)).await;
        assert!(matches!(error, OpenError::NotAdmitted { .. }), "{error:?}");
        assert!(error.to_string().contains(message), "{error}");
    }

    #[tokio::test]
    async fn a_database_that_is_not_there_is_said_to_be_missing() {
        let error = refusal(server_that_says("3D000", "database \"mcp\" does not exist")).await;
        assert!(matches!(error, OpenError::NoDatabase { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn any_other_refusal_is_told_as_the_server_words_it() {
        let error = refusal(server_that_says("57P03", "the database system is starting up")).await;
        assert!(matches!(error, OpenError::UnusableServer { .. }), "{error:?}");
        assert!(error.to_string().contains("the database system is starting up"), "{error}");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_out_of_reach() {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = refusal(nobody).await;
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_says_nothing_is_out_of_reach_after_a_while() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let error = refusal(silent.local_addr().unwrap()).await;
        assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
        assert!(error.to_string().contains("no answer"), "{error}");
    }

    #[tokio::test]
    async fn tls_that_is_demanded_and_not_offered_is_missed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            let _ = client.read(&mut [0; 1024]).unwrap();
            client.write_all(b"N").unwrap();
        });
        let url = format!("postgres://bob:{PASSWORD}@{server}/mcp?sslmode=require");
        let address = PostgresAddress::parse(&url.into()).unwrap();
        let error = Database::open_postgres(&address).await.err().unwrap();
        assert!(matches!(error, OpenError::NoTls { .. }), "{error:?}");
        assert!(!error.to_string().contains(PASSWORD), "{error}");
    }

    #[tokio::test]
    async fn a_session_waits_for_nothing_for_ever_whatever_the_address_says() {
        let Some(schema) = PostgresSchema::new().await else { return };
        let lax = " -c statement_timeout=0 -c default_transaction_isolation=serializable";
        let mut session = session_options(&schema.address(lax)).connect().await.unwrap();
        for (setting, expected) in [
            ("default_transaction_isolation", "read committed"),
            ("statement_timeout", "10s"),
            ("lock_timeout", "5s"),
            ("idle_in_transaction_session_timeout", "30s"),
        ] {
            let query = sqlx::query("SELECT current_setting($1)").bind(setting);
            let row = query.fetch_one(&mut session).await.unwrap();
            assert_eq!(row.get::<String, _>(0), expected, "{setting}");
        }
    }
}
