//! The public keys of a client that authenticates by signing (`private_key_jwt`, RFC 7523 §2.2).

use std::fmt;

use serde_json::{Map, Value, json};
use thiserror::Error;
use url::Url;

use super::error_text::shortened;
use super::secret::{base64url, from_base64url};

/// How many keys one client may have.
pub const MOST_KEYS: usize = 32;

/// The longest `jwks_uri` taken, in bytes.
pub const LONGEST_JWKS_URI: usize = 2048;

/// The members of a JWK that only its owner may know (RFC 7518 §6).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// RSA moduli from 2048 bits (RFC 7518 §3.3) up to what a check can afford.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A signature algorithm of client assertions: asymmetric ones only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssertionAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256.
    Es256,
    /// Ed25519 (RFC 8037).
    EdDsa,
}

impl AssertionAlgorithm {
    /// Every algorithm this server takes, in the order of its metadata.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::EdDsa];

    /// The registered name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of a registered name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// The numbers of a public key, base64url as in its JWK, of the sizes their kind has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// RFC 7518 §6.3.1.
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
    /// RFC 7518 §6.2.1 on P-256.
    P256 {
        /// One coordinate.
        x: String,
        /// The other.
        y: String,
    },
    /// RFC 8037 §2.
    Ed25519 {
        /// The key.
        x: String,
    },
}

/// A public key of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKey {
    key_id: Option<String>,
    algorithm: Option<AssertionAlgorithm>,
    public: PublicKey,
}

/// The public keys of a client: at least one, at most [`MOST_KEYS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeySet(Vec<ClientKey>);

/// Where the keys of a client are published: an https address of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JwksUri(Url);

/// Where the keys of a client come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// They are part of its metadata.
    Inline(ClientKeySet),
    /// They are fetched when they are needed.
    Published(JwksUri),
}

/// The keys of a client and how it signs with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeys {
    /// Where they come from.
    pub source: KeySource,
    /// The one algorithm it signs with; any its key is good for when it named none.
    pub algorithm: Option<AssertionAlgorithm>,
}

/// Why keys can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidClientKeys {
    /// Neither `jwks` nor `jwks_uri`.
    #[error("private_key_jwt needs jwks or jwks_uri")]
    Missing,
    /// Both of them (RFC 7591 §2).
    #[error("jwks and jwks_uri exclude each other")]
    Both,
    /// `jwks` is no JWK set.
    #[error("jwks is not an object with an array of keys")]
    NotASet,
    /// A key has a part that only its owner may know.
    #[error("jwks has a private or symmetric key")]
    PrivateKey,
    /// More than [`MOST_KEYS`].
    #[error("jwks has more than {MOST_KEYS} keys")]
    TooMany,
    /// No key is for signatures, of a known kind, and long enough.
    #[error("jwks has no key for RS256, PS256, ES256 or EdDSA signatures")]
    NoUsableKey,
    /// `jwks_uri` is no address of keys.
    #[error("jwks_uri is not a plain https URL")]
    NotHttps,
    /// The algorithm is unknown here, or symmetric.
    #[error("token_endpoint_auth_signing_alg {0:?} is not supported")]
    Algorithm(String),
}

impl ClientKeys {
    /// Reads `jwks`, `jwks_uri` and `token_endpoint_auth_signing_alg` of client metadata (RFC 7591
    /// §2).
    ///
    /// # Errors
    /// [`InvalidClientKeys`].
    pub fn from_metadata(members: &Map<String, Value>) -> Result<Self, InvalidClientKeys> {
        let member = |name: &str| members.get(name).filter(|value| !value.is_null());
        let source = match (member("jwks"), member("jwks_uri")) {
            (Some(_), Some(_)) => return Err(InvalidClientKeys::Both),
            (None, None) => return Err(InvalidClientKeys::Missing),
            (Some(set), None) => KeySource::Inline(ClientKeySet::from_jwks(set)?),
            (None, Some(uri)) => {
                let uri = uri.as_str().ok_or(InvalidClientKeys::NotHttps)?;
                KeySource::Published(JwksUri::parse(uri)?)
            }
        };
        let algorithm = match member("token_endpoint_auth_signing_alg") {
            None => None,
            Some(name) => {
                let name = name.as_str().unwrap_or_default();
                let known = AssertionAlgorithm::from_name(name);
                Some(known.ok_or_else(|| InvalidClientKeys::Algorithm(shortened(name)))?)
            }
        };
        Ok(Self { source, algorithm })
    }

