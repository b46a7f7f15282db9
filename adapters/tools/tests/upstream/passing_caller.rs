//! Who is calling, told on request.

use mcp_oauth_tools::{PassCaller, UnusableUpstream, UpstreamCatalog, UpstreamConfig};
use serde_json::{Value, json};

use crate::scenario::{Caller, Counter, config, started};

async fn seen(config: UpstreamConfig) -> Value {
    let catalog = started(config).await;
    let meta = Caller::named("ann").text(&catalog, "meta", json!({})).await;
    serde_json::from_str(&meta).unwrap()
}

#[tokio::test]
async fn who_is_calling_is_told_on_request_only_and_never_more_than_that() {
    let silent = seen(config()).await;
    assert_eq!(silent.as_object().unwrap().keys().collect::<Vec<_>>(), ["progressToken"]);

    let told = seen(UpstreamConfig { caller: PassCaller::Meta, ..config() }).await;
    let expected = json!({
        "subject": "ann", "issuer": "https://issuer.test", "email": "ann@mail.test",
    });
    assert_eq!(told["mcp-oauth-server/caller"], expected);
    assert!(!told.to_string().contains("the-token-id"));
}

#[tokio::test]
async fn a_command_has_no_headers() {
    let config = UpstreamConfig { caller: PassCaller::Header, ..config() };
    let refused = UpstreamCatalog::start(config, std::sync::Arc::new(Counter::default()));
    assert_eq!(refused.err(), Some(UnusableUpstream::HeaderToCommand));
}
