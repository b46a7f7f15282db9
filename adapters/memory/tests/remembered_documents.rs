//! What the memory of documents promises: which questions reach the source, and which don't.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::client_document::ClientDocument;
use mcp_oauth_core::domain::client_document_url::ClientDocumentUrl;
use mcp_oauth_core::domain::client_keys::{ClientKeySet, JwksUri};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{ClientDocuments, Clock, DocumentError, Fetched, WantedKeys};
use mcp_oauth_memory::{DocumentMemory, RememberedDocuments};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

const NOW: i64 = 1_800_000_000;
const LEAST: i64 = 60;
const MOST: i64 = 600;
const ENTRIES: usize = 20;

const URL: &str = "https://c.example/client";
const KEYS: &str = "https://c.example/keys";

struct SettableClock(AtomicI64);

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::Relaxed))
    }
}

/// The web: everything is there, unless it is told to fail, and nothing arrives while it is held up.
struct Web {
    asked: Mutex<Vec<String>>,
    fresh_for: Mutex<Option<Duration>>,
    fails: AtomicBool,
    flows: watch::Sender<bool>,
}

impl Web {
    async fn answer<T>(&self, address: &str, value: T) -> Result<Fetched<T>, DocumentError> {
        self.asked.lock().unwrap().push(address.to_owned());
        self.flows.subscribe().wait_for(|flows| *flows).await.unwrap();
        if self.fails.load(Ordering::Relaxed) {
            return Err(failure(address));
        }
        Ok(Fetched { value, fresh_for: *self.fresh_for.lock().unwrap() })
    }
}

#[async_trait]
impl ClientDocuments for Web {
    async fn fetch(
        &self,
        url: &ClientDocumentUrl,
    ) -> Result<Fetched<ClientDocument>, DocumentError> {
        self.answer(url.as_str(), document(url)).await
    }

    async fn fetch_keys(
        &self,
        uri: &JwksUri,
        _: WantedKeys,
    ) -> Result<Fetched<ClientKeySet>, DocumentError> {
        self.answer(uri.as_str(), keys()).await
    }
}

fn failure(address: &str) -> DocumentError {
    DocumentError::Invalid { address: address.to_owned(), reason: "is no document".to_owned() }
}

fn document(url: &ClientDocumentUrl) -> ClientDocument {
    let document = json!({
        "client_id": url.as_str(), "client_name": "x", "redirect_uris": ["https://c.example/cb"],
    });
    ClientDocument::parse(url, document.to_string().as_bytes()).unwrap()
}

fn keys() -> ClientKeySet {
    let key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": key });
    ClientKeySet::from_jwks(&json!({ "keys": [key] })).unwrap()
}

/// The memory in front of the web.
#[derive(Clone)]
struct Scenario {
    clock: Arc<SettableClock>,
    web: Arc<Web>,
    documents: Arc<RememberedDocuments>,
}

impl Scenario {
    fn new() -> Self {
        let clock = Arc::new(SettableClock(AtomicI64::new(NOW)));
        let web = Arc::new(Web {
            asked: Mutex::default(),
            fresh_for: Mutex::default(),
            fails: AtomicBool::new(false),
            flows: watch::Sender::new(true),
        });
        let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
        let memory =
            DocumentMemory { least: seconds(LEAST), most: seconds(MOST), entries: ENTRIES };
        let source = Arc::clone(&web) as _;
        let documents = RememberedDocuments::new(source, Arc::clone(&clock) as _, memory);
        Self { clock, web, documents: Arc::new(documents) }
    }

    fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    fn hosts_say(&self, fresh_for: Option<u64>) {
        *self.web.fresh_for.lock().unwrap() = fresh_for.map(Duration::from_secs);
    }

    fn hosts_fail(&self, fail: bool) {
        self.web.fails.store(fail, Ordering::Relaxed);
    }

    fn hold_up(&self) {
        self.web.flows.send_replace(false);
    }

    fn let_flow(&self) {
        self.web.flows.send_replace(true);
    }

    /// How often the web was asked.
    fn asked(&self) -> usize {
        self.web.asked.lock().unwrap().len()
    }

    async fn fetch(&self, url: &str) -> Result<ClientDocument, DocumentError> {
        let url = ClientDocumentUrl::parse(url).unwrap();
        Ok(self.documents.fetch(&url).await?.value)
    }

    async fn fetch_keys(&self, wanted: WantedKeys) -> Result<ClientKeySet, DocumentError> {
        let uri = JwksUri::parse(KEYS).unwrap();
        Ok(self.documents.fetch_keys(&uri, wanted).await?.value)
    }

