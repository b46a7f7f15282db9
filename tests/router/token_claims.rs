//! What the claims of an access token have to say (checklist 2: JV-04 to JV-09, JV-18, JV-19).

use serde_json::json;

use crate::forged_token::ForgedToken;
use crate::scenario::{LOCAL, Scenario, Setup};
use crate::world::NOW;

#[tokio::test]
async fn jv_04_the_issuer_is_compared_byte_by_byte() {
    let scenario = Scenario::new();
    for issuer in [
        "http://localhost:8000/",
        "http://LOCALHOST:8000",
        "http://127.0.0.1:8000",
        "https://localhost:8000",
    ] {
        let why = scenario.assert_refused(&ForgedToken::good().claim("iss", issuer).signed()).await;
        assert!(why.contains(issuer), "{why}");
    }
    let slash = Setup { issuer: Some("http://localhost:8000/"), ..Setup::at(LOCAL) };
    let scenario = Scenario::of(slash);
    scenario.assert_refused(&ForgedToken::good().signed()).await;
    scenario.assert_accepted(&ForgedToken::good().claim("iss", format!("{LOCAL}/")).signed()).await;
}

#[tokio::test]
async fn jv_05_the_audience_may_be_one_or_several() {
    let scenario = Scenario::new();
    let ours = "http://localhost:8000/mcp";
    let several = json!(["https://other.example", ours]);
    for audience in [json!(ours), json!([ours]), several] {
        scenario.assert_accepted(&ForgedToken::good().claim("aud", audience).signed()).await;
    }
    let shapes = [
        json!(["https://other.example"]),
        json!([ours, 7]),
        json!({ "0": ours }),
        json!(7),
        json!(null),
    ];
    for audience in shapes {
        scenario.assert_refused(&ForgedToken::good().claim("aud", audience).signed()).await;
    }
}

#[tokio::test]
async fn jv_07_a_token_ends_and_the_clocks_may_differ_a_little() {
    let scenario = Scenario::new();
    let ending = |seconds: i64| ForgedToken::good().claim("exp", NOW + seconds).signed();
    for seconds in [-3600, -61, -5] {
        scenario.assert_refused(&ending(seconds)).await;
    }
    for seconds in [-4, 1] {
        scenario.assert_accepted(&ending(seconds)).await;
    }
}

#[tokio::test]
async fn jv_07_a_token_without_a_legible_end_is_refused() {
    let scenario = Scenario::new();
    scenario.assert_refused(&ForgedToken::good().without_claim("exp").signed()).await;
    for end in [json!("1900000000"), json!(null), json!([NOW + 60]), json!(true)] {
        scenario.assert_refused(&ForgedToken::good().claim("exp", end).signed()).await;
    }
    let fraction = ForgedToken::good().claim("exp", 1_800_000_060.5);
    scenario.assert_accepted(&fraction.signed()).await;
}

#[tokio::test]
async fn jv_08_a_token_is_not_good_before_its_time() {
    let scenario = Scenario::new();
    let token = ForgedToken::good().claim("nbf", NOW + 120).signed();
    scenario.assert_refused(&token).await;
    scenario.clock.advance(120);
    scenario.assert_accepted(&token).await;
    scenario.assert_refused(&ForgedToken::good().claim("nbf", "soon").signed()).await;
}

#[tokio::test]
async fn jv_09_a_token_from_the_future_is_refused() {
    let scenario = Scenario::new();
    let future = ForgedToken::good().claim("iat", NOW + 3600).claim("exp", NOW + 7200);
    scenario.assert_refused(&future.signed()).await;
    scenario.assert_accepted(&ForgedToken::good().claim("iat", NOW + 5).signed()).await;
}

#[tokio::test]
async fn jv_19_a_token_says_everything_an_access_token_has_to() {
    let scenario = Scenario::new();
    for claim in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        let why = scenario.assert_refused(&ForgedToken::good().without_claim(claim).signed()).await;
        assert!(why.contains(claim), "{claim}: {why}");
    }
    for claim in ["iss", "sub", "jti", "client_id"] {
        scenario.assert_refused(&ForgedToken::good().claim(claim, "").signed()).await;
        scenario.assert_refused(&ForgedToken::good().claim(claim, 7).signed()).await;
    }
}

#[tokio::test]
async fn jv_19_a_token_without_scope_allows_nothing() {
    let scenario = Scenario::new();
    for token in
        [ForgedToken::good().without_claim("scope"), ForgedToken::good().claim("scope", "")]
    {
        scenario.hello(&token.signed()).await.refused(403, "insufficient_scope");
    }
    scenario
        .assert_refused(&ForgedToken::good().claim("scope", json!(["mcp:tools"])).signed())
        .await;
}

#[tokio::test]
async fn jv_18_a_refusal_never_quotes_the_token() {
    let scenario = Scenario::new();
    let forged = ForgedToken::good().claim("aud", "https://other.example").signed();
    let expired = ForgedToken::good().claim("exp", NOW - 100).signed();
    for token in [forged, expired] {
        let answer = scenario.hello(&token).await;
        let log = format!("{:?}", scenario.audit.events());
        let (rest, signature) = token.rsplit_once('.').unwrap();
        for secret in [rest, signature] {
            assert!(!answer.body.contains(secret) && !log.contains(secret));
            assert!(!format!("{:?}", answer.headers).contains(secret));
        }
    }
}
