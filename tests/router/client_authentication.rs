//! Which client asks (checklist 6: TK-11 to TK-15).

use serde_json::json;

use crate::answer::Answer;
use crate::parameters::Parameters;
use crate::scenario::Scenario;
use crate::steps::{Client, basic, redemption, refreshing};

async fn confidential(scenario: &Scenario, method: &str) -> Client {
    scenario.client_like(json!({ "token_endpoint_auth_method": method })).await
}

async fn sent(scenario: &Scenario, form: &Parameters, authorization: &str) -> Answer {
    scenario.post("/token").form(form).header("authorization", authorization).send().await
}

#[tokio::test]
async fn tk_11_a_secret_may_come_in_the_form() {
    let scenario = Scenario::new();
    let client = confidential(&scenario, "client_secret_post").await;
    scenario.tokens(&client).await;
    let wrong = redemption("x").with("client_id", &client.id).with("client_secret", "wrong");
    let answer = scenario.post("/token").form(&wrong).send().await;
    answer.refused(401, "invalid_client");
    assert_eq!(answer.header("www-authenticate"), None);
}

#[tokio::test]
async fn tk_11_what_is_secret_never_comes_in_the_address() {
    let scenario = Scenario::new();
    let client = confidential(&scenario, "client_secret_post").await;
    let code = scenario.code(&client).await;
    let secret = client.secret.as_deref().unwrap();
    let form = redemption(&code).with("client_id", &client.id).with("client_secret", secret);
    for name in ["client_secret", "code", "code_verifier"] {
        let query = Parameters::new(&[(name, form.get(name).unwrap())]).encoded();
        let call = scenario.post(&format!("/token?{query}"));
        call.form(&form.clone().without(name)).send().await.refused(400, "invalid_request");
    }
    let refresh = scenario.post("/token?refresh_token=x").form(&refreshing("x"));
    refresh.send().await.refused(400, "invalid_request");
    scenario.redeem(&client, &code).await.expect(200);
}

#[tokio::test]
async fn tk_12_both_halves_of_basic_are_form_decoded() {
    let scenario = Scenario::new();
    let client = confidential(&scenario, "client_secret_basic").await;
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let header = basic(&encoded(&client.id), &encoded(client.secret.as_deref().unwrap()));
    let code = scenario.code(&client).await;
    sent(&scenario, &redemption(&code), &header).await.expect(200);
    let double = basic(&encoded(&client.id), &encoded(&encoded(client.secret.as_deref().unwrap())));
    sent(&scenario, &redemption(&code), &double).await.refused(401, "invalid_client");
}

#[tokio::test]
async fn tk_13_a_client_authenticates_in_one_way_only() {
    let scenario = Scenario::new();
    let client = confidential(&scenario, "client_secret_basic").await;
    let (other, code) = (scenario.client().await, scenario.code(&client).await);
    let secret = client.secret.as_deref().unwrap();
    let header = basic(&client.id, secret);
    let form = redemption(&code);
    let twice = form.clone().with("client_id", &client.id).with("client_secret", secret);
    sent(&scenario, &twice, &header).await.refused(400, "invalid_request");
    let another = form.clone().with("client_id", &other.id);
    sent(&scenario, &another, &header).await.refused(400, "invalid_request");
    sent(&scenario, &form.with("client_id", &client.id), &header).await.expect(200);
}

#[tokio::test]
async fn tk_14_failed_basic_is_401_with_a_challenge() {
    let scenario = Scenario::new();
    let client = confidential(&scenario, "client_secret_basic").await;
    let secret = client.secret.as_deref().unwrap();
    let wrong = [
        basic(&client.id, "wrong"),
        basic(&client.id, ""),
        basic(&client.id, &secret.to_ascii_lowercase()),
        basic("unknown", secret),
        basic("", ""),
        "Basic".to_owned(),
        "Basic !!".to_owned(),
        format!("Bearer {secret}"),
    ];
    for header in wrong {
        let answer = sent(&scenario, &redemption("x"), &header).await;
        answer.refused(401, "invalid_client");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic "), "{header}");
    }
    let illegible = scenario.post("/token").form(&redemption("x")).illegible_authorization();
    illegible.send().await.refused(401, "invalid_client");
}

#[tokio::test]
async fn tk_14_a_client_with_a_secret_has_to_send_it() {
    let scenario = Scenario::new();
    let client = confidential(&scenario, "client_secret_basic").await;
    let code = scenario.code(&client).await;
    let form = redemption(&code).with("client_id", &client.id);
    scenario.post("/token").form(&form).send().await.refused(401, "invalid_client");
    let public = scenario.client().await;
    let secret = redemption("x").with("client_id", &public.id).with("client_secret", "made-up");
    scenario.post("/token").form(&secret).send().await.refused(401, "invalid_client");
}

#[tokio::test]
async fn tk_15_a_client_nobody_knows_is_invalid_whatever_it_asks() {
    let scenario = Scenario::new();
    for id in ["unknown", "mcp-AAAAAAAAAAAAAAAAAAAAAA", "https://c.example/metadata.json"] {
        for form in [redemption("x"), refreshing("x"), Parameters::new(&[("grant_type", "bogus")])]
        {
            let call = scenario.post("/token").form(&form.with("client_id", id));
            call.send().await.refused(401, "invalid_client");
        }
    }
    let long = redemption("x").with("client_id", &"x".repeat(10_000));
    scenario.post("/token").form(&long).send().await.refused(401, "invalid_client");
    assert_eq!(scenario.store.writes(), [""; 0]);
}

#[tokio::test]
async fn tk_13_two_headers_are_two_ways_even_if_they_say_the_same() {
    let scenario = Scenario::new();
    let client = confidential(&scenario, "client_secret_basic").await;
    let code = scenario.code(&client).await;
    let header = basic(&client.id, client.secret.as_deref().unwrap());
    let form = redemption(&code).with("token", &code);
    for path in ["/token", "/revoke", "/introspect"] {
        for second in [&*header, "Bearer x"] {
            let call = scenario.post(path).form(&form).header("authorization", &header);
            let answer = call.header("authorization", second).send().await;
            answer.refused(400, "invalid_request");
        }
    }
    scenario.redeem(&client, &code).await.expect(200);
}
