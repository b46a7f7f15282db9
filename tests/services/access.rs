//! Authenticating a request: what the verifier is asked, and what its answers become.

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::bearer::Challenge;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::resource::ResourceDocument;
use mcp_oauth_core::domain::secret::BearerToken;
use mcp_oauth_core::service::access::AccessError;
use mcp_oauth_core::service::refusal::Refusal;

use crate::samples::{INSIDE, PROVIDER, RESOURCE, SIGNED, WAIT, store_unavailable, unreachable};
use crate::tools::{caller, caller_of_grant};
use crate::world::{Stage, World, row};

/// The one bearer token of these scenarios.
async fn presented(stage: &Stage) -> Result<(), AccessError> {
    let header = format!("Bearer {SIGNED}");
    stage.use_cases.access.authenticate(&[header.as_bytes()]).await.map(|_| ())
}

/// A world whose verifier says no.
fn refusing(error: VerifyError) -> Stage {
    let mut world = World::new();
    world.verifier.expect_verify().times(1).return_once(|_, _| Err(error));
    world.open()
}

fn challenge(stage: &Stage, error: &AccessError) -> Option<Challenge> {
    let address = stage.use_cases.address.as_asked(None);
    stage.use_cases.access.challenge(error, &address, ResourceDocument::StreamableHttp)
}

#[tokio::test]
async fn rs_05_rs_08_without_credentials_no_verifier_is_asked_and_no_error_is_named() {
    let stage = World::new().open();
    let error = stage.use_cases.access.authenticate(&[]).await.unwrap_err();
    assert_eq!(error, AccessError::NoCredentials);
    assert_eq!(row(Refusal::Access(&error)), (401, "", "no_credentials"));
    let challenge = challenge(&stage, &error).unwrap();
    assert_eq!((challenge.error, challenge.description), (None, None));
    assert_eq!(stage.only_event().token, None);
}

#[tokio::test]
async fn rs_14_two_tokens_are_refused_before_either_is_verified() {
    let stage = World::new().open();
    let twice: [&[u8]; 2] = [b"Bearer a", b"Bearer b"];
    let error = stage.use_cases.access.authenticate(&twice).await.unwrap_err();
    assert_eq!(row(Refusal::Access(&error)), (400, "invalid_request", "malformed_credentials"));
    assert_eq!(stage.decisions(), ["malformed_credentials"]);
}

#[tokio::test]
async fn rs_18_the_verifier_is_asked_for_our_resource_at_this_moment() {
    let stage = World::new().with_verified(Ok(caller("mcp:tools"))).open();
    presented(&stage).await.unwrap();
    assert_eq!(stage.audited(), []);
}

#[tokio::test]
async fn rs_09_co_05_a_bad_token_is_401_and_recorded_by_its_hash() {
    let stage = refusing(VerifyError::BadSignature);
    let error = presented(&stage).await.unwrap_err();
    assert_eq!(row(Refusal::Access(&error)), (401, "invalid_token", "invalid_token"));
    let hash = BearerToken::presented(SIGNED).hash();
    assert_eq!(stage.only_event().token.as_deref(), Some(hash.as_str()));
    assert_eq!(challenge(&stage, &error).unwrap().error, Some("invalid_token"));
}

#[tokio::test]
async fn an_unreachable_verifier_is_503_and_never_401() {
    let stage = refusing(unreachable());
    let error = presented(&stage).await.unwrap_err();
    let refused = Refusal::Access(&error).row();
    assert_eq!((refused.status, refused.retry_after), (503, Some(WAIT)));
    assert_eq!(challenge(&stage, &error), None);
    assert_eq!(stage.decisions(), ["verifier_unavailable"]);
    assert!(!Refusal::Access(&error).public_text().contains(INSIDE));
}

#[tokio::test]
async fn rv_01_a_good_token_is_let_in_while_it_is_not_revoked() {
    let stage = World::new().with_verified(Ok(caller_of_grant())).with_revocation(Ok(false)).open();
    presented(&stage).await.unwrap();
    assert_eq!(stage.audited(), []);
}

#[tokio::test]
async fn rv_01_a_token_of_a_provider_is_not_looked_for_among_ours_whatever_it_says_of_grants() {
    let caller = Principal { issuer: Issuer::new(PROVIDER), ..caller_of_grant() };
    let stage = World::new().of_providers().with_verified(Ok(caller)).open();
    presented(&stage).await.unwrap();
}

#[tokio::test]
async fn rv_01_a_revoked_token_is_401_and_recorded_by_its_hash() {
    let stage = World::new().with_verified(Ok(caller_of_grant())).with_revocation(Ok(true)).open();
    let error = presented(&stage).await.unwrap_err();
    assert_eq!(error, AccessError::InvalidToken(VerifyError::Revoked));
    assert_eq!(row(Refusal::Access(&error)), (401, "invalid_token", "invalid_token"));
    assert_eq!(challenge(&stage, &error).unwrap().error, Some("invalid_token"));
    let event = stage.only_event();
    assert_eq!(event.token.as_deref(), Some(BearerToken::presented(SIGNED).hash().as_str()));
    assert!(format!("{:?}", event.decision).contains("revoked"));
}

#[tokio::test]
async fn while_nobody_knows_what_is_revoked_a_token_is_503_and_never_let_in_or_401() {
    let verified = World::new().with_verified(Ok(caller_of_grant()));
    let stage = verified.with_revocation(Err(store_unavailable())).open();
    let error = presented(&stage).await.unwrap_err();
    let unavailable = (503, "temporarily_unavailable", "store_unavailable");
    assert_eq!(row(Refusal::Access(&error)), unavailable);
    assert_eq!(challenge(&stage, &error), None);
    assert_eq!(stage.decisions(), ["store_unavailable"]);
    assert!(!Refusal::Access(&error).public_text().contains(INSIDE));
}

#[tokio::test]
async fn jv_18_the_log_says_why_a_token_was_refused() {
    let audience = vec!["https://other.example".to_owned()];
    let expected = RESOURCE.to_owned();
    let stage = refusing(VerifyError::WrongAudience { received: audience, expected });
    presented(&stage).await.unwrap_err();
    let recorded = format!("{:?}", stage.only_event().decision);
    assert!(recorded.contains("https://other.example") && recorded.contains(RESOURCE));
}
