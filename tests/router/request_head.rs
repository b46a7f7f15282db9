//! How large the head of a request, and how deep a registration, may be (checklist CO-04, RG-08).

use serde_json::{Value, json};

use crate::scenario::Scenario;
use crate::steps::client_metadata;

#[tokio::test]
async fn co_04_an_address_of_more_than_16_kibibytes_is_414() {
    let scenario = Scenario::new();
    let path = |length: usize| format!("/health/live?{}", "x".repeat(length - 13));
    scenario.get(&path(16 * 1024)).send().await.expect(200);
    for method in ["/health/live", "/nothing", "/authorize"] {
        let path = format!("{method}?{}", "x".repeat(16 * 1024));
        scenario.get(&path).send().await.refused(414, "invalid_request");
    }
}

#[tokio::test]
async fn co_04_too_many_headers_or_too_large_ones_are_431() {
    let scenario = Scenario::new();
    let many = |count| (0..count).fold(scenario.get("/health/live"), |it, _| it.header("x-a", "b"));
    many(99).send().await.expect(200);
    many(100).send().await.refused(431, "invalid_request");
    let large = |length| scenario.get("/health/live").header("x-a", &"b".repeat(length));
    large(31 * 1024).send().await.expect(200);
    large(32 * 1024).send().await.refused(431, "invalid_request");
}

#[tokio::test]
async fn rg_08_a_registration_that_nests_too_deeply_is_refused() {
    let scenario = Scenario::new();
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!({ "a": inner }));
    let with = |unknown: Value| {
        let mut metadata = client_metadata();
        metadata["unknown"] = unknown;
        metadata
    };
    scenario.register(&with(nested(16))).await.expect(201);
    scenario.register(&with(nested(17))).await.refused(400, "invalid_client_metadata");
    scenario.register(&with(nested(1000))).await.refused(400, "invalid_client_metadata");
}
