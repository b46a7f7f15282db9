//! What every answer has in its head (checklist 10: CO-04).

use crate::answer::Answer;
use crate::scenario::Scenario;

/// An answer of every kind, refusals of every layer among them.
async fn every_kind(scenario: &Scenario) -> Vec<Answer> {
    let client = scenario.client().await;
    vec![
        scenario.get("/").send().await.expect(200),
        scenario.get("/docs").send().await.expect(200),
        scenario.get("/openapi.json").send().await.expect(200),
        scenario.get("/.well-known/jwks.json").send().await.expect(200),
        scenario.authorize(&client.request()).await.expect(200),
        scenario.authorize(&client.request().with("scope", "bogus")).await.expect(303),
        scenario.redeem(&client, "x").await.expect(400),
        scenario.get("/mcp").send().await.expect(401),
        scenario.get("/mcp").header("origin", "https://evil.example").send().await.expect(403),
        scenario.get("/nothing").send().await.expect(404),
        scenario.get("/token").send().await.expect(405),
        scenario.post("/register").body("text/plain", "x").send().await.expect(415),
    ]
}

#[tokio::test]
async fn co_04_no_answer_is_guessed_at_and_none_tells_where_one_comes_from() {
    for answer in every_kind(&Scenario::new()).await {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{}", answer.body);
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{}", answer.body);
    }
}

#[tokio::test]
async fn co_04_a_public_server_wants_https_ever_after() {
    for answer in every_kind(&Scenario::at("https://mcp.example.com")).await {
        let header = answer.header("strict-transport-security");
        assert_eq!(header, Some("max-age=31536000"), "{}", answer.body);
    }
    for answer in every_kind(&Scenario::new()).await {
        assert_eq!(answer.header("strict-transport-security"), None);
    }
}

#[tokio::test]
async fn co_04_nobody_keeps_a_page_of_a_login() {
    let scenario = Scenario::new();
    let client = scenario.client().await;
    let login = scenario.authorize(&client.request()).await;
    let consent = scenario.log_in(&login).await;
    let error = scenario.authorize(&client.request().with("client_id", "x")).await;
    for page in [login, consent, error] {
        page.page();
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn co_04_every_answer_has_an_id_of_its_own() {
    let answers = every_kind(&Scenario::new()).await;
    let ids: std::collections::BTreeSet<_> =
        answers.iter().map(|answer| answer.header("x-request-id").unwrap()).collect();
    assert_eq!(ids.len(), answers.len());
}
