//! Who sent a token request: until that is known no grant is looked up.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::samples::{
    CLIENT_SECRET, CODE, VERIFIER, client, client_without_refresh, code, confidential_client,
    grant, store_unavailable,
};
use crate::world::{World, refused};

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

#[tokio::test]
async fn tk_15_an_unknown_client_is_401_and_no_grant_is_looked_up() {
    let mut world = World::new();
    world.clients.expect_find().times(1).return_once(|_| Ok(None));
    let stage = world.open();
    let answer = stage.token("client_id=pruned&grant_type=authorization_code").await;
    assert_eq!(refused(answer), (401, "invalid_client", "client_unknown"));
    assert_eq!(stage.decisions(), ["client_unknown"]);
}

#[tokio::test]
async fn jv_18_the_secret_of_a_client_nobody_knows_is_not_recorded() {
    let header = basic("pruned", CLIENT_SECRET);
    let posted = format!("client_id=pruned&client_secret={CLIENT_SECRET}");
    for (headers, form) in [(&[&*header][..], ""), (&[], &*posted)] {
        let mut world = World::new();
        world.clients.expect_find().times(1).return_once(|_| Ok(None));
        let stage = world.open();
        let answer = stage.token_with(headers, "", form).await;
        assert_eq!(refused(answer), (401, "invalid_client", "client_unknown"));
        let recorded = format!("{:?}", stage.only_event());
        assert!(recorded.contains("pruned") && !recorded.contains(CLIENT_SECRET), "{recorded}");
    }
}

#[tokio::test]
async fn an_endless_client_id_is_unknown_without_being_looked_up() {
    let answer = World::new().open().token(&format!("client_id={}", "c".repeat(513))).await;
    assert_eq!(refused(answer), (401, "invalid_client", "client_unknown"));
}

#[tokio::test]
async fn tk_11_secrets_in_the_uri_are_refused_before_the_client_is_looked_up() {
    for name in ["client_secret", "code", "code_verifier", "refresh_token"] {
        let stage = World::new().open();
        let answer = stage.token_with(&[], &format!("{name}={CODE}"), "client_id=client-1").await;
        assert_eq!(refused(answer), (400, "invalid_request", "token_parameters_in_uri"), "{name}");
    }
}

#[tokio::test]
async fn tk_13_two_ways_at_once_are_refused_before_the_client_is_looked_up() {
    let header = basic("client-1", CLIENT_SECRET);
    for form in [format!("client_secret={CLIENT_SECRET}"), "client_id=client-2".to_owned()] {
        let answer = World::new().open().token_with(&[&header], "", &form).await;
        assert_eq!(refused(answer), (400, "invalid_request", "client_several_methods"), "{form}");
    }
    let answer = World::new().open().token_with(&[&header, &header], "", "").await;
    assert_eq!(refused(answer), (400, "invalid_request", "client_several_methods"));
}

#[tokio::test]
async fn tk_14_a_header_that_is_not_basic_is_401_and_looks_nothing_up() {
    for header in ["Bearer abc", "Basic !", "Basic"] {
        let answer = World::new().open().token_with(&[header], "", "client_id=client-1").await;
        assert_eq!(refused(answer), (401, "invalid_client", "client_malformed_basic"), "{header}");
    }
}

#[tokio::test]
async fn tk_16_rf_09_a_wrong_or_missing_secret_reaches_no_grant() {
    let wrong = "client_id=client-1&client_secret=wrong&grant_type=refresh_token&refresh_token=r";
    let missing = "client_id=client-1&grant_type=refresh_token&refresh_token=r";
    let refusals = [(wrong, "client_wrong_secret"), (missing, "client_secret_missing")];
    for (form, audited) in refusals {
        let stage = World::new().with_client(confidential_client()).open();
        assert_eq!(refused(stage.token(form).await), (401, "invalid_client", audited));
        assert_eq!(stage.decisions(), [audited]);
    }
}

#[tokio::test]
async fn a_public_client_that_sends_a_secret_is_not_who_it_says() {
    let stage = World::new().with_client(client()).open();
    let answer = stage.token("client_id=client-1&client_secret=guess").await;
    assert_eq!(refused(answer), (401, "invalid_client", "client_wrong_secret"));
}

#[tokio::test]
async fn tk_12_the_right_secret_by_basic_opens_the_grant() {
    let mut world = World::new().with_client(confidential_client()).with_touch().with_signing(1);
    world = world.with_code(code(), grant());
    world.grants.expect_redeem_code_once().times(1).return_once(|_, _, _| Ok(()));
    let header = basic("client-1", CLIENT_SECRET);
    let form = format!("grant_type=authorization_code&code={CODE}&code_verifier={VERIFIER}");
    world.open().token_with(&[&header], "", &form).await.unwrap();
}

#[tokio::test]
async fn tk_02_a_repeated_parameter_looks_nothing_up() {
    let answer = World::new().open().token("client_id=client-1&client_id=client-1").await;
    assert_eq!(refused(answer), (400, "invalid_request", "token_parameters"));
}

#[tokio::test]
async fn tk_17_a_grant_nobody_has_and_one_the_client_has_not_reach_no_grant() {
    let unsupported = (400, "unsupported_grant_type", "token_unsupported_grant");
    let unregistered = (400, "unauthorized_client", "token_unauthorized_client");
    let refusals = [("password", unsupported), ("refresh_token", unregistered)];
    for (grant_type, expected) in refusals {
        let stage = World::new().with_client(client_without_refresh()).open();
        let answer = stage.token(&format!("client_id=client-1&grant_type={grant_type}")).await;
        assert_eq!(refused(answer), expected);
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn co_05_who_was_not_recognised_is_recorded_under_the_name_they_gave() {
    for (found, code) in
        [(None, "client_unknown"), (Some(confidential_client()), "client_wrong_secret")]
    {
        let mut world = World::new();
        world.clients.expect_find().times(1).return_once(|_| Ok(found));
        let stage = world.open();
        stage.token("client_id=client-1&client_secret=wrong").await.unwrap_err();
        assert_eq!(stage.decisions(), [code]);
        assert_eq!(stage.only_event().client, Some(client().id));
    }
}

#[tokio::test]
async fn an_unavailable_client_registry_is_503_and_never_invalid_client() {
    let mut world = World::new();
    world.clients.expect_find().times(1).return_once(|_| Err(store_unavailable()));
    let stage = world.open();
    let answer = stage.token("client_id=client-1&grant_type=refresh_token").await;
    assert_eq!(refused(answer), (503, "temporarily_unavailable", "store_unavailable"));
}