    /// The same members again.
    #[must_use]
    pub fn to_metadata(&self) -> Map<String, Value> {
        let mut members = Map::new();
        match &self.source {
            KeySource::Inline(set) => members.insert("jwks".to_owned(), set.to_jwks()),
            KeySource::Published(uri) => members.insert("jwks_uri".to_owned(), json!(uri.as_str())),
        };
        if let Some(algorithm) = self.algorithm {
            let member = "token_endpoint_auth_signing_alg".to_owned();
            members.insert(member, json!(algorithm.as_str()));
        }
        members
    }

    /// Whether the client may sign with `algorithm`.
    #[must_use]
    pub fn permits(&self, algorithm: AssertionAlgorithm) -> bool {
        self.algorithm.is_none_or(|only| only == algorithm)
    }
}

impl ClientKeySet {
    /// Reads a JWK set (RFC 7517 §5). Keys that can't check a signature here are left out, as the
    /// RFC wants; one that should never have been published makes the set unusable.
    ///
    /// # Errors
    /// [`InvalidClientKeys`].
    pub fn from_jwks(set: &Value) -> Result<Self, InvalidClientKeys> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(InvalidClientKeys::NotASet)?;
        if keys.len() > MOST_KEYS {
            return Err(InvalidClientKeys::TooMany);
        }
        if keys.iter().any(is_secret) {
            return Err(InvalidClientKeys::PrivateKey);
        }
        let usable: Vec<_> = keys.iter().filter_map(ClientKey::from_jwk).collect();
        if usable.is_empty() { Err(InvalidClientKeys::NoUsableKey) } else { Ok(Self(usable)) }
    }

    /// Reads the JWK set of an identity provider (RFC 7517 §5). What can't check a signature here is
    /// left out, and so is a key that should never have been published; the others still count.
    ///
    /// # Errors
    /// [`InvalidClientKeys`], never [`InvalidClientKeys::PrivateKey`].
    pub fn from_provider(set: &Value) -> Result<Self, InvalidClientKeys> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or(InvalidClientKeys::NotASet)?;
        if keys.len() > MOST_KEYS {
            return Err(InvalidClientKeys::TooMany);
        }
        let public = keys.iter().filter(|key| !is_secret(key));
        let usable: Vec<_> = public.filter_map(ClientKey::from_jwk).collect();
        if usable.is_empty() { Err(InvalidClientKeys::NoUsableKey) } else { Ok(Self(usable)) }
    }

    /// The JWK set.
    #[must_use]
    pub fn to_jwks(&self) -> Value {
        json!({ "keys": self.0.iter().map(ClientKey::to_jwk).collect::<Vec<_>>() })
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &ClientKey> {
        self.0.iter()
    }

    /// The keys that may have made a signature: those of the key id, or any when none is named.
    pub fn candidates<'a>(
        &'a self,
        key_id: Option<&'a str>,
        algorithm: AssertionAlgorithm,
    ) -> impl Iterator<Item = &'a ClientKey> {
        self.0.iter().filter(move |key| key.may_have_signed(key_id, algorithm))
    }
}

/// Whether a JWK is or has a part that only its owner may know.
fn is_secret(key: &Value) -> bool {
    key["kty"] == "oct" || PRIVATE_MEMBERS.iter().any(|member| key.get(member).is_some())
}

impl ClientKey {
    /// The numbers.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The `kid`.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The only algorithm it is for; any its kind is good for when the JWK named none.
    #[must_use]
    pub fn algorithm(&self) -> Option<AssertionAlgorithm> {
        self.algorithm
    }

