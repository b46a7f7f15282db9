//! Clients that are known by the address of their metadata document (checklist 8: CI-01 to CI-18).

use mcp_oauth_core::domain::client_document_policy::{ClientDocumentPolicy, DomainPattern};
use serde_json::{Value, json};

use crate::answer::unescaped;
use crate::publications::INSIDE;
use crate::scenario::{LOCAL, Scenario, Setup};
use crate::steps::{Client, redemption};

const URL: &str = "https://client.example/oauth/client.json";

fn document() -> Value {
    json!({
        "client_id": URL,
        "client_name": "Example client",
        "redirect_uris": ["https://client.example/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    })
}

/// The document with other members.
fn with(members: &[(&str, Value)]) -> Value {
    let mut document = document();
    for (name, value) in members {
        document[name] = value.clone();
    }
    document
}

/// The client at an address, which may publish nothing there.
fn client_at(url: &str) -> Client {
    Client {
        id: url.to_owned(),
        secret: None,
        method: "none".to_owned(),
        redirect_uri: "https://client.example/callback".to_owned(),
    }
}

/// The client of the document, which is published.
fn published(scenario: &Scenario, document: &Value) -> Client {
    scenario.published.publish(URL, document.clone());
    let redirect_uri = document["redirect_uris"][0].as_str().unwrap().to_owned();
    Client { redirect_uri, ..client_at(URL) }
}

fn with_documents(documents: ClientDocumentPolicy) -> Scenario {
    Scenario::of(Setup { documents, ..Setup::at(LOCAL) })
}

#[tokio::test]
async fn ci_10_a_client_gets_tokens_without_registering() {
    let scenario = Scenario::new();
    let client = published(&scenario, &document());
    let tokens = scenario.tokens(&client).await;
    scenario.assert_accepted(&tokens.access).await;
    let again = scenario.refresh(&client, &tokens.refresh).await.expect(200).tokens();
    scenario.assert_accepted(&again.access).await;
    assert_eq!(crate::forged_token::decoded(&again.access).1["client_id"], URL);
    assert_eq!(scenario.store.writes(), ["open session", "begin", "redeem", "rotate"]);
}

#[tokio::test]
async fn az_04_az_05_ci_12_a_loopback_address_of_a_document_has_any_port() {
    let scenario = Scenario::new();
    let addresses = json!(["http://127.0.0.1/callback", "http://localhost/callback"]);
    let client = published(&scenario, &with(&[("redirect_uris", addresses)]));
    for address in ["http://127.0.0.1:49567/callback", "http://localhost:3118/callback"] {
        let request = client.request().with("redirect_uri", address);
        let back = scenario.approve(&scenario.ask(&request).await).await.location();
        assert_eq!(back.address, address);
    }
    for address in ["http://[::1]:1/callback", "http://127.0.0.1:1/other", "https://evil.example/"]
    {
        let request = client.request().with("redirect_uri", address);
        scenario.authorize(&request).await.refused_on_a_page(400);
    }
}

#[tokio::test]
async fn ci_12_the_document_of_the_moment_counts() {
    let scenario = Scenario::new();
    let client = published(&scenario, &document());
    scenario.ask(&client.request()).await;
    let moved = json!(["https://client.example/elsewhere"]);
    published(&scenario, &with(&[("redirect_uris", moved)]));
    scenario.authorize(&client.request()).await.refused_on_a_page(400);
}

#[tokio::test]
async fn ci_01_ci_02_an_address_no_document_can_have_is_not_asked() {
    let scenario = Scenario::new();
    for url in [
        "https://client.example",
        "https://client.example/",
        "https://client.example/a/../client.json",
        "https://client.example/%2e%2e/client.json",
        "https://client.example/client.json#a",
        "https://me@client.example/client.json",
        "https://client.example/client.json?x=1",
        "https://CLIENT.example/client.json",
    ] {
        let client = client_at(url);
        scenario.authorize(&client.request()).await.refused_on_a_page(400);
        scenario.redeem(&client, "x").await.refused(401, "invalid_client");
    }
    for url in ["http://client.example/client.json", "HTTPS://client.example/client.json"] {
        scenario.authorize(&client_at(url).request()).await.refused_on_a_page(400);
    }
    assert_eq!(scenario.published.asked(), [""; 0]);
}

#[tokio::test]
async fn ci_18_a_document_that_is_no_good_ends_on_a_page_or_as_invalid_client() {
    let scenario = Scenario::new();
    let other = with(&[("client_id", json!(format!("{URL}/")))]);
    for published in [None, Some(other), Some(with(&[("client_secret", json!("s"))]))] {
        match published {
            Some(document) => scenario.published.publish(URL, document),
            None => scenario.published.withdraw(URL),
        }
        let client = client_at(URL);
        scenario.authorize(&client.request()).await.refused_on_a_page(400);
        scenario.redeem(&client, "x").await.refused(401, "invalid_client");
    }
    assert_eq!(scenario.store.writes(), [""; 0]);
}

#[tokio::test]
async fn ci_15_outside_nobody_is_told_what_was_found_and_the_audit_log_is() {
    let scenario = Scenario::new();
    let client = client_at(URL);
    let page = scenario.authorize(&client.request()).await;
    let answer = scenario.redeem(&client, "x").await;
    for body in [page.page(), &answer.body] {
        assert!(!body.contains(INSIDE) && !body.contains("10.0.0.7"), "{body}");
    }
    scenario.published.publish(URL, json!({ "client_id": URL, "password": "hunter2" }));
    let generic = scenario.authorize(&client.request()).await;
    assert_eq!(generic.page(), page.page());
    let names = scenario.audit.names();
    assert_eq!(names, ["client_document_unusable"; 3]);
    let recorded = format!("{:?}", scenario.audit.events());
    assert!(recorded.contains(INSIDE) && recorded.contains("has no client_name"), "{recorded}");
    assert!(recorded.contains(URL) && !recorded.contains("hunter2"), "{recorded}");
}

#[tokio::test]
async fn ci_15_when_too_much_is_asked_the_client_may_come_again() {
    let scenario = Scenario::new();
    let client = published(&scenario, &document());
    scenario.published.be_busy();
    let page = scenario.authorize(&client.request()).await;
    page.refused_on_a_page(503);
    assert_eq!(page.header("retry-after"), Some("5"));
    scenario.redeem(&client, "x").await.refused(503, "temporarily_unavailable");
}

#[tokio::test]
async fn ci_13_only_listed_domains_are_asked_and_each_time_anew() {
    let pattern = |text: &str| DomainPattern::parse(text).unwrap();
    let listed = vec![pattern("other.example"), pattern("*.client.example")];
    let scenario = with_documents(ClientDocumentPolicy::Listed(listed));
    let client = published(&scenario, &document());
    scenario.authorize(&client.request()).await.refused_on_a_page(400);
    scenario.redeem(&client, "x").await.refused(401, "invalid_client");
    assert_eq!(scenario.audit.names(), ["client_document_not_permitted"; 2]);
    assert_eq!(scenario.published.asked(), [""; 0]);

    let url = "https://app.client.example/client.json";
    scenario.published.publish(url, with(&[("client_id", json!(url))]));
    scenario.tokens(&client_at(url)).await;
}

#[tokio::test]
async fn md_07_ci_13_when_documents_are_off_none_is_announced_or_asked() {
    let scenario = with_documents(ClientDocumentPolicy::Off);
    for path in ["oauth-authorization-server", "openid-configuration"] {
        let document = scenario.get(&format!("/.well-known/{path}")).send().await.expect(200);
        assert_eq!(document.json().get("client_id_metadata_document_supported"), None);
    }
    let client = published(&scenario, &document());
    scenario.authorize(&client.request()).await.refused_on_a_page(400);
    scenario.redeem(&client, "x").await.refused(401, "invalid_client");
    assert_eq!(scenario.published.asked(), [""; 0]);
    scenario.tokens(&scenario.client().await).await;
}

#[tokio::test]
async fn az_19_the_page_says_who_answers_for_the_client() {
    let scenario = Scenario::new();
    let client = published(&scenario, &with(&[("client_name", json!("Claude"))]));
    let page = unescaped(scenario.ask(&client.request()).await.page());
    assert!(page.contains("Claude") && page.contains("application of <strong>client.example<"));
    let registered = scenario.client().await;
    let page = unescaped(scenario.ask(&registered.request()).await.page());
    assert!(!page.contains("application of <strong>"));
}

#[tokio::test]
async fn az_20_a_client_that_lives_on_any_computer_can_be_anybody() {
    let scenario = Scenario::new();
    let warning = "pass itself off as this application of <strong>client.example<";
    let loopback = json!(["http://127.0.0.1/callback", "http://localhost/callback"]);
    let client = published(&scenario, &with(&[("redirect_uris", loopback)]));
    let page = scenario.ask(&client.request()).await;
    assert!(page.page().contains(warning), "{}", page.page());
    assert!(page.page().contains("any program here could have asked"));
    let mixed = json!(["http://127.0.0.1/callback", "https://client.example/callback"]);
    let client = published(&scenario, &with(&[("redirect_uris", mixed)]));
    assert!(!scenario.ask(&client.request()).await.page().contains(warning));
}

#[tokio::test]
async fn ci_16_nothing_of_the_client_is_loaded_by_the_page() {
    let scenario = Scenario::new();
    let details = [
        ("logo_uri", json!("https://client.example/logo.png")),
        ("client_uri", json!("https://client.example/about")),
        ("tos_uri", json!("https://client.example/terms")),
    ];
    let client = published(&scenario, &with(&details));
    let login = scenario.authorize(&client.request()).await;
    let consent = scenario.log_in(&login).await;
    for page in [login, consent] {
        for text in ["logo", "client.example/about", "terms", "<img"] {
            assert!(!page.page().contains(text), "{text}");
        }
    }
}

#[tokio::test]
async fn tk_14_a_document_client_has_no_secret() {
    let scenario = Scenario::new();
    let client = published(&scenario, &document());
    let code = scenario.code(&client).await;
    let form = redemption(&code).with("client_id", URL).with("client_secret", "made-up");
    scenario.post("/token").form(&form).send().await.refused(401, "invalid_client");
    scenario.redeem(&client, &code).await.expect(200);
}

#[tokio::test]
async fn rg_07_a_registered_id_is_made_here_and_is_no_address() {
    let scenario = Scenario::new();
    let metadata = json!({ "client_id": URL, "redirect_uris": ["https://client.example/cb"] });
    let registered = scenario.register(&metadata).await.expect(201).json();
    assert!(!registered["client_id"].as_str().unwrap().starts_with("https://"));
}
