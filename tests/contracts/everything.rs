//! One of everything a database can hold.

use mcp_oauth_core::domain::client::ClientId;
use mcp_oauth_core::domain::grant::GrantId;
use mcp_oauth_core::port::{ClientRegistry, GrantStore, KeyStore, LoginSessions};
use mcp_oauth_database::Database;
use secrecy::ExposeSecret;

use crate::samples::{at, client, code_hash, key, refresh_hash, rotated, session, session_hash};

/// One of everything there is.
pub(crate) async fn fill(store: &Database) {
    store.register(&client("c")).await.unwrap();
    store.touch(&ClientId::new("c"), at(3)).await.unwrap();
    store.open(&session("s")).await.unwrap();
    store.keep_first(key("k")).await.unwrap();
    rotated(store, "g", "r2").await;
    store.count_grace_use(&refresh_hash("g"), &refresh_hash("r2"), 9).await.unwrap();
    store.revoke(&GrantId::new("g"), at(4)).await.unwrap();
}

/// Everything there is, as text that can be compared.
pub(crate) async fn contents(store: &Database) -> String {
    let keys: Vec<_> = store.keys().await.unwrap();
    let keys: Vec<_> = keys.iter().map(|key| (key, key.pkcs8.expose_secret())).collect();
    let everything = (
        store.list().await.unwrap(),
        LoginSessions::find(store, &session_hash("s")).await.unwrap(),
        keys,
        store.find_code(&code_hash("g")).await.unwrap(),
        store.find_refresh(&refresh_hash("g")).await.unwrap(),
        store.find_refresh(&refresh_hash("r2")).await.unwrap(),
    );
    format!("{everything:?}")
}
