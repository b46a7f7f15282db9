//! What only a store with a server can promise: processes share it, what is acknowledged survives
//! them, and a database that can't be used is refused with a reason.

use mcp_oauth_core::port::KeyStore;
use mcp_oauth_database::{
    Database, DatabaseAddress, OpenError, Opened, PostgresAddress, migrate, pending_migrations,
};
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::everything::{MIGRATIONS, contents, fill};
use crate::postgres_schema::PostgresSchema;
use crate::samples::{key, rotated};
use crate::stores::race;

#[tokio::test]
async fn rg_10_a_server_keeps_everything_for_the_next_process() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let store = schema.open().await;
    fill(&store).await;
    let before = contents(&store).await;
    store.close().await.unwrap();
    let store = schema.open().await;
    assert_eq!(store.opened(), Opened { created: false, migrations_applied: 0 });
    assert_eq!(contents(&store).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_processes_that_start_at_once_one_migrates() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let openings: Vec<_> = (0..8)
        .map(|_| schema.address("").with_connections(2))
        .map(|address| tokio::spawn(async move { Database::open_postgres(&address).await }))
        .collect();
    let mut opened = Vec::new();
    for opening in openings {
        opened.push(opening.await.unwrap().unwrap().opened());
    }
    assert_eq!(opened.iter().filter(|opened| opened.created).count(), 1);
    assert_eq!(opened.iter().map(|opened| opened.migrations_applied).sum::<usize>(), MIGRATIONS);
}

#[tokio::test]
async fn a_database_is_migrated_once_by_itself_and_then_up_to_date() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let address = DatabaseAddress::Postgres(schema.address(""));
    let pending = pending_migrations(&address).await.unwrap();
    assert!(!pending.is_empty());
    assert_eq!(pending_migrations(&address).await.unwrap(), pending, "asking changes nothing");
    assert_eq!(migrate(&address).await.unwrap(), pending);
    assert!(pending_migrations(&address).await.unwrap().is_empty());
    assert!(migrate(&address).await.unwrap().is_empty());
    let opened = schema.open().await.opened();
    assert_eq!(opened, Opened { created: false, migrations_applied: 0 });
}

/// Lets `pg_monitor` do something here: a role that every server has.
fn permit(schema: &PostgresSchema, what: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!("GRANT {what} {} TO pg_monitor", schema.name))
}

#[tokio::test]
async fn a_user_who_may_not_create_tables_is_told_so_and_may_serve_all_the_same() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let as_other = " -c role=pg_monitor";
    let mut owner = schema.session().await;
    owner.execute(permit(&schema, "USAGE ON SCHEMA")).await.unwrap();
    let error = schema.try_open(as_other).await.err().expect("it may not");
    assert!(matches!(error, OpenError::NotPermitted { .. }), "{error:?}");
    assert!(error.to_string().contains("permission denied for schema"), "{error}");
    assert!(error.remedy().contains("GRANT USAGE, CREATE ON SCHEMA"), "{error:?}");
    schema.open().await;
    let rights = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA";
    owner.execute(permit(&schema, rights)).await.unwrap();
    owner.execute(permit(&schema, "USAGE ON ALL SEQUENCES IN SCHEMA")).await.unwrap();
    fill(&schema.try_open(as_other).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_share_a_database_agree() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let stores = [schema.open().await, schema.open().await, schema.open().await];
    let kept = race(|number| {
        let store = stores[number % stores.len()].clone();
        let id = number.to_string();
        async move {
            rotated(&store, &id, &format!("{id} rotated")).await;
            store.keep_first(key(&id)).await.unwrap().key_id
        }
    })
    .await;
    assert!(kept.iter().all(|id| *id == kept[0]), "{kept:?}");
}

#[tokio::test]
async fn a_newer_schema_is_refused_by_name() {
    let Some(schema) = PostgresSchema::new().await else { return };
    schema.open().await.close().await.unwrap();
    let future = "INSERT INTO seaql_migrations VALUES ('m29991231_000001_flying_cars', 0)";
    schema.session().await.execute(future).await.unwrap();
    let error = schema.try_open("").await.err().expect("it is newer");
    assert!(matches!(error, OpenError::NewerSchema { .. }), "{error:?}");
    assert!(error.to_string().contains("m29991231_000001_flying_cars"), "{error}");
}

#[tokio::test]
async fn a_database_that_cannot_keep_every_name_is_refused() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let mut session = schema.session().await;
    let name = format!("{}_latin1", schema.name);
    let make = "ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
    session.execute(AssertSqlSafe(format!("CREATE DATABASE {name} {make}"))).await.unwrap();
    let url = format!("{}&dbname={name}", schema.url_with(""));
    let address = PostgresAddress::parse(&url.into()).unwrap();
    let error = Database::open_postgres(&address).await.err();
    session.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
    let error = error.expect("it has no emoji");
    assert!(matches!(error, OpenError::WrongEncoding { .. }), "{error:?}");
    assert!(error.to_string().contains("LATIN1") && error.remedy().contains("UTF8"), "{error}");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let mut session = schema.session().await;
    session.execute("CREATE TABLE signing_keys (of text)").await.unwrap();
    let error = schema.try_open("").await.err().expect("a table is in the way");
    assert!(matches!(error, OpenError::UnusableServer { .. }), "{error:?}");
    assert!(error.to_string().contains("signing_keys"), "{error}");
    let tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()";
    let tables = session.fetch_all(tables).await.unwrap();
    let tables: Vec<String> = tables.iter().map(|row| row.get(0)).collect();
    assert_eq!(tables, ["signing_keys"]);
}

/// Whoever migrates may be another role than whoever serves.
#[tokio::test]
async fn a_schema_that_is_up_to_date_is_opened_without_changing_it() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let read_only = " -c default_transaction_read_only=on";
    let error = schema.try_open(read_only).await.err().expect("there are no tables");
    assert!(matches!(error, OpenError::UnusableServer { .. }), "{error:?}");
    assert!(error.to_string().contains("read-only"), "{error}");
    schema.open().await;
    schema.try_open(read_only).await.unwrap();
}

/// Columns that rows are found by, and what language's rules order them: an update of the system
/// may change any but "C".
#[tokio::test]
async fn every_index_is_in_the_order_of_bytes() {
    let Some(schema) = PostgresSchema::new().await else { return };
    schema.open().await;
    let indexed = "SELECT a.attrelid::regclass::text, a.attname::text, c.collname::text \
        FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid \
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY(i.indkey) \
        JOIN pg_collation c ON c.oid = a.attcollation \
        WHERE t.relnamespace = current_schema()::regnamespace AND t.relname <> 'seaql_migrations'";
    let rows = schema.session().await.fetch_all(indexed).await.unwrap();
    assert!(rows.len() >= 8, "{}", rows.len());
    for row in rows {
        let [table, column, collation] = [0, 1, 2].map(|index| row.get::<String, _>(index));
        assert_eq!(collation, "C", "{table}.{column}");
    }
}
