//! A schema of its own for each test, in the database that `TEST_POSTGRES_URL` names.

use std::io::Write;
use std::sync::Once;

use mcp_oauth_database::{Database, OpenError, PostgresAddress};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Tests that may have a store at once: a server allows for a hundred connections as a rule, and a
/// store has ten.
static TURNS: Semaphore = Semaphore::const_new(5);

/// What a crashed run left behind for an hour; the server's clock made the names.
const LEFT_BEHIND: &str = "SELECT nspname FROM pg_namespace \
    WHERE nspname ~ '^mcp_oauth_test_[0-9]+_[0-9]+$' \
    AND split_part(nspname, '_', 4)::bigint < extract(epoch FROM now()) - 3600";

/// A name that nobody else has: the time and a number of this server's own.
const NEW_NAME: &str = "SELECT format('mcp_oauth_test_%s_%s', \
    extract(epoch FROM now())::bigint, pg_current_xact_id())";

/// An empty schema, dropped with this value.
pub(crate) struct PostgresSchema {
    url: String,
    pub(crate) name: String,
    _turn: SemaphorePermit<'static>,
}

impl PostgresSchema {
    /// `None`, and a line about it, when there is no server to test with.
    pub(crate) async fn new() -> Option<Self> {
        let Ok(mut url) = std::env::var("TEST_POSTGRES_URL") else {
            tell_of_skipping();
            return None;
        };
        // Unless it is wanted: a handshake takes an unoptimised build longer than most tests.
        if !url.contains("sslmode") {
            url = with_parameter(&url, "sslmode=disable");
        }
        let turn = TURNS.acquire().await.unwrap();
        let mut server = PgConnection::connect(&url).await.expect("TEST_POSTGRES_URL is wrong");
        for row in server.fetch_all(LEFT_BEHIND).await.unwrap() {
            // Somebody else may be dropping it as well.
            let _ = server.execute(AssertSqlSafe(drop_schema(row.get(0)))).await;
        }
        let name: String = server.fetch_one(NEW_NAME).await.unwrap().get(0);
        server.execute(AssertSqlSafe(format!("CREATE SCHEMA {name}"))).await.unwrap();
        Some(Self { url, name, _turn: turn })
    }

    pub(crate) async fn open(&self) -> Database {
        self.try_open("").await.unwrap()
    }

    /// Opens it with more session settings, e.g. ` -c work_mem=1MB`.
    pub(crate) async fn try_open(&self, settings: &str) -> Result<Database, OpenError> {
        Database::open_postgres(&self.address(settings)).await
    }

    /// Where it is, with more session settings.
    pub(crate) fn address(&self, settings: &str) -> PostgresAddress {
        PostgresAddress::parse(&self.url_with(settings).into()).unwrap()
    }

    /// A session of somebody else in this schema.
    pub(crate) async fn session(&self) -> PgConnection {
        PgConnection::connect(&self.url_with("")).await.unwrap()
    }

    pub(crate) fn url_with(&self, settings: &str) -> String {
        // Nothing here has to survive a power cut, and each commit would wait for the disk.
        let session = "-c synchronous_commit=off -c search_path";
        let options = format!("options={session}={}{settings}", self.name);
        let url = with_parameter(&self.url, &options.replace(' ', "%20"));
        with_parameter(&url, &format!("application_name={}", self.name))
    }
}

impl Drop for PostgresSchema {
    /// In a thread of its own, since the test may be panicking in its runtime.
    fn drop(&mut self) {
        let (url, name) = (self.url.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move {
                let mut server = PgConnection::connect(&url).await.unwrap();
                server.execute(AssertSqlSafe(drop_schema(&name))).await.unwrap();
            });
        });
        assert!(dropping.join().is_ok() || std::thread::panicking(), "{} is left", self.name);
    }
}

fn with_parameter(url: &str, parameter: &str) -> String {
    format!("{url}{}{parameter}", if url.contains('?') { '&' } else { '?' })
}

fn drop_schema(name: &str) -> String {
    format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS {name} CASCADE")
}

fn tell_of_skipping() {
    static ONCE: Once = Once::new();
    // Not by eprintln!, whose lines the test harness swallows.
    ONCE.call_once(|| {
        let line = b"\nNOT RUN: every test on PostgreSQL, since TEST_POSTGRES_URL is not set\n";
        std::io::stderr().write_all(line).unwrap();
    });
}
