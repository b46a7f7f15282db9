//! How clients discover the authorization server (checklist 3).

use mcp_oauth_core::domain::public_address::PublicAddress;
use serde_json::{Value, json};

use crate::parameters::Parameters;
use crate::scenario::{LOCAL, Scenario, Setup};
use crate::steps::{redemption, refreshing};

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

async fn both(scenario: &Scenario) -> [Value; 2] {
    let oauth = scenario.get(OAUTH).send().await.expect(200).json();
    let openid = scenario.get(OPENID).send().await.expect(200).json();
    [oauth, openid]
}

#[tokio::test]
async fn md_01_both_documents_say_the_same() {
    let [oauth, openid] = both(&Scenario::new()).await;
    for (name, value) in oauth.as_object().unwrap() {
        assert_eq!(&openid[name], value, "{name}");
    }
    assert_eq!(openid["subject_types_supported"], json!(["public"]));
    assert_eq!(openid["id_token_signing_alg_values_supported"], json!(["RS256"]));
}

#[tokio::test]
async fn md_03_the_issuer_is_the_same_bytes_everywhere() {
    for (spelled, issuer) in
        [(None, LOCAL), (Some("http://localhost:8000/"), "http://localhost:8000/")]
    {
        let scenario = Scenario::of(Setup { issuer: spelled, ..Setup::at(LOCAL) });
        for document in both(&scenario).await {
            assert_eq!(document["issuer"], issuer);
        }
        let path = "/.well-known/oauth-protected-resource/mcp";
        let resource = scenario.get(path).send().await.json();
        assert_eq!(resource["authorization_servers"], json!([issuer]));
        let client = scenario.client().await;
        let back = scenario.approve(&scenario.ask(&client.request()).await).await.location();
        assert_eq!(back.query.get("iss"), Some(issuer));
        let token = scenario.redeem(&client, back.query.get("code").unwrap()).await.access_token();
        assert_eq!(crate::forged_token::decoded(&token).1["iss"], issuer);
        scenario.assert_accepted(&token).await;
    }
}

#[tokio::test]
async fn md_04_the_documents_hold_what_every_client_needs() {
    let scenario = Scenario::new();
    for path in [OAUTH, OPENID] {
        let answer = scenario.get(path).send().await.expect(200);
        let document = answer.json();
        assert_eq!(document["authorization_endpoint"], "http://localhost:8000/authorize");
        assert_eq!(document["token_endpoint"], "http://localhost:8000/token");
        assert_eq!(document["response_types_supported"], json!(["code"]));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
    }
}

#[tokio::test]
async fn md_05_s256_is_announced_in_both_documents_and_plain_in_none() {
    for document in both(&Scenario::new()).await {
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
    }
}

#[tokio::test]
async fn md_06_the_iss_of_an_answer_is_announced() {
    for document in both(&Scenario::new()).await {
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    }
}

#[tokio::test]
async fn md_07_client_documents_are_announced() {
    for document in both(&Scenario::new()).await {
        assert_eq!(document["client_id_metadata_document_supported"], true);
    }
}

#[tokio::test]
async fn md_08_every_announced_authentication_method_works_and_no_other_is_taken() {
    let scenario = Scenario::new();
    let [document, _] = both(&scenario).await;
    let methods = &document["token_endpoint_auth_methods_supported"];
    let expected = ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];
    assert_eq!(methods, &json!(expected));
    // The last one, which takes a key, is shown to work in private_key_jwt.rs.
    for method in &expected[..3] {
        let client = scenario.client_like(json!({ "token_endpoint_auth_method": method })).await;
        assert_eq!(client.method, *method);
        scenario.tokens(&client).await;
    }
    for method in ["client_secret_jwt", "tls_client_auth", "x"] {
        let other = json!({
            "redirect_uris": ["https://c.example/cb"],
            "token_endpoint_auth_method": method,
        });
        scenario.register(&other).await.refused(400, "invalid_client_metadata");
    }
}

