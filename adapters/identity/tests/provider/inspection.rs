//! What is found out about a provider before anybody logs in.

use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_identity::{IssuerSpelling, ProviderInspection, RedirectJudgement, inspect_provider};
use serde_json::json;

use crate::fake_provider::{AUTHORIZE, DISCOVERY, KEYS, Reply};
use crate::world::{CLIENT, World};

const OURS: &str = "https://mcp.example/callback/work";

async fn inspected(world: &World) -> ProviderInspection {
    inspect_provider(&world.documents(world.config()), Some(OURS)).await
}

#[tokio::test]
async fn a_provider_in_good_order_is_described() {
    let world = World::new().await;
    world.provider.publishes(json!({
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "authorization_response_iss_parameter_supported": true,
    }));
    world.provider.will(AUTHORIZE, Reply::Text("302", "location: /login?ui=1\r\n", String::new()));
    let found = inspected(&world).await;
    assert_eq!(found.spelling, Some(IssuerSpelling::Same));
    assert_eq!(found.attempts.len(), 1);
    assert_eq!(found.redirect, RedirectJudgement::Accepted);
    let keys = found.keys.unwrap();
    assert_eq!((keys.published, keys.usable), (1, vec![(Some("one".into()), "P-256".into())]));
    let published = found.published.unwrap();
    assert_eq!(published.offers_s256, Some(true));
    assert!(published.promises_response_issuer);
    assert_eq!(published.token_endpoint_auth_methods, Some(vec!["client_secret_post".into()]));
    let [request] = <[_; 1]>::try_from(world.provider.requests(AUTHORIZE)).unwrap();
    for part in [&format!("client_id={CLIENT}"), "callback%2Fwork", "code_challenge_method=S256"] {
        assert!(request.head.contains(part), "{part} {}", request.head);
    }
}

#[tokio::test]
async fn a_slash_too_few_is_told_from_another_issuer() {
    let world = World::new().await;
    let published = format!("{}/", world.provider.issuer);
    world.provider.publishes(json!({ "issuer": published }));
    let found = inspected(&world).await;
    assert_eq!(found.spelling, Some(IssuerSpelling::TrailingSlash { published }));
    world.provider.publishes(json!({ "issuer": null }));
    let found = inspected(&world).await;
    assert_eq!(found.spelling, Some(IssuerSpelling::Other { published: String::new() }));
}

#[tokio::test]
async fn a_clock_that_differs_is_noticed() {
    let world = World::new().await;
    let date = "content-type: application/json\r\ndate: Fri, 15 Jan 2027 08:01:40 GMT\r\n";
    world.provider.will(DISCOVERY, Reply::Text("200", date, "{}".to_owned()));
    assert_eq!(inspected(&world).await.clock_ahead, Some(100));
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let world = World::new().await;
    world.provider.will(KEYS, Reply::Json(200, json!({ "keys": [] })));
    assert!(inspected(&world).await.keys.is_err());
    world.provider.will(DISCOVERY, Reply::Json(503, json!({})));
    let found = inspected(&world).await;
    let statuses: Vec<_> = found.attempts.iter().map(|attempt| attempt.status).collect();
    assert_eq!(statuses, [Some(503), Some(404)]);
    assert!(found.attempts.iter().all(|attempt| attempt.problem.is_some()));
    let mut config = world.config();
    config.policy.issuer.issuer = Issuer::new("http://id.example");
    let found = inspect_provider(&world.documents(config), None).await;
    assert!(found.attempts.iter().all(|attempt| attempt.status.is_none()));
}

#[tokio::test]
async fn a_redirect_address_that_is_not_registered_is_noticed() {
    let world = World::new().await;
    for (reply, is_refused) in [
        (Reply::Text("400", "", String::new()), true),
        (Reply::Text("200", "", "Error AADSTS50011: the reply address".to_owned()), true),
        (Reply::Text("302", "location: /oauth/error?code=1\r\n", String::new()), true),
        (
            Reply::Text(
                "302",
                "location: https://mcp.example/callback/work?error=x\r\n",
                String::new(),
            ),
            false,
        ),
        (Reply::Text("200", "", "<h1>Log in</h1>".to_owned()), false),
    ] {
        world.provider.will(AUTHORIZE, reply);
        let redirect = inspected(&world).await.redirect;
        assert_eq!(
            matches!(redirect, RedirectJudgement::Refused { .. }),
            is_refused,
            "{redirect:?}"
        );
        assert_eq!(redirect == RedirectJudgement::Accepted, !is_refused);
    }
    world.provider.will(AUTHORIZE, Reply::Hangup);
    assert!(matches!(inspected(&world).await.redirect, RedirectJudgement::Unclear(_)));
}
