//! How the token endpoint is asked and answers (checklist 6: TK-01 to 04, 17, 20 to 22).

use std::collections::BTreeSet;

use poem::http::Method;
use serde_json::json;

use crate::forged_token::decoded;
use crate::parameters::Parameters;
use crate::scenario::Scenario;
use crate::steps::{redemption, refreshing};
use crate::world::{NOW, own_key};

#[tokio::test]
async fn tk_01_only_a_posted_form_is_a_token_request() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    let form = redemption(&code).with("client_id", &client.id);
    let got = scenario.get(&format!("/token?{}", form.encoded())).send().await;
    got.refused(405, "invalid_request");
    assert_eq!(got.header("allow"), Some("POST"));
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        scenario.call(method, "/token").form(&form).send().await.refused(405, "invalid_request");
    }
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let body = scenario.post("/token").body(kind, form.encoded());
        body.send().await.refused(415, "invalid_request");
    }
    scenario.post("/token").form(&form).send().await.expect(200);
}

#[tokio::test]
async fn tk_01_the_form_may_name_its_charset() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let form = redemption(&scenario.code(&client).await).with("client_id", &client.id);
    let kind = "Application/X-WWW-Form-URLEncoded; charset=UTF-8";
    scenario.post("/token").body(kind, form.encoded()).send().await.expect(200);
}

#[tokio::test]
async fn tk_02_a_repeated_parameter_is_refused_and_the_code_stays_good() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    let form = redemption(&code).with("client_id", &client.id);
    let form = form.with("resource", "http://localhost:8000/mcp");
    let form = form.with("redirect_uri", &client.redirect_uri);
    for name in form.names() {
        let twice = form.clone().and(name, form.get(name).unwrap());
        scenario.post("/token").form(&twice).send().await.refused(400, "invalid_request");
    }
    scenario.post("/token").form(&form).send().await.expect(200);
}

#[tokio::test]
async fn tk_02_parameters_nobody_knows_are_ignored_and_empty_ones_are_absent() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    for name in ["grant_type", "code", "code_verifier", "client_id"] {
        let form = redemption(&code).with("client_id", &client.id).with(name, "");
        scenario.post("/token").form(&form).send().await.refused(400, "invalid_request");
    }
    let form =
        redemption(&code).and("foo", "1").and("foo", "2").and("scope", "").and("resource", "");
    scenario.token(&client, &form).await.expect(200);
}

#[tokio::test]
async fn tk_03_nobody_keeps_an_answer() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let code = scenario.code(&client).await;
    let issued = scenario.redeem(&client, &code).await.expect(200);
    let refused = scenario.redeem(&client, "unknown").await.expect(400);
    let unknown = scenario.post("/token").form(&redemption(&code).with("client_id", "x"));
    for answer in [issued, refused, unknown.send().await.expect(401)] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
    }
}

#[tokio::test]
async fn tk_04_the_answer_says_what_was_given() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let request = client.request().with("scope", "mcp:tools offline_access");
    let code = scenario.code_for(&request).await;
    let answer = scenario.redeem(&client, &code).await.expect(200).json();
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 3600);
    assert_eq!(answer["scope"], "mcp:tools");
    let members: BTreeSet<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    let all =
        BTreeSet::from(["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
    assert_eq!(members, all);
}

#[tokio::test]
async fn tk_04_a_client_that_did_not_register_for_it_gets_no_refresh_token() {
    let scenario = Scenario::new();
    let client = scenario.client_like(json!({ "grant_types": ["authorization_code"] })).await;
    let code = scenario.code(&client).await;
    let answer = scenario.redeem(&client, &code).await.expect(200).json();
    assert_eq!(answer.get("refresh_token"), None);
}

#[tokio::test]
async fn tk_17_a_grant_this_server_has_not_is_unsupported() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    for grant in ["password", "Authorization_Code", "Client_Credentials", "\"<script>"] {
        let form = Parameters::new(&[("grant_type", grant)]);
        scenario.token(&client, &form).await.refused(400, "unsupported_grant_type");
    }
}

#[tokio::test]
async fn tk_17_a_grant_the_client_did_not_register_for_is_not_for_it() {
    let scenario = Scenario::new();
    let client = scenario.client_like(json!({ "grant_types": ["authorization_code"] })).await;
    scenario.token(&client, &refreshing("any")).await.refused(400, "unauthorized_client");
    let form = Parameters::new(&[("grant_type", "client_credentials")]);
    scenario.token(&client, &form).await.refused(400, "unauthorized_client");
}

#[tokio::test]
async fn tk_20_an_access_token_lives_for_an_hour() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let token = scenario.tokens(&client).await.access;
    let claims = decoded(&token).1;
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(NOW), &json!(NOW + 3600)));
    scenario.clock.advance(3599);
    scenario.assert_accepted(&token).await;
    scenario.clock.advance(60);
    scenario.assert_refused(&token).await;
}

#[tokio::test]
async fn tk_21_every_code_and_token_is_256_bits_and_another() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        let code = scenario.code(&client).await;
        let refresh = scenario.redeem(&client, &code).await.expect(200).tokens().refresh;
        for secret in [code, refresh] {
            assert_eq!(secret.len(), 43, "256 bits, base64url");
            assert!(seen.insert(secret));
        }
    }
}

#[tokio::test]
async fn tk_22_the_access_token_is_that_of_rfc_9068() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let (header, claims) = decoded(&scenario.tokens(&client).await.access);
    assert_eq!(header, json!({ "alg": "RS256", "typ": "at+jwt", "kid": own_key().key_id() }));
    assert_eq!(claims["iss"], "http://localhost:8000");
    assert_eq!(claims["sub"], "alice");
    assert_eq!(claims["aud"], "http://localhost:8000/mcp");
    assert_eq!(claims["client_id"], client.id);
    assert_eq!(claims["scope"], "mcp:tools");
    let (_, next) = decoded(&scenario.tokens(&client).await.access);
    assert_ne!(claims["jti"], next["jti"]);
}
