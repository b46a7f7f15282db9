//! Servers reached by URL.

use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::domain::tool::CallError;
use mcp_oauth_core::port::ToolCatalog;
use mcp_oauth_tools::{
    HttpTransport, PassCaller, Reach, Sharing, UnusableUpstream, UpstreamCatalog, UpstreamConfig,
};
use serde_json::json;

use crate::scenario::{Caller, Counter, PATIENCE, asked, config_of, only_text, started, within};
use crate::web_server::{Spoken, WebServer};

const ALL: [Spoken; 3] = [Spoken::Legacy, Spoken::Modern, Spoken::Sse("/messages?session=1")];

fn of_callers(reach: Reach) -> UpstreamConfig {
    let sharing = Sharing::PerCaller { most: 10, idle: Duration::from_secs(600) };
    UpstreamConfig { sharing, ..config_of(reach) }
}

#[tokio::test]
async fn each_transport_is_found_and_serves_lists_calls_and_progress() {
    for spoken in ALL {
        let server = WebServer::start(spoken).await;
        let catalog = started(config_of(server.reach())).await;
        assert_eq!(catalog.list().await.len(), 14, "{spoken:?}");
        let ann = Caller::named("ann");
        assert_eq!(ann.text(&catalog, "echo", json!({ "n": 1 })).await, r#"{"n":1}"#);
        ann.text(&catalog, "count", json!({ "n": 5 })).await;
        assert_eq!(*ann.heard.progress.lock().unwrap(), [1.0, 2.0, 3.0, 4.0, 5.0], "{spoken:?}");
        let error = ann.call(&catalog, "refuse", json!({})).await.unwrap_err();
        assert!(matches!(error, CallError::Refused { code: -32050, .. }), "{spoken:?} {error:?}");
    }
}

#[tokio::test]
async fn each_transport_asks_the_caller() {
    for spoken in ALL {
        let server = WebServer::start(spoken).await;
        let catalog = started(of_callers(server.reach())).await;
        let ann = Caller::named("ann");
        let question = asked(ann.call(&catalog, "ask", json!({})).await);
        let answer = json!({ "action": "decline" });
        let done = ann.answer(&catalog, "ask", &question, answer).await.unwrap();
        assert!(only_text(done).contains(r#"{"action":"decline"}"#), "{spoken:?}");
    }
}

#[tokio::test]
async fn credentials_of_ours_go_with_every_request_and_are_never_shown() {
    for spoken in ALL {
        let server = WebServer::start(spoken).await;
        let config = config_of(server.reach());
        assert!(!format!("{config:?}").contains("the-secret-key"));
        let catalog = started(config).await;
        Caller::named("ann").text(&catalog, "echo", json!({})).await;
        let all = server.all_headers();
        assert!(
            all.len() > 4 && all.iter().all(|it| it["authorization"] == "Bearer the-secret-key")
        );
    }
}

#[tokio::test]
async fn who_is_calling_is_in_the_headers_of_their_calls_alone() {
    for spoken in ALL {
        let server = WebServer::start(spoken).await;
        let catalog =
            started(UpstreamConfig { caller: PassCaller::Header, ..config_of(server.reach()) });
        let catalog = catalog.await;
        Caller::named("ann\r\nx-evil: 1 Ä%").text(&catalog, "echo", json!({})).await;
        Caller::named("bob").text(&catalog, "echo", json!({})).await;
        let calls = server.headers_of("tools/call");
        assert_eq!(calls[0]["x-caller-subject"], "ann%0D%0Ax-evil:%201%20%C3%84%25");
        assert_eq!(calls[1]["x-caller-subject"], "bob");
        assert_eq!(calls[1]["x-caller-issuer"], "https://issuer.test");
        assert_eq!(calls[1]["x-caller-email"], "ann@mail.test");
        let told = server.all_headers();
        let told = told.iter().filter(|it| it.contains_key("x-caller-subject"));
        assert_eq!(told.count(), 2, "{spoken:?}");
    }
}

#[tokio::test]
async fn a_connection_of_one_caller_says_so_with_every_request_once() {
    for spoken in ALL {
        let server = WebServer::start(spoken).await;
        let config = UpstreamConfig { caller: PassCaller::Header, ..of_callers(server.reach()) };
        let catalog = started(config).await;
        Caller::named("ann").text(&catalog, "echo", json!({})).await;
        let calls = server.headers_of("tools/call");
        let said: Vec<_> = calls[0].get_all("x-caller-subject").iter().collect();
        assert_eq!(said, ["ann"], "{spoken:?}");
    }
}

#[tokio::test]
async fn arguments_go_into_headers_where_the_newest_revision_wants_them() {
    for shared in [true, false] {
        let server = WebServer::start(Spoken::Modern).await;
        let reach = server.reach();
        let config = if shared { config_of(reach) } else { of_callers(reach) };
        let catalog = started(config).await;
        Caller::named("ann").text(&catalog, "echo", json!({ "n": 7 })).await;
        let calls = server.headers_of("tools/call");
        assert_eq!(calls[0]["mcp-name"], "echo");
        assert_eq!(calls[0]["mcp-param-n"], "7", "shared: {shared}");
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_closes_its_stream_in_the_newest_revision() {
    let server = WebServer::start(Spoken::Modern).await;
    let catalog = started(config_of(server.reach())).await;
    let ann = Caller::named("ann");
    let mut hanging = Box::pin(ann.call(&catalog, "hang", json!({})));
    within(async {
        while server.headers_of("tools/call").is_empty() {
            tokio::select! {
                biased;
                _ = &mut hanging => panic!("it hangs"),
                () = tokio::task::yield_now() => {}
            }
        }
    })
    .await;
    drop(hanging);
    tokio::time::timeout(PATIENCE, server.stream_closed()).await.expect("a cancellation");
}

#[tokio::test]
async fn a_server_that_goes_is_missed_and_found_again() {
    for spoken in ALL {
        let server = WebServer::start(spoken).await;
        let mut config = config_of(server.reach());
        config.limits.patience = Duration::ZERO;
        let catalog = started(config).await;
        let ann = Caller::named("ann");
        let port = server.port;
        drop(server);
        while catalog.trouble().is_none() {
            let call = ann.call(&catalog, "echo", json!({})).await;
            assert!(matches!(call, Err(CallError::Unavailable(_))), "{spoken:?} {call:?}");
        }
        assert!(catalog.describe("echo").await.is_some(), "it is still listed");
        let _server = WebServer::start_at(port, spoken).await;
        assert!(catalog.ready(PATIENCE).await, "{spoken:?}");
        ann.text(&catalog, "echo", json!({})).await;
    }
}

async fn trouble_of(config: UpstreamConfig) -> String {
    let catalog = UpstreamCatalog::start(config, Arc::new(Counter::default())).unwrap();
    loop {
        let trouble = catalog.trouble().expect("no connection");
        if !trouble.contains("for the first time") {
            return trouble;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn messages_are_not_sent_to_another_origin_nor_to_where_a_redirect_points() {
    let server = WebServer::start(Spoken::Sse("http://elsewhere.test/messages")).await;
    let trouble = trouble_of(config_of(server.reach())).await;
    assert!(trouble.contains("another origin"), "{trouble}");

    let other = WebServer::start(Spoken::Legacy).await;
    let address: &'static str = format!("http://127.0.0.1:{}/mcp", other.port).leak();
    let server = WebServer::start(Spoken::Elsewhere(address)).await;
    trouble_of(config_of(server.reach())).await;
    assert!(other.all_headers().is_empty(), "our credentials went elsewhere");
}

#[tokio::test]
async fn only_the_transport_that_is_configured_is_tried() {
    let server = WebServer::start(Spoken::Sse("/messages")).await;
    let mut address = server.address();
    address.transport = HttpTransport::Streamable;
    let trouble = trouble_of(config_of(Reach::Url(address))).await;
    assert!(!trouble.contains("HTTP+SSE"), "{trouble}");
    let mut address = server.address();
    address.transport = HttpTransport::Sse;
    started(config_of(Reach::Url(address))).await;
}

#[tokio::test]
async fn what_can_t_be_sent_is_refused_at_the_start() {
    let server = WebServer::start(Spoken::Legacy).await;
    for (name, value) in [("Mcp-Session-Id", "x"), ("no header", "x"), ("x-key", "a\nb")] {
        let mut address = server.address();
        address.headers.insert(name.to_owned(), value.into());
        let refused =
            UpstreamCatalog::start(config_of(Reach::Url(address)), Arc::new(Counter::default()));
        assert_eq!(refused.err(), Some(UnusableUpstream::Header(name.to_owned())));
    }
    for url in ["ftp://127.0.0.1/", "http://user:pass@127.0.0.1/"] {
        let mut address = server.address();
        address.url = url.parse().unwrap();
        let refused =
            UpstreamCatalog::start(config_of(Reach::Url(address)), Arc::new(Counter::default()));
        let error = refused.err().unwrap();
        assert!(matches!(error, UnusableUpstream::Url(_)), "{error:?}");
        assert!(!error.to_string().contains("pass@"), "{error}");
    }
}
