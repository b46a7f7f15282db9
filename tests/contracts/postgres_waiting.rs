//! Who waits for whom on PostgreSQL, where writers don't queue: for a turn, for rows in one order, or
//! not at all.

use std::sync::Arc;

use mcp_oauth_core::domain::grant::GrantSelection;
use mcp_oauth_core::port::{
    AuditTrail, ClientRegistry, ConsentMemory, GrantDirectory, GrantStore, Housekeeping, KeyStore,
    UnusedClients,
};
use mcp_oauth_database::Database;
use sqlx::{Executor, PgConnection, Row};

use crate::postgres_schema::PostgresSchema;
use crate::samples::{MOST, at, begun, client, code_hash, consent, entry, grant, key, refresh};

/// A transaction of somebody else that has done this.
async fn holding(schema: &PostgresSchema, what: &'static str) -> PgConnection {
    let mut session = schema.session().await;
    session.execute("BEGIN").await.unwrap();
    session.execute(what).await.unwrap();
    session
}

/// What the sessions in the schema wait for, once so many of them wait for somebody.
async fn waiting(schema: &PostgresSchema, sessions: usize) -> Vec<String> {
    let mut watching = schema.session().await;
    let waiting = "SELECT wait_event FROM pg_stat_activity \
        WHERE application_name = $1 AND wait_event_type = 'Lock' ORDER BY wait_event";
    loop {
        let query = sqlx::query(waiting).bind(&schema.name);
        let waiting = watching.fetch_all(query).await.unwrap();
        if waiting.len() >= sessions {
            return waiting.iter().map(|row| row.get(0)).collect();
        }
    }
}

/// Calls something twice while a table of it is taken: the first has its turn and waits for the
/// table, the second waits for its turn.
async fn takes_turns<F>(schema: &PostgresSchema, call: impl Fn(Arc<Database>, usize) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    const TABLES: &str = "LOCK TABLE clients, signing_keys, audit_entries, login_sessions";
    let store = Arc::new(schema.open().await);
    let mut other = holding(schema, TABLES).await;
    let calls = [1, 2].map(|number| tokio::spawn(call(Arc::clone(&store), number)));
    assert_eq!(waiting(schema, 2).await, ["advisory", "relation"]);
    other.execute("ROLLBACK").await.unwrap();
    for call in calls {
        call.await.unwrap();
    }
}

#[tokio::test]
async fn whatever_counts_or_numbers_or_tidies_up_is_done_one_after_another() {
    let Some(schema) = PostgresSchema::new().await else { return };
    schema.open().await.keep_first(key("first")).await.unwrap();
    takes_turns(&schema, |store, number| async move {
        store.register(&client(&number.to_string()), MOST).await.unwrap();
    })
    .await;
    takes_turns(&schema, |store, number| async move {
        store.add_after("first", key(&number.to_string())).await.unwrap();
    })
    .await;
    takes_turns(&schema, |store, _| async move {
        store.forget(&["first".to_owned()]).await.unwrap();
    })
    .await;
    takes_turns(&schema, |store, _| async move {
        store.append(&[entry("entry", 1)]).await.unwrap();
    })
    .await;
    takes_turns(&schema, |store, _| async move {
        store.forget_entries(at(0), 1).await.unwrap();
    })
    .await;
    takes_turns(&schema, |store, _| async move {
        store.forget_expired(at(0)).await.unwrap();
    })
    .await;
    takes_turns(&schema, |store, _| async move {
        let unused = UnusedClients { never_since: at(0), last_before: at(0) };
        store.forget_clients(unused).await.unwrap();
    })
    .await;
}

/// Two that want the same rows in different orders would each wait for the other.
#[tokio::test]
async fn rows_are_waited_for_in_the_order_of_their_keys() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let store = schema.open().await;
    for id in ["b", "a"] {
        store.begin_without_code(&grant(id)).await.unwrap();
        store.remember(&consent(id, "client")).await.unwrap();
    }
    let everything = GrantSelection::default();
    let mut other = holding(&schema, "SELECT FROM grants WHERE id = 'a' FOR UPDATE").await;
    let revoking = store.revoke_all(&everything, at(1));
    let (revoked, ()) = tokio::join!(revoking, async {
        waiting(&schema, 1).await;
        let next = "SELECT FROM grants WHERE id = 'b' FOR UPDATE NOWAIT";
        other.execute(next).await.expect("whoever waits for a does not hold b");
        other.execute("ROLLBACK").await.unwrap();
    });
    assert_eq!(revoked.unwrap(), 2);
    let mut other = holding(&schema, "SELECT FROM consents WHERE subject = 'a' FOR UPDATE").await;
    let forgetting = store.forget_consents(&everything);
    let (forgotten, ()) = tokio::join!(forgetting, async {
        waiting(&schema, 1).await;
        let next = "SELECT FROM consents WHERE subject = 'b' FOR UPDATE NOWAIT";
        other.execute(next).await.expect("whoever waits for a does not hold b");
        other.execute("ROLLBACK").await.unwrap();
    });
    assert_eq!(forgotten.unwrap(), 2);
}

#[tokio::test]
async fn housekeeping_leaves_what_an_exchange_holds_for_the_next_run() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let store = schema.open().await;
    begun(&store, "idle").await;
    begun(&store, "busy").await;
    let mut exchange =
        holding(&schema, "SELECT FROM codes WHERE grant_id = 'busy' FOR UPDATE").await;
    let gone = tokio::select! {
        gone = store.forget_expired(at(100)) => gone.unwrap(),
        waits = waiting(&schema, 1) => panic!("it waits for a {waits:?}"),
    };
    assert_eq!(gone, 2, "the idle code and its grant");
    exchange.execute("ROLLBACK").await.unwrap();
    let token = refresh("r", "busy");
    store.redeem_code_once(&code_hash("busy"), at(1), Some(token)).await.unwrap();
    assert_eq!(store.forget_expired(at(2000)).await.unwrap(), 3, "code, token, grant");
}