    /// Whether it can have made a signature of `algorithm` that names `key_id`, or names none.
    #[must_use]
    pub fn may_have_signed(&self, key_id: Option<&str>, algorithm: AssertionAlgorithm) -> bool {
        (key_id.is_none() || self.key_id() == key_id)
            && self.public.suits(algorithm)
            && self.algorithm.is_none_or(|only| only == algorithm)
    }

    /// `None` for a key that is no use here.
    fn from_jwk(jwk: &Value) -> Option<Self> {
        let text = |member: &str| jwk.get(member).and_then(Value::as_str);
        if jwk.get("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        if let Some(operations) = jwk.get("key_ops") {
            operations.as_array()?.iter().find(|operation| *operation == "verify")?;
        }
        let public = PublicKey::from_jwk(jwk)?;
        let algorithm = match jwk.get("alg") {
            None => None,
            Some(name) => Some(AssertionAlgorithm::from_name(name.as_str()?)?),
        };
        let fits = algorithm.is_none_or(|algorithm| public.suits(algorithm));
        fits.then(|| Self { key_id: text("kid").map(str::to_owned), algorithm, public })
    }

    fn to_jwk(&self) -> Value {
        let mut jwk = match &self.public {
            PublicKey::Rsa { n, e } => json!({ "kty": "RSA", "n": n, "e": e }),
            PublicKey::P256 { x, y } => json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }),
            PublicKey::Ed25519 { x } => json!({ "kty": "OKP", "crv": "Ed25519", "x": x }),
        };
        if let Some(key_id) = &self.key_id {
            jwk["kid"] = json!(key_id);
        }
        if let Some(algorithm) = self.algorithm {
            jwk["alg"] = json!(algorithm.as_str());
        }
        jwk["use"] = json!("sig");
        jwk
    }
}

impl PublicKey {
    /// Whether signatures of that algorithm can be checked with it.
    #[must_use]
    pub fn suits(&self, algorithm: AssertionAlgorithm) -> bool {
        match self {
            Self::Rsa { .. } => {
                matches!(algorithm, AssertionAlgorithm::Rs256 | AssertionAlgorithm::Ps256)
            }
            Self::P256 { .. } => algorithm == AssertionAlgorithm::Es256,
            Self::Ed25519 { .. } => algorithm == AssertionAlgorithm::EdDsa,
        }
    }

    /// The numbers joined, the same for every JWK of one key.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        match self {
            Self::Rsa { n, e } => format!("RSA.{n}.{e}"),
            Self::P256 { x, y } => format!("P-256.{x}.{y}"),
            Self::Ed25519 { x } => format!("Ed25519.{x}"),
        }
    }

    fn from_jwk(jwk: &Value) -> Option<Self> {
        let number = |member: &str| from_base64url(jwk.get(member)?.as_str()?);
        let of_32_bytes =
            |member: &str| number(member).filter(|bytes| bytes.len() == 32).map(|x| base64url(&x));
        let curve = jwk.get("crv").and_then(Value::as_str);
        match (jwk.get("kty")?.as_str()?, curve) {
            ("RSA", _) => rsa(number("n")?, number("e")?),
            ("EC", Some("P-256")) => {
                Some(Self::P256 { x: of_32_bytes("x")?, y: of_32_bytes("y")? })
            }
            ("OKP", Some("Ed25519")) => Some(Self::Ed25519 { x: of_32_bytes("x")? }),
            _ => None,
        }
    }
}