    /// Somebody who waits for a document.
    fn somebody(&self, url: &str) -> JoinHandle<Result<ClientDocument, DocumentError>> {
        let (scenario, url) = (self.clone(), url.to_owned());
        tokio::spawn(async move { scenario.fetch(&url).await })
    }
}

/// Lets everybody who can go on do so; the runtime has one thread.
async fn everybody_waits() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn is_busy<T>(answer: &Result<T, DocumentError>) -> bool {
    matches!(answer, Err(DocumentError::Busy { .. }))
}

#[tokio::test]
async fn ci_11_a_document_is_remembered_as_long_as_its_host_says_within_bounds() {
    for (says, seconds) in [
        (None, LEAST),
        (Some(0), LEAST),
        (Some(59), LEAST),
        (Some(300), 300),
        (Some(601), MOST),
        (Some(u64::MAX), MOST),
    ] {
        let scenario = Scenario::new();
        scenario.hosts_say(says);
        let first = scenario.fetch(URL).await.unwrap();
        scenario.advance(seconds - 1);
        assert_eq!(scenario.fetch(URL).await.unwrap(), first);
        assert_eq!(scenario.asked(), 1, "{says:?}");
        scenario.advance(1);
        scenario.fetch(URL).await.unwrap();
        assert_eq!(scenario.asked(), 2, "{says:?}");
    }
}

#[tokio::test]
async fn ci_11_a_failure_is_told_and_not_remembered() {
    let scenario = Scenario::new();
    scenario.hosts_fail(true);
    for _ in 0..2 {
        assert_eq!(scenario.fetch(URL).await, Err(failure(URL)));
    }
    scenario.hosts_fail(false);
    scenario.fetch(URL).await.unwrap();
    assert_eq!(scenario.asked(), 3);
}

