//! Tokens of a provider that are kept for tools: no client sees them, nothing but such a tool needs them
//! (checklist 5: UP-07, UP-08). That they are in no answer of the whole suite, the scenario checks.

use std::sync::Arc;

use mcp_oauth_core::domain::admission::AdmissionPolicy;
use mcp_oauth_core::domain::grant::GrantId;
use mcp_oauth_core::domain::secret::from_base64url;
use mcp_oauth_core::port::{LoginProvider, ProviderTokenStore};
use serde_json::json;

use crate::answer::{Answer, Tokens};
use crate::broker::broker;
use crate::providers::{FakeProvider, PROVIDER_TOKEN, TOKEN_LIFE, provider};
use crate::scenario::Scenario;
use crate::steps::Client;

/// A server that keeps the tokens of `work`.
fn keeping() -> (Scenario, Arc<FakeProvider>) {
    let (login, fake) = provider("work", AdmissionPolicy::default());
    (broker(vec![LoginProvider { keeps_tokens: true, ..login }]), fake)
}

impl Scenario {
    /// Logs in at `work` for a client.
    async fn at_work_with(&self, client: &Client) -> Tokens {
        let away = self.away(client).await;
        let back = self.logged_in_as("alice", &away).await.location();
        self.redeem(client, back.query.get("code").unwrap()).await.expect(200).tokens()
    }

    /// What the tool says that asks for the provider's token.
    async fn ask_provider(&self, token: &str) -> String {
        let answer: Answer = self.call_tool(token, "ask_provider", json!({})).await.expect(200);
        answer.json()["result"]["content"][0]["text"].as_str().unwrap().to_owned()
    }

    async fn grant_of(&self, token: &str) -> GrantId {
        let header = format!("Bearer {token}");
        let caller = self.use_cases.access.authenticate(&[header.as_bytes()]).await.unwrap();
        caller.grant.clone().unwrap()
    }
}

#[tokio::test]
async fn up_07_a_tool_gets_the_token_and_nobody_else() {
    let (scenario, _) = keeping();
    let client = scenario.client().await;
    let tokens = scenario.at_work_with(&client).await;
    let told = scenario.ask_provider(&tokens.access).await;
    assert!(told.starts_with("asked work with 0; ProviderAccessToken"), "{told}");
    let payload = tokens.access.split('.').nth(1).unwrap();
    let payload = String::from_utf8(from_base64url(payload).unwrap()).unwrap();
    assert!(!payload.contains(PROVIDER_TOKEN), "{payload}");
    let grant = scenario.grant_of(&tokens.access).await;
    let kept = scenario.store.find_tokens(&grant).await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(kept.sealed.as_bytes()).contains("token"));
    assert!(!format!("{:?}", scenario.audit.events()).contains(PROVIDER_TOKEN));
}

#[tokio::test]
async fn up_07_by_default_nothing_is_kept() {
    let scenario = broker(vec![provider("work", AdmissionPolicy::default()).0]);
    let client = scenario.client().await;
    let tokens = scenario.at_work_with(&client).await;
    let grant = scenario.grant_of(&tokens.access).await;
    assert_eq!(scenario.store.find_tokens(&grant).await.unwrap(), None);
    assert!(!scenario.store.writes().contains(&"keep tokens"));
}

#[tokio::test]
async fn up_08_requests_do_not_need_the_token_of_the_provider() {
    let (scenario, fake) = keeping();
    let client = scenario.client().await;
    let tokens = scenario.at_work_with(&client).await;
    scenario.clock.advance(TOKEN_LIFE);
    fake.put_out_of_reach(true);
    scenario.hello(&tokens.access).await.expect(200);
    let told = scenario.ask_provider(&tokens.access).await;
    assert!(told.contains("try again in 9 seconds"), "{told}");
    fake.put_out_of_reach(false);
    assert!(scenario.ask_provider(&tokens.access).await.starts_with("asked work with 1;"));
    assert!(scenario.ask_provider(&tokens.access).await.starts_with("asked work with 1;"));
    assert_eq!(fake.refreshed(), 1);
    scenario.clock.advance(TOKEN_LIFE);
    fake.take_tokens_back();
    let told = scenario.ask_provider(&tokens.access).await;
    assert!(told.contains("work gives no more access") && !told.contains("inside"), "{told}");
    scenario.hello(&tokens.access).await.expect(200);
    assert_eq!(scenario.ask_provider(&tokens.access).await, "there is none");
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
}

#[tokio::test]
async fn up_08_tools_that_ask_at_once_refresh_once() {
    let (scenario, fake) = keeping();
    let client = scenario.client().await;
    let tokens = scenario.at_work_with(&client).await;
    scenario.clock.advance(TOKEN_LIFE);
    let asked = || scenario.ask_provider(&tokens.access);
    let (one, two, three) = tokio::join!(asked(), asked(), asked());
    for told in [one, two, three] {
        assert!(told.starts_with("asked work with 1;"), "{told}");
    }
    assert_eq!(fake.refreshed(), 1);
}

#[tokio::test]
async fn up_07_each_grant_has_a_login_and_tokens_of_its_own() {
    let (scenario, fake) = keeping();
    for _ in 0..2 {
        // The same browser: elsewhere its login session would do.
        let client = scenario.client().await;
        let tokens = scenario.at_work_with(&client).await;
        assert!(scenario.ask_provider(&tokens.access).await.starts_with("asked work with 0;"));
    }
    assert_eq!(fake.redeemed().len(), 2);
    let silent = scenario.client().await.request().and("prompt", "none");
    let back = scenario.authorize(&silent).await;
    assert!(
        format!("{} {:?}", back.body, back.headers).contains("login_required"),
        "{}",
        back.body
    );
}

#[tokio::test]
async fn up_07_the_tokens_end_with_their_grant() {
    let (scenario, _) = keeping();
    let client = scenario.client().await;
    for by_operator in [true, false] {
        let tokens = scenario.at_work_with(&client).await;
        let grant = scenario.grant_of(&tokens.access).await;
        assert!(scenario.store.find_tokens(&grant).await.unwrap().is_some());
        if by_operator {
            assert!(scenario.use_cases.grant_administration.revoke(&grant).await.unwrap());
        } else {
            scenario.revoke(&client, &tokens.refresh).await.expect(200);
        }
        assert_eq!(scenario.store.find_tokens(&grant).await.unwrap(), None);
    }
}
