//! A code that comes a second time (checklist 6: TK-08).

use crate::scenario::Scenario;
use crate::steps::redemption;

#[tokio::test]
async fn tk_08_a_replayed_code_revokes_its_tokens() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    let tokens = scenario.redeem(&client, &code).await.expect(200).tokens();
    scenario.assert_accepted(&tokens.access).await;
    scenario.redeem(&client, &code).await.refused(400, "invalid_grant");
    scenario.assert_refused(&tokens.access).await;
    scenario.refresh(&client, &tokens.refresh).await.refused(400, "invalid_grant");
    scenario.redeem(&client, &code).await.refused(400, "invalid_grant");
    assert!(scenario.audit.names().contains(&"grant_replayed"));
}

#[tokio::test]
async fn tk_08_a_replay_revokes_every_descendant_of_the_code() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    let first = scenario.redeem(&client, &code).await.expect(200).tokens();
    let second = scenario.refresh(&client, &first.refresh).await.expect(200).tokens();
    scenario.clock.advance(3500);
    scenario.redeem(&client, &code).await.refused(400, "invalid_grant");
    scenario.refresh(&client, &second.refresh).await.refused(400, "invalid_grant");
    for access in [&first.access, &second.access] {
        scenario.assert_refused(access).await;
    }
}

#[tokio::test]
async fn tk_08_a_replay_that_is_not_valid_itself_revokes_nothing() {
    let scenario = Scenario::new();
    let (client, thief) = (scenario.client().await, scenario.client().await);
    let code = scenario.code(&client).await;
    let tokens = scenario.redeem(&client, &code).await.expect(200).tokens();
    scenario.redeem(&thief, &code).await.refused(400, "invalid_grant");
    let verifier = redemption(&code).with("code_verifier", &"x".repeat(50));
    scenario.token(&client, &verifier).await.refused(400, "invalid_grant");
    let address = redemption(&code).with("redirect_uri", "https://evil.example");
    scenario.token(&client, &address).await.refused(400, "invalid_grant");
    let resource = redemption(&code).with("resource", "https://other.example");
    scenario.token(&client, &resource).await.refused(400, "invalid_target");
    assert!(!scenario.store.writes().contains(&"revoke"));
    scenario.assert_accepted(&tokens.access).await;
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn tk_08_a_replay_leaves_other_grants_alone() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let other = scenario.tokens(&client).await;
    let code = scenario.code(&client).await;
    scenario.redeem(&client, &code).await.expect(200);
    scenario.redeem(&client, &code).await.refused(400, "invalid_grant");
    scenario.assert_accepted(&other.access).await;
    scenario.refresh(&client, &other.refresh).await.expect(200);
}

#[tokio::test]
async fn tk_08_of_two_redemptions_at_once_one_succeeds() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    let (one, other) =
        tokio::join!(scenario.redeem(&client, &code), scenario.redeem(&client, &code));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);
}
