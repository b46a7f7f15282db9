//! How a client introduces itself (checklist 8: RG-01 to RG-08).

use serde_json::{Value, json};

use crate::scenario::{LOCAL, Scenario};
use crate::steps::client_metadata;
use crate::world::NOW;

/// The usual metadata with one member of another value.
fn with(name: &str, value: Value) -> Value {
    let mut metadata = client_metadata();
    metadata[name] = value;
    metadata
}

#[tokio::test]
async fn rg_01_the_answer_holds_everything_in_effect() {
    let scenario = Scenario::new();
    let metadata = json!({
        "client_name": "Client",
        "client_uri": "https://c.example",
        "redirect_uris": ["https://c.example/cb", "cursor://x/y"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["refresh_token", "authorization_code", "client_credentials"],
        "response_types": ["code"],
        "scope": "mcp:tools bogus",
        "software_id": "software",
        "software_version": "1.2.3",
        "contacts": ["nobody@c.example"],
    });
    let answer = scenario.register(&metadata).await.expect(201);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let mut registered = answer.json();
    let id = registered["client_id"].take();
    assert!(id.as_str().unwrap().starts_with("mcp-"));
    let members = registered.as_object_mut().unwrap();
    let token = members.remove("registration_access_token").unwrap();
    assert_eq!(token.as_str().unwrap().len(), 43);
    let address = members.remove("registration_client_uri").unwrap();
    assert_eq!(address, format!("{LOCAL}/register/{}", id.as_str().unwrap()));
    let effective = json!({
        "client_id": null,
        "client_id_issued_at": NOW,
        "client_name": "Client",
        "client_uri": "https://c.example",
        "redirect_uris": ["https://c.example/cb", "cursor://x/y"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "mcp:tools",
        "software_id": "software",
        "software_version": "1.2.3",
    });
    assert_eq!(registered, effective);
}

#[tokio::test]
async fn rg_02_a_secret_and_its_end_come_together_or_not_at_all() {
    let scenario = Scenario::new();
    for method in ["client_secret_basic", "client_secret_post"] {
        let metadata = with("token_endpoint_auth_method", json!(method));
        let registered = scenario.register(&metadata).await.expect(201).json();
        assert_eq!(registered["client_secret_expires_at"], 0);
        assert_eq!(registered["client_secret"].as_str().unwrap().len(), 43);
    }
    let public = scenario.register(&client_metadata()).await.expect(201).json();
    assert_eq!(public.get("client_secret"), None);
    assert_eq!(public.get("client_secret_expires_at"), None);
}

#[tokio::test]
async fn rg_03_a_bad_redirect_address_is_named_as_such() {
    let scenario = Scenario::new();
    let many = vec!["https://c.example/cb"; 11];
    let long = format!("https://c.example/{}", "x".repeat(2048));
    let bad = [
        json!([]),
        json!(null),
        json!(["http://c.example/cb"]),
        json!(["https://c.example/cb", "javascript:alert(1)"]),
        json!(["https://c.example/#f"]),
        json!(["\"quoted\""]),
        json!([long]),
        json!(many),
    ];
    for addresses in bad {
        let answer = scenario.register(&with("redirect_uris", addresses)).await;
        answer.refused(400, "invalid_redirect_uri");
    }
    scenario.register(&json!({})).await.refused(400, "invalid_redirect_uri");
    assert_eq!(scenario.store.writes(), [""; 0]);
}

#[tokio::test]
async fn rg_03_other_bad_metadata_is_named_as_such() {
    let scenario = Scenario::new();
    let bad = [
        ("redirect_uris", json!("https://c.example/cb")),
        ("redirect_uris", json!([7])),
        ("client_name", json!(7)),
        ("client_name", json!("x".repeat(3000))),
        ("client_uri", json!("javascript:alert(1)")),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("token_endpoint_auth_method", json!(["none"])),
        ("grant_types", json!("authorization_code")),
        ("scope", json!("\"quoted\"")),
        ("scope", json!(["mcp:tools"])),
        ("application_type", json!("toaster")),
        ("software_id", json!({})),
    ];
    for (name, value) in bad {
        let answer = scenario.register(&with(name, value)).await;
        answer.refused(400, "invalid_client_metadata");
    }
    assert_eq!(scenario.store.writes(), [""; 0]);
}

#[tokio::test]
async fn rg_03_a_software_statement_nobody_vouches_for_is_refused() {
    let scenario = Scenario::new();
    let unsigned = "eyJhbGciOiJub25lIn0.e30.";
    let answer = scenario.register(&with("software_statement", json!(unsigned))).await;
    answer.refused(400, "unapproved_software_statement");
    for statement in [json!("a.b.c"), json!(""), json!(1), json!({})] {
        let answer = scenario.register(&with("software_statement", statement)).await;
        answer.refused(400, "invalid_software_statement");
    }
    assert_eq!(scenario.store.writes(), [""; 0]);
}

#[tokio::test]
async fn rg_03_a_member_that_is_null_is_absent() {
    let scenario = Scenario::new();
    let mut metadata = json!({ "redirect_uris": ["https://c.example/cb"] });
    let absent = [
        "client_name",
        "client_uri",
        "token_endpoint_auth_method",
        "grant_types",
        "response_types",
        "scope",
        "application_type",
        "software_id",
        "software_version",
        "software_statement",
    ];
    for name in absent {
        metadata[name] = Value::Null;
    }
    scenario.register(&metadata).await.expect(201);
}

#[tokio::test]
async fn rg_04_a_client_that_says_nothing_gets_the_defaults_and_is_told() {
    let scenario = Scenario::new();
    let metadata = json!({ "redirect_uris": ["https://c.example/cb"] });
    let registered = scenario.register(&metadata).await.expect(201).json();
    assert_eq!(registered["token_endpoint_auth_method"], "client_secret_basic");
    assert_eq!(registered["grant_types"], json!(["authorization_code"]));
    assert_eq!(registered["response_types"], json!(["code"]));
    assert!(registered["client_secret"].is_string());
    assert_eq!(registered.get("client_name"), None);
}

#[tokio::test]
async fn rg_05_grants_and_responses_that_do_not_go_together_are_refused() {
    let scenario = Scenario::new();
    let bad = [
        ("grant_types", json!(["refresh_token"])),
        ("grant_types", json!(["client_credentials"])),
        ("grant_types", json!([])),
        ("response_types", json!(["token"])),
        ("response_types", json!([])),
    ];
    for (name, value) in bad {
        let answer = scenario.register(&with(name, value)).await;
        answer.refused(400, "invalid_client_metadata");
    }
}

#[tokio::test]
async fn rg_06_a_web_application_has_https_addresses_only() {
    let scenario = Scenario::new();
    let of_kind = |kind: &str, address: &str| {
        let mut metadata = with("redirect_uris", json!([address]));
        metadata["application_type"] = json!(kind);
        metadata
    };
    for (kind, address) in [
        ("native", "http://127.0.0.1/cb"),
        ("native", "cursor://x/y"),
        ("web", "https://c.example/cb"),
    ] {
        let registered = scenario.register(&of_kind(kind, address)).await.expect(201).json();
        assert_eq!(registered["application_type"], kind);
    }
    for address in ["http://127.0.0.1/cb", "cursor://x/y"] {
        let answer = scenario.register(&of_kind("web", address)).await;
        answer.refused(400, "invalid_redirect_uri");
    }
}

#[tokio::test]
async fn rg_07_the_id_is_made_here() {
    let scenario = Scenario::new();
    let chosen = with("client_id", json!("https://chosen.example/metadata.json"));
    let first = scenario.register(&chosen).await.expect(201).json();
    let second = scenario.register(&chosen).await.expect(201).json();
    for registered in [&first, &second] {
        assert!(registered["client_id"].as_str().unwrap().starts_with("mcp-"));
    }
    assert_ne!(first["client_id"], second["client_id"]);
}

#[tokio::test]
async fn rg_07_a_client_can_not_choose_its_secret() {
    let scenario = Scenario::new();
    let mut chosen = with("token_endpoint_auth_method", json!("client_secret_post"));
    chosen["client_secret"] = json!("chosen");
    let registered = scenario.register(&chosen).await.expect(201).json();
    assert_ne!(registered["client_secret"], "chosen");
}

#[tokio::test]
async fn rg_08_ten_redirect_addresses_are_the_most() {
    let scenario = Scenario::new();
    let addresses = |count: usize| -> Vec<String> {
        (0..count).map(|number| format!("https://c.example/{number}")).collect()
    };
    scenario.register(&with("redirect_uris", json!(addresses(10)))).await.expect(201);
    let eleven = scenario.register(&with("redirect_uris", json!(addresses(11)))).await;
    eleven.refused(400, "invalid_redirect_uri");
}
