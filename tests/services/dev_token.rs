//! Test tokens: signed for whoever asks, and therefore only on loopback.

use std::time::Duration;

use mcp_oauth_core::domain::parameters::Parameters;
use mcp_oauth_core::service::dev_token::DevTokenError;
use mcp_oauth_core::service::refusal::Refusal;

use crate::samples::{INSIDE, SIGNED, alice, at, keys_unavailable, scope};
use crate::world::{Stage, World, row};

fn on_loopback() -> World {
    World { base_url: "http://localhost:8000", ..World::new() }
}

/// Asks for a test token; returns its `jti` and its life.
async fn issue(stage: &Stage, parameters: &str) -> Result<(String, Duration), DevTokenError> {
    let parameters = Parameters::parse(parameters.as_bytes()).unwrap();
    let dev_token = stage.use_cases.dev_token.as_ref().expect("test tokens on loopback");
    let token = dev_token.issue(&parameters).await?;
    Ok((token.token_id.clone(), token.expires_in))
}

#[test]
fn co_06_there_are_no_test_tokens_beyond_loopback() {
    assert!(World::new().open().use_cases.dev_token.is_none());
    assert!(on_loopback().open().use_cases.dev_token.is_some());
}

#[tokio::test]
async fn a_test_token_is_for_the_first_dev_user_and_recorded_by_its_id() {
    let mut world = on_loopback();
    let sign = world.keys.expect_sign().times(1).withf(|claims| {
        assert_eq!((&claims.person, claims.client.as_str()), (&alice(), "dev-token"));
        assert_eq!(claims.audience, "http://localhost:8000/mcp");
        assert_eq!((&claims.scope, claims.expires_at), (&scope("mcp:tools"), at(3600)));
        true
    });
    sign.return_once(|_| Ok(SIGNED.to_owned()));
    let stage = world.open();
    let (token_id, lifetime) = issue(&stage, "").await.unwrap();
    assert_eq!(lifetime, Duration::from_secs(3600));
    assert_eq!(stage.decisions(), ["dev_token_issued"]);
    assert_eq!(stage.only_event().token, Some(token_id));
}

#[tokio::test]
async fn a_test_token_can_be_for_anybody_and_anything() {
    let mut world = on_loopback();
    let sign = world.keys.expect_sign().times(1).withf(|claims| {
        assert_eq!((claims.person.subject.as_str(), &claims.person.name), ("bob", &None));
        assert_eq!(claims.audience, "https://other.example");
        assert_eq!((&claims.scope, claims.expires_at), (&scope("a b"), at(5)));
        true
    });
    sign.return_once(|_| Ok(SIGNED.to_owned()));
    let asked = "sub=bob&audience=https://other.example&scope=a+b&expires_in=5";
    issue(&world.open(), asked).await.unwrap();
}

#[tokio::test]
async fn a_refused_test_token_signs_nothing() {
    let refusals = [
        ("expires_in=0", "invalid_request", "dev_token_lifetime"),
        ("expires_in=2592001", "invalid_request", "dev_token_lifetime"),
        ("expires_in=-1", "invalid_request", "dev_token_lifetime"),
        ("expires_in=soon", "invalid_request", "dev_token_lifetime"),
        ("scope=%22", "invalid_scope", "dev_token_scope"),
        ("sub=a&sub=b", "invalid_request", "dev_token_parameters"),
    ];
    for (parameters, code, audited) in refusals {
        let stage = on_loopback().open();
        let error = issue(&stage, parameters).await.unwrap_err();
        assert_eq!(row(Refusal::DevToken(&error)), (400, code, audited), "{parameters}");
        assert_eq!(stage.decisions(), [audited]);
    }
}

#[tokio::test]
async fn without_a_key_there_is_no_test_token_and_none_is_recorded() {
    let mut world = on_loopback();
    world.keys.expect_sign().times(1).return_once(|_| Err(keys_unavailable()));
    let stage = world.open();
    let error = issue(&stage, "").await.unwrap_err();
    let expected = (503, "temporarily_unavailable", "keys_unavailable");
    assert_eq!(row(Refusal::DevToken(&error)), expected);
    assert!(!Refusal::DevToken(&error).public_text().contains(INSIDE));
    assert_eq!(stage.decisions(), ["keys_unavailable"]);
}
