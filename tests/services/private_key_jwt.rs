//! Signed client authentication: in which order what is checked, and what is used up.

use mcp_oauth_core::domain::client::{Client, ClientCredential};
use mcp_oauth_core::domain::client_keys::{ClientKeySet, ClientKeys, JwksUri, KeySource};
use mcp_oauth_core::domain::secret::base64url;
use mcp_oauth_core::port::{DocumentError, Fetched, WantedKeys};
use serde_json::{Value, json};

use crate::samples::{BASE, INSIDE, at, client, store_unavailable};
use crate::world::{World, refused};

const KEYS: &str = "https://client.example/keys";
const JWT: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn key_set(key_id: &str) -> ClientKeySet {
    let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&[7; 32]), "kid": key_id });
    ClientKeySet::from_jwks(&json!({ "keys": [key] })).unwrap()
}

fn signing_client(source: KeySource) -> Client {
    let credential = ClientCredential::Keys(ClientKeys { source, algorithm: None });
    Client { credential, ..client() }
}

/// A client whose keys are known.
pub(crate) fn inline() -> Client {
    signing_client(KeySource::Inline(key_set("known")))
}

fn publishing() -> Client {
    signing_client(KeySource::Published(JwksUri::parse(KEYS).unwrap()))
}

/// A token request, with nothing wrong but perhaps its grant, by a client that signs with a key.
pub(crate) fn form(key_id: &str) -> String {
    form_with(key_id, &json!(BASE))
}

pub(crate) fn form_with(key_id: &str, audience: &Value) -> String {
    let header = json!({ "alg": "EdDSA", "kid": key_id });
    let expiry = at(60).as_unix();
    let claims =
        json!({ "iss": "client-1", "sub": "client-1", "aud": audience, "exp": expiry, "jti": "1" });
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    let assertion = format!("{}.{}.c2ln", part(&header), part(&claims));
    format!("grant_type=x&client_assertion_type={JWT}&client_assertion={assertion}")
}

/// The request gets as far as its grant type.
const AUTHENTICATED: (u16, &str, &str) = (400, "unsupported_grant_type", "token_unsupported_grant");

const WRONG_SIGNATURE: (u16, &str, &str) = (401, "invalid_client", "client_assertion_signature");

/// Every signature is right, or none, checked `times` times.
pub(crate) fn with_signatures(mut world: World, times: usize, right: bool) -> World {
    world.assertions.expect_is_signed().times(times).return_const(right);
    world
}

/// The published keys are fetched, once each way.
fn with_fetch(mut world: World, wanted: WantedKeys, key_id: &'static str) -> World {
    let fetch = world.documents.expect_fetch_keys().times(1);
    fetch
        .withf(move |uri, asked| uri.as_str() == KEYS && *asked == wanted)
        .returning(move |_, _| Ok(Fetched { value: key_set(key_id), fresh_for: None }));
    world
}

pub(crate) fn with_record(mut world: World, counts: bool) -> World {
    let record = world.spent.expect_record_once().times(1);
    record.withf(|_, until| *until == at(90)).return_once(move |_, _| Ok(counts));
    world
}

#[tokio::test]
async fn ex_02_a_signature_authenticates_and_uses_up_its_id() {
    let world = with_signatures(World::new().with_client(inline()), 1, true);
    let stage = with_record(world, true).open();
    assert_eq!(refused(stage.token(&form("known")).await), AUTHENTICATED);
}

#[tokio::test]
async fn ex_02_an_id_that_was_used_up_is_refused() {
    let world = with_signatures(World::new().with_client(inline()), 1, true);
    let stage = with_record(world, false).open();
    let answer = refused(stage.token(&form("known")).await);
    assert_eq!(answer, (401, "invalid_client", "client_assertion_replayed"));
}

#[tokio::test]
async fn ex_02_a_wrong_signature_uses_up_nothing() {
    let stage = with_signatures(World::new().with_client(inline()), 1, false).open();
    assert_eq!(refused(stage.token(&form("known")).await), WRONG_SIGNATURE);
}

#[tokio::test]
async fn ex_02_a_wrong_claim_costs_no_fetch_and_no_signature_check() {
    let stage = World::new().with_client(publishing()).open();
    let answer = refused(stage.token(&form_with("known", &json!("https://other.example"))).await);
    assert_eq!(answer, (401, "invalid_client", "client_assertion"));
}

#[tokio::test]
async fn ex_02_an_assertion_of_nobody_in_particular_looks_nobody_up() {
    for assertion in ["x", "a.b.c"] {
        let form = format!("client_assertion_type={JWT}&client_assertion={assertion}");
        let answer = refused(World::new().open().token(&form).await);
        assert_eq!(answer, (401, "invalid_client", "client_assertion"));
    }
}

#[tokio::test]
async fn ex_02_a_client_without_keys_is_not_asked_for_signatures() {
    let stage = World::new().with_client(client()).open();
    let answer = refused(stage.token(&form("known")).await);
    assert_eq!(answer, (401, "invalid_client", "client_assertion_unexpected"));
}

#[tokio::test]
async fn ex_02_a_client_with_keys_has_to_sign() {
    let stage = World::new().with_client(inline()).open();
    let answer = refused(stage.token("client_id=client-1").await);
    assert_eq!(answer, (401, "invalid_client", "client_assertion_missing"));
}

#[tokio::test]
async fn ci_17_a_known_key_is_not_fetched_again() {
    let world = with_fetch(World::new().with_client(publishing()), WantedKeys::Any, "known");
    let stage = with_record(with_signatures(world, 1, true), true).open();
    assert_eq!(refused(stage.token(&form("known")).await), AUTHENTICATED);

    let world = with_fetch(World::new().with_client(publishing()), WantedKeys::Any, "known");
    let stage = with_signatures(world, 1, false).open();
    assert_eq!(refused(stage.token(&form("known")).await), WRONG_SIGNATURE);
}

#[tokio::test]
async fn ci_17_an_unknown_key_is_looked_for_once_more() {
    for (latest, expected) in [("rotated", AUTHENTICATED), ("known", WRONG_SIGNATURE)] {
        let world = with_fetch(World::new().with_client(publishing()), WantedKeys::Any, "known");
        let mut world = with_fetch(world, WantedKeys::Latest, latest);
        if latest == "rotated" {
            world = with_record(with_signatures(world, 1, true), true);
        }
        assert_eq!(refused(world.open().token(&form("rotated")).await), expected);
    }
}

#[tokio::test]
async fn ci_17_keys_that_can_not_be_had_authenticate_nobody() {
    let mut world = World::new().with_client(publishing());
    let failed = DocumentError::Unreachable { address: KEYS.to_owned(), reason: INSIDE.to_owned() };
    world.documents.expect_fetch_keys().times(1).return_once(|_, _| Err(failed));
    let stage = world.open();
    let answer = stage.token(&form("known")).await;
    assert_eq!(refused(answer), (401, "invalid_client", "client_document_unusable"));
}

#[tokio::test]
async fn ex_02_nobody_is_authenticated_while_ids_can_not_be_remembered() {
    let mut world = with_signatures(World::new().with_client(inline()), 1, true);
    world.spent.expect_record_once().times(1).return_once(|_, _| Err(store_unavailable()));
    let answer = refused(world.open().token(&form("known")).await);
    assert_eq!(answer, (503, "temporarily_unavailable", "store_unavailable"));
}
