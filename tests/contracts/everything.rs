//! One of everything a database can hold.

use mcp_oauth_core::domain::access_token::IssuedToken;
use mcp_oauth_core::domain::audit_trail::AuditQuery;
use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::grant::GrantId;
use mcp_oauth_core::port::{
    AuditTrail, ClientRegistry, ConsentMemory, GrantDirectory, GrantStore, KeyStore, LoginSessions,
    McpSessions, PendingLogins, ProviderTokenStore, SessionBounds, TokenRevocations,
};
use mcp_oauth_database::Database;
use secrecy::ExposeSecret;

use crate::samples::{
    MOST, at, client, code_hash, consent, entry, grant, kept_tokens, key, mcp_session,
    mcp_session_hash, pending_login, refresh_hash, rotated, session, session_hash, session_owner,
    state_hash,
};

/// How many migrations make the tables for it.
pub(crate) const MIGRATIONS: usize = 4;

/// One of everything there is.
pub(crate) async fn fill(store: &Database) {
    store.register(&client("c"), MOST).await.unwrap();
    store.touch(&ClientId::new("c"), at(3)).await.unwrap();
    store.open(&session("s")).await.unwrap();
    PendingLogins::begin(store, &pending_login("l")).await.unwrap();
    let bounds = SessionBounds { total: 1, per_owner: 1 };
    store.open_session(&mcp_session("m", "o"), bounds).await.unwrap();
    store.keep_first(key("k")).await.unwrap();
    rotated(store, "g", "r2").await;
    store.count_grace_use(&refresh_hash("g"), &refresh_hash("r2"), 9).await.unwrap();
    store.revoke(&GrantId::new("g"), at(4)).await.unwrap();
    store.begin_without_code(&grant("machine")).await.unwrap();
    store.keep_tokens(&kept_tokens("machine")).await.unwrap();
    store.revoke_token(&token("ended"), at(3600)).await.unwrap();
    store.remember(&consent("subject", "c")).await.unwrap();
    store.append(&[entry("first", 1), entry("second", 2)]).await.unwrap();
}

/// A token of the grant that goes on.
pub(crate) fn token(id: &str) -> IssuedToken {
    IssuedToken { token_id: id.to_owned(), grant: GrantId::new("machine") }
}

/// Everything there is, as text that can be compared.
pub(crate) async fn contents(store: &Database) -> String {
    let keys: Vec<_> = store.keys().await.unwrap();
    let keys: Vec<_> = keys.iter().map(|key| (key, key.private_key.expose_secret())).collect();
    // There is no other way to see it.
    let pending = store.take_once(&state_hash("l")).await.unwrap().unwrap();
    PendingLogins::begin(store, &pending).await.unwrap();
    let tokens = store.find_tokens(&GrantId::new("machine")).await.unwrap();
    let session = store.find_session(&mcp_session_hash("m"), &session_owner("o")).await.unwrap();
    let everything = (
        store.list().await.unwrap(),
        LoginSessions::find(store, &session_hash("s")).await.unwrap(),
        (pending, tokens, session),
        keys,
        store.find_code(&code_hash("g")).await.unwrap(),
        store.find_refresh(&refresh_hash("g")).await.unwrap(),
        store.find_refresh(&refresh_hash("r2")).await.unwrap(),
        store.find_grant(&GrantId::new("machine")).await.unwrap(),
        store.is_revoked(&token("ended")).await.unwrap(),
        store.is_revoked(&token("another")).await.unwrap(),
        store.recall(&consent("subject", "c").key).await.unwrap(),
        store.read(&AuditQuery::default(), 10).await.unwrap(),
    );
    format!("{everything:?}")
}
