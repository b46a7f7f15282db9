//! What verifying a provider's access token costs: `cargo bench --bench verification`.
//!
//! Prints figures and ratios of one run; the ratios are what can be compared between machines. Each
//! figure is the mean over all tokens, one after another on one thread.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark measures by the clock, says what it found, and ends where it can't go on"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::provider::ProviderName;
use mcp_oauth_core::domain::resource::{ProtectedResource, ResourceDocument, ResourceUri};
use mcp_oauth_core::domain::secret::{BearerToken, base64url};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{Clock, Expected, TokenVerifier};
use mcp_oauth_identity::{ProviderConfig, ProviderDocuments, ProviderVerifier, Vendor};
use mcp_oauth_memory::VerifiedTokens;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const NOW: i64 = 1_800_000_000;
const RESOURCE: &str = "https://mcp.example/mcp";

/// As many tokens as are alive at once in a busy hour.
const TOKENS: usize = 10_000;

/// How many of them the cache holds, so that the second round finds them all.
const CACHED: usize = 2_000;

const UNKNOWN_KEYS: usize = 100;

struct StandingClock;

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(NOW)
    }
}

/// A provider with one RSA key that counts how often its keys are fetched.
struct Provider {
    issuer: String,
    key: KeyPair,
    fetches: Arc<AtomicUsize>,
}

impl Provider {
    async fn start() -> Self {
        let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let fetches = Arc::new(AtomicUsize::new(0));
        let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
        let n = base64url(n.big_endian_without_leading_zero());
        let e = base64url(e.big_endian_without_leading_zero());
        let keys = json!({ "keys": [{ "kty": "RSA", "kid": "one", "n": n, "e": e }] });
        let document = json!({ "issuer": issuer, "jwks_uri": format!("{issuer}/keys") });
        let counted = Arc::clone(&fetches);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                answer(stream, &keys, &document, &counted).await;
            }
        });
        Self { issuer, key, fetches }
    }

    fn token(&self, key_id: &str, number: usize) -> BearerToken {
        let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": key_id });
        let claims = json!({
            "iss": self.issuer, "sub": format!("user-{number}"), "aud": RESOURCE, "scope": "read",
            "client_id": "client", "iat": NOW, "exp": NOW + 3600, "jti": number.to_string(),
        });
        let encoded = |value: &Value| base64url(value.to_string().as_bytes());
        let text = format!("{}.{}", encoded(&header), encoded(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key.sign(&RSA_PKCS1_SHA256, &random, text.as_bytes(), &mut signature).unwrap();
        BearerToken::presented(&format!("{text}.{}", base64url(&signature)))
    }

    fn verifier(&self) -> ProviderVerifier {
        let name = ProviderName::parse("bench").unwrap();
        let config = ProviderConfig::of(Vendor::Oidc, name, Issuer::new(self.issuer.as_str()));
        let documents = ProviderDocuments::new(config, Arc::new(StandingClock));
        ProviderVerifier::new(vec![Arc::new(documents)]).unwrap()
    }
}

async fn answer(mut stream: TcpStream, keys: &Value, document: &Value, fetches: &AtomicUsize) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let asks_for_keys = head.starts_with(b"GET /keys ");
    fetches.fetch_add(usize::from(asks_for_keys), Ordering::SeqCst);
    let body = if asks_for_keys { keys } else { document }.to_string();
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let answer = format!("{head}content-length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
}

fn expected() -> Expected {
    let spellings = BTreeMap::from([(RESOURCE.to_owned(), ResourceDocument::StreamableHttp)]);
    let resource = ProtectedResource::new(ResourceUri::parse(RESOURCE).unwrap(), spellings);
    Expected { resource: Arc::new(resource), now: Timestamp::from_unix(NOW) }
}

/// The mean time for one of `tokens`, all of which are good.
async fn each(verifier: &dyn TokenVerifier, tokens: &[BearerToken]) -> Duration {
    let expected = expected();
    let start = Instant::now();
    for token in tokens {
        verifier.verify(token, &expected).await.unwrap();
    }
    start.elapsed() / u32::try_from(tokens.len()).unwrap()
}

fn microseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

#[tokio::main]
async fn main() {
    let provider = Provider::start().await;
    let tokens: Vec<_> = (0..TOKENS).map(|number| provider.token("one", number)).collect();
    let verifier = Arc::new(provider.verifier());
    let first = each(&*verifier, &tokens[..1]).await;
    let cold = each(&*verifier, &tokens).await;
    let remembering = VerifiedTokens::new(verifier);
    each(&remembering, &tokens[..CACHED]).await;
    let cached = each(&remembering, &tokens[..CACHED]).await;
    println!("first token, documents fetched   {:>10.1} µs", microseconds(first));
    println!("{TOKENS} distinct tokens, each   {:>10.1} µs", microseconds(cold));
    println!("remembered token, each           {:>10.1} µs", microseconds(cached));
    println!(
        "cold / remembered                {:>10.1}",
        cold.as_secs_f64() / cached.as_secs_f64()
    );
    println!("fetches of the keys for them     {:>10}", provider.fetches.load(Ordering::SeqCst));

    let provider = Provider::start().await;
    let (verifier, expected) = (provider.verifier(), expected());
    for number in 0..UNKNOWN_KEYS {
        let token = provider.token(&format!("unknown-{number}"), number);
        let refused = verifier.verify(&token, &expected).await;
        assert!(matches!(refused, Err(VerifyError::UnknownKey(_))), "{refused:?}");
    }
    let fetches = provider.fetches.load(Ordering::SeqCst);
    println!("fetches for {UNKNOWN_KEYS} unknown keys     {fetches:>10}");
}