#[tokio::test]
async fn md_09_the_algorithms_of_signing_clients_are_announced() {
    for document in both(&Scenario::new()).await {
        for endpoint in ["token", "revocation", "introspection"] {
            let name = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
            assert_eq!(document[&name], json!(["RS256", "PS256", "ES256", "EdDSA"]), "{name}");
        }
    }
}

#[tokio::test]
async fn md_08_every_announced_method_works_where_tokens_are_revoked_and_asked_about() {
    let scenario = Scenario::new();
    let [document, _] = both(&scenario).await;
    let methods = |endpoint: &str| {
        let name = format!("{endpoint}_endpoint_auth_methods_supported");
        document[&name].as_array().unwrap().clone()
    };
    let confidential = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
    assert_eq!(methods("introspection"), confidential);
    assert_eq!(methods("revocation")[0], "none");
    assert_eq!(methods("revocation")[1..], confidential);
    // The last one, which takes a key, is shown to work in private_key_jwt.rs.
    for method in &methods("revocation")[..3] {
        let client = scenario.client_like(json!({ "token_endpoint_auth_method": method })).await;
        let token = scenario.tokens(&client).await.access;
        let asked = scenario.introspect(&client, &token).await.status.is_success();
        assert_eq!(asked, methods("introspection").contains(method), "{method}");
        scenario.revoke(&client, &token).await.expect(200);
        scenario.assert_refused(&token).await;
    }
}

#[tokio::test]
async fn md_10_offline_access_is_announced_where_refresh_tokens_are_given() {
    for document in both(&Scenario::new()).await {
        let scopes = document["scopes_supported"].as_array().unwrap();
        assert!(scopes.contains(&json!("offline_access")) && scopes.contains(&json!("mcp:tools")));
        assert!(
            document["grant_types_supported"].as_array().unwrap().contains(&json!("refresh_token"))
        );
    }
}

#[tokio::test]
async fn md_12_every_published_address_of_a_public_server_is_https() {
    let scenario = Scenario::at("https://mcp.example.com");
    for document in both(&scenario).await {
        let text = document.to_string();
        assert!(!text.contains("http://"), "{text}");
        assert_eq!(document["token_endpoint"], "https://mcp.example.com/token");
    }
    PublicAddress::new("http://mcp.example.com").unwrap_err();
}

#[tokio::test]
async fn md_13_every_announced_address_answers() {
    let scenario = Scenario::new();
    let [_, document] = both(&scenario).await;
    for (name, value) in document.as_object().unwrap() {
        let address = value.as_str().filter(|text| text.starts_with("http") && name != "issuer");
        let Some(address) = address else { continue };
        let status = scenario.get_at(address).send().await.status;
        assert_ne!(status.as_u16(), 404, "{name}");
    }
}

#[tokio::test]
async fn md_13_exactly_the_announced_grants_are_served() {
    let scenario = Scenario::new();
    let [document, _] = both(&scenario).await;
    let grants = &document["grant_types_supported"];
    assert_eq!(grants, &json!(["authorization_code", "refresh_token", "client_credentials"]));
    let client = scenario.client().await;
    for form in [redemption("none"), refreshing("none")] {
        scenario.token(&client, &form).await.refused(400, "invalid_grant");
    }
    let form = Parameters::new(&[("grant_type", "client_credentials")]);
    scenario.token(&scenario.machine("mcp:tools").await, &form).await.expect(200);
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer"] {
        let form = Parameters::new(&[("grant_type", grant)]);
        scenario.token(&client, &form).await.refused(400, "unsupported_grant_type");
    }
}

#[tokio::test]
async fn md_13_what_is_not_there_is_not_announced() {
    for document in both(&Scenario::new()).await {
        let absent = [
            "device_authorization_endpoint",
            "end_session_endpoint",
            "pushed_authorization_request_endpoint",
            "dpop_signing_alg_values_supported",
        ];
        for name in absent {
            assert_eq!(document.get(name), None, "{name}");
        }
    }
}