#[tokio::test]
async fn ci_11_what_is_too_old_is_not_used_though_the_new_can_not_be_had() {
    let scenario = Scenario::new();
    scenario.fetch(URL).await.unwrap();
    scenario.advance(LEAST);
    scenario.hosts_fail(true);
    assert_eq!(scenario.fetch(URL).await, Err(failure(URL)));
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_nothing_last_longer() {
    let scenario = Scenario::new();
    scenario.fetch(URL).await.unwrap();
    scenario.advance(-1);
    scenario.fetch(URL).await.unwrap();
    assert_eq!(scenario.asked(), 2);
}

#[tokio::test]
async fn ci_15_whoever_asks_for_the_same_waits_for_the_same_answer() {
    for fails in [false, true] {
        let scenario = Scenario::new();
        scenario.hosts_fail(fails);
        scenario.hold_up();
        let crowd: Vec<_> = (0..64).map(|_| scenario.somebody(URL)).collect();
        everybody_waits().await;
        scenario.let_flow();
        for somebody in crowd {
            assert_eq!(somebody.await.unwrap().is_err(), fails);
        }
        assert_eq!(scenario.asked(), 1);
        assert_eq!(scenario.fetch(URL).await.is_err(), fails);
        assert_eq!(scenario.asked(), if fails { 2 } else { 1 });
    }
}

#[tokio::test]
async fn ci_15_who_gives_up_takes_the_answer_from_nobody() {
    let scenario = Scenario::new();
    scenario.hold_up();
    let (first, second) = (scenario.somebody(URL), scenario.somebody(URL));
    everybody_waits().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    scenario.let_flow();
    second.await.unwrap().unwrap();
    assert_eq!(scenario.asked(), 1);
}

#[tokio::test]
async fn ci_15_a_fetch_nobody_waits_for_is_over() {
    let scenario = Scenario::new();
    scenario.hold_up();
    // More of them than may be under way at once.
    for number in 0..40 {
        let only = scenario.somebody(&format!("https://host-{number}.example/client"));
        everybody_waits().await;
        only.abort();
        assert!(only.await.unwrap_err().is_cancelled());
    }
    scenario.let_flow();
    scenario.fetch("https://host-0.example/client").await.unwrap();
    assert_eq!(scenario.asked(), 41);
}

#[tokio::test]
async fn ci_15_a_flood_of_addresses_of_one_host_is_a_few_requests() {
    let scenario = Scenario::new();
    let mut busy = 0;
    for number in 0..1000 {
        busy += usize::from(is_busy(&scenario.fetch(&format!("{URL}/{number}")).await));
    }
    assert_eq!((scenario.asked(), busy), (10, 990));
    scenario.fetch("https://other.example/client").await.unwrap();
    scenario.advance(3);
    for number in 0..1000 {
        let _ = scenario.fetch(&format!("{URL}/later/{number}")).await;
    }
    assert_eq!(scenario.asked(), 10 + 1 + 3);
}

#[tokio::test]
async fn ci_15_a_flood_of_hosts_is_a_bounded_number_of_requests() {
    let scenario = Scenario::new();
    for number in 0..10_000 {
        let _ = scenario.fetch(&format!("https://host-{number}.example/client")).await;
    }
    assert_eq!(scenario.asked(), 50);
    scenario.advance(10);
    scenario.fetch(URL).await.unwrap();
}

#[tokio::test]
async fn ci_15_few_newcomers_are_fetched_at_once() {
    let scenario = Scenario::new();
    scenario.hold_up();
    let url = |number| format!("https://host-{number}.example/client");
    let crowd: Vec<_> = (0..40).map(|number| scenario.somebody(&url(number))).collect();
    everybody_waits().await;
    assert_eq!(scenario.asked(), 32);
    scenario.let_flow();
    let mut busy = 0;
    for somebody in crowd {
        busy += usize::from(is_busy(&somebody.await.unwrap()));
    }
    assert_eq!(busy, 8);
    scenario.fetch(&url(39)).await.unwrap();
}

#[tokio::test]
async fn ci_15_a_flood_does_not_keep_out_the_clients_in_use() {
    let scenario = Scenario::new();
    scenario.fetch(URL).await.unwrap();
    scenario.advance(LEAST);
    scenario.hosts_fail(true);
    for number in 0..1000 {
        let _ = scenario.fetch(&format!("{URL}/{number}")).await;
        let _ = scenario.fetch(&format!("https://host-{number}.example/client")).await;
    }
    scenario.hosts_fail(false);
    let before = scenario.asked();
    scenario.fetch(URL).await.unwrap();
    assert_eq!(scenario.asked(), before + 1);
}

#[tokio::test]
async fn ci_15_a_client_in_use_whose_host_fails_is_asked_for_now_and_then() {
    let scenario = Scenario::new();
    scenario.fetch(URL).await.unwrap();
    scenario.advance(LEAST);
    scenario.hosts_fail(true);
    for _ in 0..1000 {
        scenario.fetch(URL).await.unwrap_err();
    }
    // Once as one in use, and what the budget of its host has.
    assert_eq!(scenario.asked(), 1 + 1 + 10);
    scenario.advance(5);
    scenario.hosts_fail(false);
    scenario.fetch(URL).await.unwrap();
}

#[tokio::test]
async fn ci_15_so_many_documents_are_remembered_and_no_more() {
    let scenario = Scenario::new();
    scenario.hosts_say(Some(600));
    let url = |number| format!("https://host-{number}.example/client");
    for number in 0..100 {
        scenario.fetch(&url(number)).await.unwrap();
        scenario.advance(1);
    }
    for number in 0..100 {
        scenario.fetch(&url(number)).await.unwrap();
        scenario.advance(1);
    }
    assert!(scenario.asked() >= 200 - ENTRIES, "{}", scenario.asked());
}

#[tokio::test]
async fn ci_17_keys_are_remembered_and_fetched_anew_when_one_is_missing_but_not_too_often() {
    let scenario = Scenario::new();
    scenario.hosts_say(Some(600));
    scenario.fetch_keys(WantedKeys::Any).await.unwrap();
    scenario.advance(LEAST - 1);
    for wanted in [WantedKeys::Any, WantedKeys::Latest] {
        scenario.fetch_keys(wanted).await.unwrap();
        assert_eq!(scenario.asked(), 1);
    }
    scenario.advance(1);
    scenario.fetch_keys(WantedKeys::Any).await.unwrap();
    assert_eq!(scenario.asked(), 1);
    for _ in 0..2 {
        scenario.fetch_keys(WantedKeys::Latest).await.unwrap();
        assert_eq!(scenario.asked(), 2);
    }
    scenario.advance(599);
    scenario.fetch_keys(WantedKeys::Any).await.unwrap();
    assert_eq!(scenario.asked(), 2);
    scenario.advance(1);
    scenario.fetch_keys(WantedKeys::Any).await.unwrap();
    assert_eq!(scenario.asked(), 3);
}

#[tokio::test]
async fn ci_17_newer_keys_that_can_not_be_had_leave_the_others_in_memory() {
    let scenario = Scenario::new();
    scenario.hosts_say(Some(600));
    scenario.fetch_keys(WantedKeys::Any).await.unwrap();
    scenario.advance(LEAST);
    scenario.hosts_fail(true);
    assert_eq!(scenario.fetch_keys(WantedKeys::Latest).await, Err(failure(KEYS)));
    scenario.fetch_keys(WantedKeys::Any).await.unwrap();
}