/// With an exponent of 1 anybody could sign; an even one is none, and a long one costs time.
fn rsa(n: Vec<u8>, e: Vec<u8>) -> Option<PublicKey> {
    let (n, e) = (without_leading_zeros(&n), without_leading_zeros(&e));
    let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
    let is_exponent = e.len() <= 4 && e.last()? % 2 == 1 && e != [1];
    (RSA_BITS.contains(&bits) && is_exponent)
        .then(|| PublicKey::Rsa { n: base64url(n), e: base64url(e) })
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

impl JwksUri {
    /// Parses the address of a client's keys.
    ///
    /// # Errors
    /// [`InvalidClientKeys::NotHttps`], also for a user part, a fragment, or more than
    /// [`LONGEST_JWKS_URI`] bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidClientKeys> {
        let url = Url::parse(text).map_err(|_| InvalidClientKeys::NotHttps)?;
        let is_plain = text.len() <= LONGEST_JWKS_URI
            && url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        if is_plain { Ok(Self(url)) } else { Err(InvalidClientKeys::NotHttps) }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The address, taken apart.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Who answers for the keys, without a port.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl fmt::Display for JwksUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rsa_jwk() -> Value {
        json!({ "kty": "RSA", "n": base64url(&[0xA5; 256]), "e": "AQAB" })
    }

    fn p256_jwk() -> Value {
        let number = base64url(&[7; 32]);
        json!({ "kty": "EC", "crv": "P-256", "x": number, "y": number })
    }

    fn ed25519_jwk() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&[7; 32]) })
    }

    fn with(mut jwk: Value, member: &str, value: Value) -> Value {
        jwk[member] = value;
        jwk
    }

    fn set(keys: Vec<Value>) -> Result<ClientKeySet, InvalidClientKeys> {
        ClientKeySet::from_jwks(&json!({ "keys": keys }))
    }

    fn keys(metadata: Value) -> Result<ClientKeys, InvalidClientKeys> {
        ClientKeys::from_metadata(metadata.as_object().unwrap())
    }

    #[test]
    fn ci_09_a_private_or_symmetric_key_makes_the_set_unusable() {
        for member in PRIVATE_MEMBERS {
            let key = with(rsa_jwk(), member, json!("AQAB"));
            assert_eq!(set(vec![rsa_jwk(), key]), Err(InvalidClientKeys::PrivateKey), "{member}");
        }
        let symmetric = json!({ "kty": "oct" });
        assert_eq!(set(vec![rsa_jwk(), symmetric]), Err(InvalidClientKeys::PrivateKey));
        let unknown = json!({ "kty": "new", "d": null });
        assert_eq!(set(vec![rsa_jwk(), unknown]), Err(InvalidClientKeys::PrivateKey));
    }

    #[test]
    fn a_providers_set_counts_without_the_keys_that_are_no_use() {
        let secret = with(rsa_jwk(), "d", json!("AQAB"));
        let published = json!({ "keys": [secret, { "kty": "oct" }, { "kty": "new" }, rsa_jwk()] });
        assert_eq!(ClientKeySet::from_provider(&published), set(vec![rsa_jwk()]));
        let secret = json!({ "keys": [with(rsa_jwk(), "d", json!("AQAB"))] });
        let refused = ClientKeySet::from_provider(&secret);
        assert_eq!(refused, Err(InvalidClientKeys::NoUsableKey));
    }

    #[test]
    fn a_key_that_can_not_check_a_signature_is_left_out() {
        let short = [0xA5; 255];
        let long = [0xA5; 1025];
        for useless in [
            json!("a text"),
            json!({}),
            json!({ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" }),
            with(rsa_jwk(), "use", json!("enc")),
            with(rsa_jwk(), "key_ops", json!(["encrypt"])),
            with(rsa_jwk(), "key_ops", json!("verify")),
            with(rsa_jwk(), "alg", json!("HS256")),
            with(rsa_jwk(), "alg", json!("ES256")),
            with(rsa_jwk(), "alg", json!(7)),
            with(rsa_jwk(), "n", json!(base64url(&short))),
            with(rsa_jwk(), "n", json!(base64url(&long))),
            with(rsa_jwk(), "n", json!("not base64url!")),
            with(rsa_jwk(), "n", json!("")),
            with(rsa_jwk(), "e", json!("AQ")),
            with(rsa_jwk(), "e", json!("AAAAAQ")),
            with(rsa_jwk(), "e", json!("Ag")),
            with(rsa_jwk(), "e", json!("AQAAAAAAAAAB")),
            with(rsa_jwk(), "e", json!("")),
            with(p256_jwk(), "x", json!("AQ")),
            with(ed25519_jwk(), "crv", json!("X25519")),
        ] {
            assert_eq!(
                set(vec![useless.clone()]),
                Err(InvalidClientKeys::NoUsableKey),
                "{useless}"
            );
            assert_eq!(set(vec![useless, rsa_jwk()]), set(vec![rsa_jwk()]));
        }
        assert_eq!(set(vec![]), Err(InvalidClientKeys::NoUsableKey));
    }

    #[test]
    fn a_set_is_a_set_and_no_more_than_anybody_needs() {
        for no_set in [json!([]), json!({}), json!({ "keys": {} }), json!(null)] {
            assert_eq!(ClientKeySet::from_jwks(&no_set), Err(InvalidClientKeys::NotASet));
        }
        assert_eq!(set(vec![rsa_jwk(); MOST_KEYS + 1]), Err(InvalidClientKeys::TooMany));
    }

    #[test]
    fn a_key_is_found_by_its_id_and_checks_what_it_is_good_for() {
        use AssertionAlgorithm::{EdDsa, Es256, Ps256, Rs256};
        let set = set(vec![
            with(rsa_jwk(), "kid", json!("rsa")),
            with(with(rsa_jwk(), "kid", json!("pss")), "alg", json!("PS256")),
            with(p256_jwk(), "kid", json!("ec")),
            ed25519_jwk(),
        ])
        .unwrap();
        let count = |key_id, algorithm| set.candidates(key_id, algorithm).count();
        assert_eq!(AssertionAlgorithm::ALL.map(|algorithm| count(None, algorithm)), [1, 2, 1, 1]);
        assert_eq!([Rs256, Ps256, Es256].map(|algorithm| count(Some("rsa"), algorithm)), [1, 1, 0]);
        assert_eq!([Rs256, Ps256].map(|algorithm| count(Some("pss"), algorithm)), [0, 1]);
        assert_eq!([Es256, EdDsa].map(|algorithm| count(Some("ec"), algorithm)), [1, 0]);
        assert_eq!(count(Some("other"), Rs256), 0);
    }

    #[test]
    fn keys_are_inline_or_published_and_never_both() {
        use InvalidClientKeys::{Algorithm, Both, Missing, NotASet, NotHttps};
        let inline = json!({ "keys": [rsa_jwk()] });
        for (metadata, why) in [
            (json!({}), Missing),
            (json!({ "jwks": null, "jwks_uri": null }), Missing),
            (json!({ "jwks": inline, "jwks_uri": "https://c.example/jwks" }), Both),
            (json!({ "jwks": [] }), NotASet),
            (json!({ "jwks_uri": "http://c.example/jwks" }), NotHttps),
            (json!({ "jwks_uri": "https://me@c.example/jwks" }), NotHttps),
            (json!({ "jwks_uri": "https://c.example/jwks#a" }), NotHttps),
            (json!({ "jwks_uri": "jwks.json" }), NotHttps),
            (json!({ "jwks_uri": 7 }), NotHttps),
            (
                json!({ "jwks": inline, "token_endpoint_auth_signing_alg": "HS256" }),
                Algorithm("HS256".to_owned()),
            ),
            (
                json!({ "jwks": inline, "token_endpoint_auth_signing_alg": "none" }),
                Algorithm("none".to_owned()),
            ),
        ] {
            assert_eq!(keys(metadata.clone()), Err(why), "{metadata}");
        }
    }

    #[test]
    fn keys_survive_being_stored() {
        for metadata in [
            json!({ "jwks": { "keys": [
                with(with(rsa_jwk(), "kid", json!("a")), "alg", json!("PS256")),
                p256_jwk(),
                ed25519_jwk(),
            ] } }),
            json!({ "jwks_uri": "https://c.example/jwks", "token_endpoint_auth_signing_alg": "ES256" }),
        ] {
            let keys = keys(metadata).unwrap();
            assert_eq!(ClientKeys::from_metadata(&keys.to_metadata()), Ok(keys));
        }
    }
}
