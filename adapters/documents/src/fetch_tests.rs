//! Fetching from a real server over TLS, and not fetching from where nobody may be asked.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::client_document::ClientDocument;
use mcp_oauth_core::domain::client_document_url::ClientDocumentUrl;
use mcp_oauth_core::domain::client_keys::JwksUri;
use mcp_oauth_core::port::{ClientDocuments, DocumentError, Fetched, WantedKeys};
use reqwest::Certificate;

use crate::WebDocuments;
use crate::guarded_resolver::{Lookup, SystemLookup};
use crate::public_fetch::Surroundings;
use crate::reach::Reach;
use crate::test_server::{NAME, Reply, TestServer};

const JSON: &str = "content-type: application/json\r\n";

/// A resolver that answers as it is told, once each.
#[derive(Default)]
struct ScriptedLookup(Mutex<VecDeque<Vec<IpAddr>>>);

impl ScriptedLookup {
    fn answering(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

#[async_trait]
impl Lookup for ScriptedLookup {
    async fn lookup(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
        let answer = self.0.lock().unwrap().pop_front();
        let answer = answer.ok_or_else(|| io::Error::other("no such name"))?;
        Ok(answer.into_iter().map(|address| SocketAddr::new(address, 0)).collect())
    }
}

fn surroundings(server: &TestServer, reach: Reach, lookup: Arc<dyn Lookup>) -> Surroundings {
    let certificates = Certificate::from_pem_bundle(server.authority.as_bytes()).unwrap();
    Surroundings { reach, lookup, certificates, total_timeout: None }
}

/// As the setting for tests has it.
fn on_loopback(server: &TestServer) -> WebDocuments {
    WebDocuments::for_tests(server.authority.as_bytes()).unwrap()
}

fn impatient(server: &TestServer) -> WebDocuments {
    let total_timeout = Some(Duration::from_millis(200));
    let lookup = Arc::new(SystemLookup);
    let surroundings = surroundings(server, Reach::LoopbackToo, lookup);
    WebDocuments::within(Surroundings { total_timeout, ..surroundings })
}

fn document(url: &str) -> String {
    format!(
        r#"{{"client_id":"{url}","client_name":"Test","redirect_uris":["https://c.example/cb"]}}"#
    )
}

/// The document, with blanks at its end up to `length` bytes.
fn document_of(url: &str, length: usize) -> String {
    format!("{:length$}", document(url))
}

async fn fetch(
    documents: &WebDocuments,
    url: &str,
) -> Result<Fetched<ClientDocument>, DocumentError> {
    documents.fetch(&ClientDocumentUrl::parse(url).unwrap()).await
}

async fn assert_unreachable(documents: &WebDocuments, url: &str, why: &str) {
    match fetch(documents, url).await {
        Err(DocumentError::Unreachable { address, reason }) => {
            assert_eq!(address, url);
            assert!(reason.contains(why), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

async fn assert_invalid(documents: &WebDocuments, url: &str, why: &str) {
    match fetch(documents, url).await {
        Err(DocumentError::Invalid { reason, .. }) => assert!(reason.contains(why), "{reason}"),
        other => panic!("{other:?}"),
    }
}

async fn assert_forbidden(documents: &WebDocuments, url: &str, why: &str) {
    match fetch(documents, url).await {
        Err(DocumentError::Forbidden { reason, .. }) => assert!(reason.contains(why), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn ci_03_a_document_is_fetched_with_one_plain_request() {
    let server = TestServer::start().await;
    let url = server.url("/client.json");
    server.will_answer("200 OK", &format!("{JSON}cache-control: max-age=300\r\n"), &document(&url));
    let fetched = fetch(&on_loopback(&server), &url).await.unwrap();
    assert_eq!(fetched.fresh_for, Some(Duration::from_secs(300)));
    let [request] = <[String; 1]>::try_from(server.requests()).unwrap();
    assert!(request.starts_with("get /client.json http/1.1\r\n"), "{request}");
    assert!(request.contains("accept: application/json\r\n"), "{request}");
    for header in ["cookie", "authorization", "referer", "accept-encoding", "origin"] {
        assert!(!request.contains(header), "{request}");
    }
}

#[tokio::test]
async fn ci_03_only_200_counts_and_no_redirect_is_followed() {
    let server = TestServer::start().await;
    let url = server.url("/client.json");
    let documents = on_loopback(&server);
    let location = format!("{JSON}location: {}\r\n", server.url("/elsewhere.json"));
    let statuses = [
        "201", "202", "203", "206", "300", "301", "302", "303", "307", "308", "400", "401", "404",
        "500", "503",
    ];
    for status in statuses {
        server.will_answer(&format!("{status} X"), &location, &document(&url));
        assert_unreachable(&documents, &url, status).await;
    }
    assert_eq!(server.requests().len(), statuses.len());
}

#[tokio::test]
async fn ci_11_after_a_404_the_next_answer_counts() {
    let server = TestServer::start().await;
    let url = server.url("/client.json");
    let documents = on_loopback(&server);
    server.will_answer("404 Not Found", JSON, "{}");
    server.will_answer("200 OK", JSON, &document(&url));
    assert_unreachable(&documents, &url, "404").await;
    fetch(&documents, &url).await.unwrap();
}

#[tokio::test]
async fn ci_06_a_document_has_5_kilobytes_announced_or_not() {
    let server = TestServer::start().await;
    let url = server.url("/client.json");
    let documents = on_loopback(&server);
    let unannounced = |body: &str| {
        let chunk = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
        Reply::Text(format!("HTTP/1.1 200 OK\r\n{JSON}transfer-encoding: chunked\r\n\r\n{chunk}"))
    };
    let (most, more, much) =
        (document_of(&url, 5120), document_of(&url, 5121), document_of(&url, 6000));
    server.will_answer("200 OK", JSON, &most);
    server.will(unannounced(&most));
    for _ in 0..2 {
        fetch(&documents, &url).await.unwrap();
    }
    server.will_answer("200 OK", JSON, &more);
    server.will_answer("200 OK", JSON, &much);
    server.will(unannounced(&more));
    server.will(unannounced(&much));
    for _ in 0..4 {
        assert_invalid(&documents, &url, "longer than 5120 bytes").await;
    }
}

#[tokio::test]
async fn ci_06_an_endless_body_is_given_up_at_the_limit() {
    let server = TestServer::start().await;
    let url = server.url("/client.json");
    let endless = document_of(&url, 6000);
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}transfer-encoding: chunked\r\n\r\n");
    server.will(Reply::Beginning(format!("{head}{:x}\r\n{endless}\r\n", endless.len())));
    assert_invalid(&on_loopback(&server), &url, "longer than").await;
}

#[tokio::test]
async fn ci_06_who_is_slow_is_given_up() {
    let server = TestServer::start().await;
    let url = server.url("/client.json");
    let documents = impatient(&server);
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}content-length: 100\r\n\r\n");
    for beginning in ["", "HTTP/1.1 200 OK\r\n", &head, &format!("{head}{{")] {
        server.will(Reply::Beginning(beginning.to_owned()));
        match fetch(&documents, &url).await {
            Err(DocumentError::Unreachable { reason, .. }) => {
                assert!(reason.contains("timed out"), "{reason}");
            }
            other => panic!("{beginning:?} {other:?}"),
        }
    }
}

#[tokio::test]
async fn ci_06_only_json_in_utf_8_is_a_document() {
    let server = TestServer::start().await;
    let url = server.url("/client.json");
    let documents = on_loopback(&server);
    for kind in
        ["application/json; charset=utf-8", "Application/JSON", "application/client-id+json"]
    {
        server.will_answer("200 OK", &format!("content-type: {kind}\r\n"), &document(&url));
        fetch(&documents, &url).await.unwrap_or_else(|error| panic!("{kind} {error}"));
    }
    for kind in ["text/html", "text/json", "application/jsonp", "application/octet-stream", ""] {
        server.will_answer("200 OK", &format!("content-type: {kind}\r\n"), &document(&url));
        assert_invalid(&documents, &url, "not served as JSON").await;
    }
    server.will_answer("200 OK", "", &document(&url));
    assert_invalid(&documents, &url, "not served as JSON").await;
    server.will_answer("200 OK", JSON, "<html>");
    assert_invalid(&documents, &url, "not a JSON object").await;
}

#[tokio::test]
async fn ci_07_a_document_of_another_address_is_invalid() {
    let server = TestServer::start().await;
    server.will_answer("200 OK", JSON, &document(&server.url("/other.json")));
    assert_invalid(&on_loopback(&server), &server.url("/client.json"), "other.json").await;
}

#[tokio::test]
async fn ci_17_keys_are_fetched_under_the_same_rules_and_may_be_12_kilobytes() {
    let server = TestServer::start().await;
    let documents = on_loopback(&server);
    let uri = JwksUri::parse(&server.url("/keys?v=1")).unwrap();
    let fetch = || documents.fetch_keys(&uri, WantedKeys::Any);
    let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    for length in [0, 12 * 1024] {
        server.will_answer("200 OK", JSON, &format!("{keys:length$}"));
        assert_eq!(fetch().await.unwrap().value.iter().count(), 1);
    }
    let (long, location) = (12 * 1024 + 1, format!("location: {}\r\n", server.url("/")));
    server.will_answer("200 OK", JSON, &format!("{keys:long$}"));
    server.will_answer("200 OK", JSON, r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#);
    server.will_answer("200 OK", JSON, "[]");
    server.will_answer("200 OK", JSON, "{");
    server.will_answer("200 OK", "content-type: text/plain\r\n", keys);
    for _ in 0..5 {
        assert!(matches!(fetch().await, Err(DocumentError::Invalid { .. })));
    }
    server.will_answer("302 Found", &location, "");
    assert!(matches!(fetch().await, Err(DocumentError::Unreachable { .. })));
    let metadata = JwksUri::parse("https://169.254.169.254/keys").unwrap();
    let forbidden = documents.fetch_keys(&metadata, WantedKeys::Any).await;
    assert!(matches!(forbidden, Err(DocumentError::Forbidden { .. })), "{forbidden:?}");
}

#[tokio::test]
async fn ci_04_this_machine_is_not_asked_in_earnest() {
    let server = TestServer::start().await;
    let lookup = ScriptedLookup::answering(&[&["127.0.0.1"], &["::1"], &["::ffff:127.0.0.1"]]);
    let earnest = WebDocuments::within(surroundings(&server, Reach::Public, lookup));
    for _ in 0..3 {
        assert_forbidden(&earnest, &format!("https://{NAME}/client.json"), "special use").await;
    }
    for url in ["https://127.0.0.1/c", "https://[::1]/c", "https://localhost/c"] {
        assert!(
            matches!(fetch(&earnest, url).await, Err(DocumentError::Forbidden { .. })),
            "{url}"
        );
    }
    assert_forbidden(&earnest, &server.named_url("/client.json"), "port").await;
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn ci_04_ci_05_one_special_address_among_many_is_enough() {
    let server = TestServer::start().await;
    let lookup = ScriptedLookup::answering(&[
        &["93.184.215.14", "10.0.0.1"],
        &["127.0.0.1", "169.254.169.254"],
        &["127.0.0.1", "64:ff9b::a00:1"],
    ]);
    let documents = WebDocuments::within(surroundings(&server, Reach::LoopbackToo, lookup));
    for _ in 0..3 {
        assert_forbidden(&documents, &server.named_url("/client.json"), "special use").await;
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn ci_05_the_address_that_was_judged_is_the_one_that_is_asked() {
    let server = TestServer::start().await;
    let url = server.named_url("/client.json");
    let lookup = ScriptedLookup::answering(&[&["127.0.0.1"], &["10.0.0.7"]]);
    let resolver = Arc::clone(&lookup) as _;
    let documents = WebDocuments::within(surroundings(&server, Reach::LoopbackToo, resolver));
    let (body, length) = (document(&url), document(&url).len());
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}content-length: {length}\r\n\r\n");
    // The whole answer on a connection that could be used again.
    server.will(Reply::Beginning(format!("{head}{body}")));
    fetch(&documents, &url).await.unwrap();
    assert_eq!(lookup.left(), 1, "the name was looked up once");
    assert_forbidden(&documents, &url, "10.0.0.7").await;
    assert_eq!(server.connections(), 1, "no connection was kept");
}

#[tokio::test]
async fn a_name_nobody_knows_and_a_port_nobody_serves_are_unreachable() {
    let server = TestServer::start().await;
    let lookup = ScriptedLookup::answering(&[&[], &["127.0.0.1"]]);
    let documents = WebDocuments::within(surroundings(&server, Reach::LoopbackToo, lookup));
    let url = server.named_url("/client.json");
    assert!(matches!(fetch(&documents, &url).await, Err(DocumentError::Unreachable { .. })));
    assert_unreachable(&documents, &format!("https://{NAME}:1/client.json"), "refused").await;
    assert_unreachable(&documents, &url, "no such name").await;
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_unreachable() {
    let (server, other) = (TestServer::start().await, TestServer::start().await);
    assert_unreachable(&on_loopback(&other), &server.url("/client.json"), "certificate").await;
    assert!(server.requests().is_empty());
}

#[test]
fn ci_05_a_proxy_of_the_environment_is_not_asked() {
    let mut fetching = Command::new(std::env::current_exe().unwrap());
    fetching.args(["--exact", "fetch_tests::ci_03_a_document_is_fetched_with_one_plain_request"]);
    // Nobody serves port 1: a request through the proxy would fail.
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY"] {
        fetching.env(variable, "http://127.0.0.1:1");
    }
    let output = fetching.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn what_is_no_certificate_is_refused() {
    for no_certificate in
        ["", "text", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"]
    {
        assert!(WebDocuments::for_tests(no_certificate.as_bytes()).is_err(), "{no_certificate}");
    }
}
