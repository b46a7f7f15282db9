//! A refresh token that comes again: in time, too late, too often (checklist 7: RF-02, RF-03).

use crate::scenario::Scenario;

#[tokio::test]
async fn rf_02_a_refresh_token_replayed_after_the_grace_revokes_the_family() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let first = scenario.tokens(&client).await;
    let stolen = &first.refresh;
    let second = scenario.refresh(&client, stolen).await.expect(200).tokens();
    let third = scenario.refresh(&client, &second.refresh).await.expect(200).tokens();
    scenario.clock.advance(31);
    for access in [&first.access, &second.access, &third.access] {
        scenario.assert_accepted(access).await;
    }
    scenario.refresh(&client, stolen).await.refused(400, "invalid_grant");
    for token in [&second.refresh, &third.refresh, stolen] {
        scenario.refresh(&client, token).await.refused(400, "invalid_grant");
    }
    for access in [&first.access, &second.access, &third.access] {
        scenario.assert_refused(access).await;
    }
    assert_eq!(scenario.audit.names().iter().filter(|name| **name == "grant_replayed").count(), 1);
}

#[tokio::test]
async fn rf_02_a_replay_leaves_other_grants_alone() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let (one, other) = (scenario.tokens(&client).await, scenario.tokens(&client).await);
    scenario.refresh(&client, &one.refresh).await.expect(200);
    scenario.clock.advance(31);
    scenario.refresh(&client, &one.refresh).await.refused(400, "invalid_grant");
    scenario.assert_accepted(&other.access).await;
    scenario.refresh(&client, &other.refresh).await.expect(200);
}

#[tokio::test]
async fn rf_02_a_replay_by_somebody_else_revokes_nothing() {
    let scenario = Scenario::new();
    let (client, thief) = (scenario.client().await, scenario.client().await);
    let first = scenario.tokens(&client).await;
    let second = scenario.refresh(&client, &first.refresh).await.expect(200).tokens();
    scenario.clock.advance(31);
    scenario.refresh(&thief, &first.refresh).await.refused(400, "invalid_grant");
    scenario.assert_accepted(&first.access).await;
    scenario.refresh(&client, &second.refresh).await.expect(200);
}

#[tokio::test]
async fn rf_03_two_refreshes_at_once_both_succeed_with_one_lineage() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let token = scenario.tokens(&client).await.refresh;
    let (one, other) =
        tokio::join!(scenario.refresh(&client, &token), scenario.refresh(&client, &token));
    let (one, other) = (one.expect(200).tokens(), other.expect(200).tokens());
    assert_eq!(one.refresh, other.refresh);
    scenario.assert_accepted(&one.access).await;
    scenario.assert_accepted(&other.access).await;
    scenario.refresh(&client, &one.refresh).await.expect(200);
}

#[tokio::test]
async fn rf_03_within_the_grace_the_same_successor_is_given_again() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let token = scenario.tokens(&client).await.refresh;
    let successor = scenario.refresh(&client, &token).await.expect(200).tokens().refresh;
    scenario.clock.advance(30);
    let again = scenario.refresh(&client, &token).await.expect(200).tokens().refresh;
    assert_eq!(again, successor);
    scenario.refresh(&client, &successor).await.expect(200);
}

#[tokio::test]
async fn rf_03_the_grace_has_an_end_in_uses_too() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let token = scenario.tokens(&client).await.refresh;
    for _ in 0..=3 {
        scenario.refresh(&client, &token).await.expect(200);
    }
    scenario.refresh(&client, &token).await.refused(400, "invalid_grant");
    assert!(scenario.audit.names().contains(&"grant_replayed"));
}

#[tokio::test]
async fn rf_03_there_is_no_grace_once_the_successor_was_used() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let first = scenario.tokens(&client).await.refresh;
    let second = scenario.refresh(&client, &first).await.expect(200).tokens().refresh;
    let third = scenario.refresh(&client, &second).await.expect(200).tokens().refresh;
    scenario.refresh(&client, &first).await.refused(400, "invalid_grant");
    scenario.refresh(&client, &third).await.refused(400, "invalid_grant");
}
