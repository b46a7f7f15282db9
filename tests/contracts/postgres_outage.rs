//! A server that goes away: nobody waits for it for ever, nothing is half done, and when it is back
//! so are we.

use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::port::{
    AuditTrail, ClientRegistry, GrantStore, Housekeeping, KeyStore, LoginSessions, RedeemError,
    RegisterError, TokenRevocations,
};
use mcp_oauth_database::{Database, PostgresAddress};
use sqlx::Executor;
use url::Url;

use crate::everything::{contents, fill, token};
use crate::postgres_relay::Relay;
use crate::postgres_schema::PostgresSchema;
use crate::samples::{
    MOST, at, begun, client, code_hash, entry, key, refresh, refresh_hash, session,
};

/// A relay to the server of a schema, and its address by that way.
fn behind_relay(schema: &PostgresSchema) -> (Relay, PostgresAddress) {
    let mut url = Url::parse(&schema.url_with("")).unwrap();
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap_or(5432));
    let relay = Relay::to(format!("{host}:{port}"));
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(relay.port())).unwrap();
    (relay, PostgresAddress::parse(&url.to_string().into()).unwrap())
}

/// Ends every other session in a schema, as a server does that stops, and waits until they have
/// ended.
async fn end_sessions(schema: &PostgresSchema) {
    let mut own = schema.session().await;
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE application_name = $1 AND pid <> pg_backend_pid()";
    while !own.fetch_all(sqlx::query(end).bind(&schema.name)).await.unwrap().is_empty() {}
}

#[tokio::test]
async fn a_server_that_starts_again_is_found_again() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let store = schema.open().await;
    fill(&store).await;
    let before = contents(&store).await;
    end_sessions(&schema).await;
    assert_eq!(contents(&store).await, before);
    end_sessions(&schema).await;
    begun(&store, "later").await;
}

/// With time standing still: it goes on when everybody waits.
#[tokio::test]
async fn a_server_that_is_silent_is_unavailable_for_everything_and_used_again_afterwards() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let (relay, address) = behind_relay(&schema);
    let store = Database::open_postgres(&address).await.unwrap();
    begun(&store, "g").await;
    relay.cut();
    tokio::time::pause();
    let full = store.register(&client("a"), MOST).await;
    assert!(matches!(full, Err(RegisterError::Unavailable(_))), "{full:?}");
    let redeemed = store.redeem_code_once(&code_hash("g"), at(1), None).await;
    assert!(matches!(redeemed, Err(RedeemError::Unavailable(_))), "{redeemed:?}");
    assert!(ClientRegistry::find(&store, &ClientId::new("a")).await.is_err());
    assert!(store.find_code(&code_hash("g")).await.is_err());
    assert!(store.open(&session("s")).await.is_err());
    assert!(store.is_revoked(&token("t")).await.is_err());
    assert!(store.keep_first(key("k")).await.is_err());
    assert!(store.append(&[entry("e", 1)]).await.is_err());
    assert!(store.forget_expired(at(0)).await.is_err());
    tokio::time::resume();
    relay.mend();
    store.redeem_code_once(&code_hash("g"), at(1), None).await.unwrap();
    store.register(&client("a"), MOST).await.unwrap();
}

/// Redeems the code of that name for a refresh token of that name.
async fn redeem(store: Database, name: &'static str, second: i64) -> Result<(), RedeemError> {
    let token = refresh(name, name);
    store.redeem_code_once(&code_hash(name), at(second), Some(token)).await
}

/// From the first statement that changes something to the last one that makes it last.
#[tokio::test]
async fn a_change_that_the_server_does_not_live_to_see_is_undone_as_a_whole() {
    let Some(schema) = PostgresSchema::new().await else { return };
    let (relay, address) = behind_relay(&schema);
    let store = Database::open_postgres(&address).await.unwrap();
    for last_words in ["UPDATE \"codes\"", "INSERT INTO \"refresh_tokens\"", "COMMIT"] {
        begun(&store, last_words).await;
        let cut = relay.cut_at(last_words);
        let redeeming = tokio::spawn(redeem(store.clone(), last_words, 1));
        cut.await;
        tokio::time::pause();
        let redeemed = redeeming.await.unwrap();
        assert!(matches!(redeemed, Err(RedeemError::Unavailable(_))), "{redeemed:?}");
        tokio::time::resume();
        relay.mend();
        assert_eq!(store.find_refresh(&refresh_hash(last_words)).await.unwrap(), None);
        redeem(store.clone(), last_words, 2).await.unwrap();
        let (code, _) = store.find_code(&code_hash(last_words)).await.unwrap().unwrap();
        assert_eq!(code.redeemed_at, Some(at(2)));
    }
}
