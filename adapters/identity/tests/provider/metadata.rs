//! What is known of the providers whose tokens are accepted.

use mcp_oauth_core::port::ProviderMetadata;
use mcp_oauth_identity::{ProviderConfig, TokenFormat};
use serde_json::json;

use crate::fake_provider::{DISCOVERY, KEYS, Reply};
use crate::world::World;

#[tokio::test]
async fn the_metadata_is_the_providers_own_and_fetched_once() {
    let world = World::new().await;
    world.provider.publishes(json!({ "extra": ["as it is"] }));
    let metadata = world.metadata_of(world.config());
    let asked = (0..20).map(|_| metadata.metadata());
    for document in futures_util::future::join_all(asked).await {
        let document = document.unwrap();
        assert_eq!(document["issuer"], world.provider.issuer);
        assert_eq!(document["extra"], json!(["as it is"]));
    }
    assert_eq!(world.provider.count(DISCOVERY), 1);
}

#[tokio::test]
async fn up_04_metadata_of_another_issuer_is_not_shown() {
    let world = World::new().await;
    world.provider.publishes(json!({ "issuer": "https://other.example" }));
    let unavailable = world.metadata_of(world.config()).metadata().await.unwrap_err();
    assert!(unavailable.reason.contains("to the last character"), "{}", unavailable.reason);
}

#[tokio::test]
async fn tokens_can_be_verified_when_there_are_keys_or_none_are_needed() {
    let world = World::new().await;
    let metadata = world.metadata_of(world.config());
    metadata.can_verify().await.unwrap();
    world.provider.will(KEYS, Reply::Hangup);
    world.pass(3600);
    metadata.can_verify().await.unwrap();
    assert!(world.metadata_of(world.config()).can_verify().await.is_err());
    let opaque = ProviderConfig { token_format: TokenFormat::Opaque, ..world.config() };
    world.metadata_of(opaque).can_verify().await.unwrap();
}
