//! Readiness: everything a request depends on is asked, and nothing is changed.

use mcp_oauth_core::port::JwkSet;
use mcp_oauth_core::service::readiness::NotReady;

use crate::samples::{keys_unavailable, provider_unavailable, store_unavailable};
use crate::world::World;

#[tokio::test]
async fn a_server_is_ready_when_store_and_keys_answer() {
    let mut world = World::new();
    world.clients.expect_find().times(1).return_once(|_| Ok(None));
    world.keys.expect_published().times(1).return_once(|| Ok(JwkSet { keys: Vec::new() }));
    world.open().use_cases.readiness.check().await.unwrap();
}

#[tokio::test]
async fn an_unavailable_store_is_not_ready() {
    let mut world = World::new();
    world.clients.expect_find().times(1).return_once(|_| Err(store_unavailable()));
    let checked = world.open().use_cases.readiness.check().await;
    assert!(matches!(checked, Err(NotReady::Store(_))), "{checked:?}");
}

#[tokio::test]
async fn unavailable_keys_are_not_ready() {
    let mut world = World::new();
    world.clients.expect_find().times(1).return_once(|_| Ok(None));
    world.keys.expect_published().times(1).return_once(|| Err(keys_unavailable()));
    let checked = world.open().use_cases.readiness.check().await;
    assert!(matches!(checked, Err(NotReady::Keys(_))), "{checked:?}");
}

#[tokio::test]
async fn where_providers_issue_the_tokens_being_able_to_verify_them_is_all() {
    let mut world = World::new().of_providers();
    world.provider_metadata.expect_can_verify().times(1).return_once(|| Ok(()));
    world.open().use_cases.readiness.check().await.unwrap();
}

#[tokio::test]
async fn who_can_verify_no_token_of_any_provider_is_not_ready() {
    let mut world = World::new().of_providers();
    world
        .provider_metadata
        .expect_can_verify()
        .times(1)
        .return_once(|| Err(provider_unavailable()));
    let checked = world.open().use_cases.readiness.check().await;
    assert!(matches!(checked, Err(NotReady::Providers(_))), "{checked:?}");
}
