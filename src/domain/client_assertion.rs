//! Client assertions: a client proves who it is by signing a token for this server (RFC 7523 §3).

use std::time::Duration;

use serde_json::{Map, Value};
use thiserror::Error;

use super::client::ClientId;
use super::client_keys::AssertionAlgorithm;
use super::error_text::shortened;
use super::issuer::Issuer;
use super::jwt::{MalformedJwt, UnverifiedJwt};
use super::spent_id::SpentId;
use super::timestamp::Timestamp;

/// The one `client_assertion_type` (RFC 7523 §2.2).
pub const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far in the future an assertion may end: this long its id is remembered.
pub const LONGEST_ASSERTION_LIFE: Duration = Duration::from_secs(600);

/// How far the clock of a client may differ from ours.
pub const CLIENT_CLOCK_SKEW: Duration = Duration::from_secs(30);

/// The longest `jti` taken, in bytes.
const LONGEST_TOKEN_ID: usize = 512;

/// A client assertion whose signature nobody has checked yet.
#[derive(Debug)]
pub struct ClientAssertion<'a> {
    jwt: UnverifiedJwt<'a>,
    algorithm: AssertionAlgorithm,
    client: ClientId,
    claims: Map<String, Value>,
}

/// What was signed, and the signature.
#[derive(Debug, Clone, Copy)]
pub struct SignedText<'a> {
    /// The bytes that were signed.
    pub text: &'a str,
    /// The signature, base64url.
    pub signature: &'a str,
    /// The algorithm it was made with.
    pub algorithm: AssertionAlgorithm,
}

/// An id that must not count again, and for how long that matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionId {
    /// The id.
    pub id: SpentId,
    /// From then on the assertion is expired anyway.
    pub until: Timestamp,
}

/// Why an assertion proves nothing. The text names what was expected and what was received, never
/// the assertion.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AssertionError {
    /// It can't be read.
    #[error("the client assertion is malformed: {0}")]
    Malformed(#[from] MalformedJwt),
    /// It is unsigned, signed with a shared secret, or in a way unknown here.
    #[error("the client assertion is signed with {0:?}, which is not supported")]
    Algorithm(String),
    /// A claim it needs is missing or of the wrong shape.
    #[error("the claim {0} of the client assertion is missing or malformed")]
    Claim(&'static str),
    /// It speaks for somebody else than the one who made it.
    #[error(
        "the client assertion is issued by {issuer:?} for {subject:?}; both have to be the client"
    )]
    OtherSubject {
        /// The `iss` claim.
        issuer: String,
        /// The `sub` claim.
        subject: String,
    },
    /// The request names another client.
    #[error("client_id is not the client of the assertion")]
    OtherClient,
    /// It is for somebody else, or for others too.
    #[error("the audience of the client assertion is {received}, expected \"{expected}\" alone")]
    Audience {
        /// The `aud` claim.
        received: String,
        /// The issuer identifier of this server.
        expected: Issuer,
    },
    /// Its life is over.
    #[error("the client assertion expired at {expired_at}, it is {now} (seconds since 1970)")]
    Expired {
        /// The `exp` claim.
        expired_at: i64,
        /// The time of the check.
        now: i64,
    },
    /// Its life is so long that its id can't be remembered.
    #[error(
        "the client assertion expires at {expires_at}, more than {} seconds after {now}",
        LONGEST_ASSERTION_LIFE.as_secs()
    )]
    TooLong {
        /// The `exp` claim.
        expires_at: i64,
        /// The time of the check.
        now: i64,
    },
    /// Its life has not begun.
    #[error("the client assertion is valid from {valid_from} on, it is {now} (seconds since 1970)")]
    NotYetValid {
        /// The `nbf` or `iat` claim.
        valid_from: i64,
        /// The time of the check.
        now: i64,
    },
}

impl<'a> ClientAssertion<'a> {
    /// Takes an assertion apart. Its type (`typ`) does not matter: what it says does.
    ///
    /// # Errors
    /// [`AssertionError`], when it can't be an assertion of any client.
    pub fn parse(text: &'a str) -> Result<Self, AssertionError> {
        let jwt = UnverifiedJwt::parse(text)?;
        let name = &jwt.header().alg;
        let algorithm = AssertionAlgorithm::from_name(name)
            .ok_or_else(|| AssertionError::Algorithm(shortened(name)))?;
        let claims = jwt.claims()?;
        let (issuer, subject) = (text_claim(&claims, "iss")?, text_claim(&claims, "sub")?);
        if issuer != subject {
            let (issuer, subject) = (shortened(issuer), shortened(subject));
            return Err(AssertionError::OtherSubject { issuer, subject });
        }
        let client = ClientId::new(subject);
        Ok(Self { jwt, algorithm, client, claims })
    }

    /// Which client it claims to be from.
    #[must_use]
    pub fn client(&self) -> &ClientId {
        &self.client
    }

    /// Which key it claims to be signed with.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.jwt.header().kid.as_deref()
    }

    /// What was signed.
    #[must_use]
    pub fn signed(&self) -> SignedText<'a> {
        let (text, signature) = (self.jwt.signed_part(), self.jwt.signature());
        SignedText { text, signature, algorithm: self.algorithm }
    }

    /// Checks what it says: who it is for and when it is good (RFC 7523 §3). The issuer identifier
    /// is the one audience, so that nobody can pass on here what was made for another server.
    ///
    /// # Errors
    /// [`AssertionError`].
    pub fn check(&self, issuer: &Issuer, now: Timestamp) -> Result<AssertionId, AssertionError> {
        if !self.is_for(issuer) {
            let received = self.claims.get("aud").map_or("missing".to_owned(), Value::to_string);
            let (received, expected) = (shortened(&received), issuer.clone());
            return Err(AssertionError::Audience { received, expected });
        }
        let expires_at = self.moment("exp")?.ok_or(AssertionError::Claim("exp"))?;
        let until = expires_at.after(CLIENT_CLOCK_SKEW);
        let (expiry, now_unix) = (expires_at.as_unix(), now.as_unix());
        if until <= now {
            return Err(AssertionError::Expired { expired_at: expiry, now: now_unix });
        }
        if expires_at > now.after(LONGEST_ASSERTION_LIFE).after(CLIENT_CLOCK_SKEW) {
            return Err(AssertionError::TooLong { expires_at: expiry, now: now_unix });
        }
        for claim in ["nbf", "iat"] {
            if let Some(from) = self.moment(claim)?
                && from > now.after(CLIENT_CLOCK_SKEW)
            {
                let valid_from = from.as_unix();
                return Err(AssertionError::NotYetValid { valid_from, now: now_unix });
            }
        }
        let token_id = text_claim(&self.claims, "jti")?;
        if token_id.len() > LONGEST_TOKEN_ID {
            return Err(AssertionError::Claim("jti"));
        }
        Ok(AssertionId { id: SpentId::client_assertion(&self.client, token_id), until })
    }

    /// Clients spell the issuer with or without a final slash.
    fn is_for(&self, issuer: &Issuer) -> bool {
        let audience = match self.claims.get("aud") {
            Some(Value::String(audience)) => audience,
            Some(Value::Array(audiences)) => match audiences.as_slice() {
                [Value::String(audience)] => audience,
                _ => return false,
            },
            _ => return false,
        };
        let bare = |spelled: &'_ str| spelled.strip_suffix('/').unwrap_or(spelled).to_owned();
        bare(audience) == bare(issuer.as_str())
    }

    /// A NumericDate, which may have a fraction (RFC 7519 §2).
    fn moment(&self, claim: &'static str) -> Result<Option<Timestamp>, AssertionError> {
        match self.claims.get(claim) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
                let seconds =
                    number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64));
                seconds
                    .map(|seconds| Some(Timestamp::from_unix(seconds)))
                    .ok_or(AssertionError::Claim(claim))
            }
            Some(_) => Err(AssertionError::Claim(claim)),
        }
    }
}

fn text_claim<'c>(
    claims: &'c Map<String, Value>,
    claim: &'static str,
) -> Result<&'c str, AssertionError> {
    let text = claims.get(claim).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or(AssertionError::Claim(claim))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::secret::base64url;
    use super::*;

    const NOW: i64 = 1_800_000_000;
    const ISSUER: &str = "https://mcp.example.com";

    fn claims() -> Value {
        json!({ "iss": "client", "sub": "client", "aud": ISSUER, "exp": NOW + 60, "jti": "1" })
    }

    fn with(claim: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[claim] = value;
        claims
    }

    fn without(claim: &str) -> Value {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        claims
    }

    fn token(header: &Value, claims: &Value) -> String {
        let part = |value: &Value| base64url(value.to_string().as_bytes());
        format!("{}.{}.c2ln", part(header), part(claims))
    }

    fn checked(claims: &Value) -> Result<AssertionId, AssertionError> {
        let text = token(&json!({ "alg": "ES256" }), claims);
        ClientAssertion::parse(&text)?.check(&Issuer::new(ISSUER), Timestamp::from_unix(NOW))
    }

    fn assert_claim(claims: &Value, claim: &'static str) {
        assert_eq!(checked(claims), Err(AssertionError::Claim(claim)), "{claims}");
    }

    #[test]
    fn ex_02_an_assertion_says_who_for_whom_until_when_and_which() {
        let accepted = checked(&claims()).unwrap();
        assert_eq!(accepted.id, SpentId::client_assertion(&ClientId::new("client"), "1"));
        assert_eq!(accepted.until, Timestamp::from_unix(NOW + 60).after(CLIENT_CLOCK_SKEW));
        for claim in ["iss", "sub", "exp", "jti"] {
            assert_claim(&without(claim), claim);
            assert_claim(&with(claim, json!(["x"])), claim);
            assert_claim(&with(claim, json!("")), claim);
        }
        assert_claim(&with("jti", json!("x".repeat(LONGEST_TOKEN_ID + 1))), "jti");
        assert_claim(&with("exp", json!(null)), "exp");
    }

    #[test]
    fn ex_02_issuer_and_subject_are_the_client() {
        for claim in ["iss", "sub"] {
            let refused = checked(&with(claim, json!("somebody")));
            assert!(matches!(refused, Err(AssertionError::OtherSubject { .. })), "{refused:?}");
        }
    }

    #[test]
    fn ex_02_the_audience_is_the_issuer_and_nobody_else() {
        for audience in [
            json!(ISSUER),
            json!("https://mcp.example.com/"),
            json!([ISSUER]),
            json!(["https://mcp.example.com/"]),
        ] {
            assert!(checked(&with("aud", audience.clone())).is_ok(), "{audience}");
        }
        for audience in [
            json!(null),
            json!(""),
            json!([]),
            json!([ISSUER, ISSUER]),
            json!([ISSUER, "https://other.example"]),
            json!([[ISSUER]]),
            json!("https://mcp.example.com//"),
            json!("https://mcp.example.com/token"),
            json!("https://MCP.example.com"),
            json!("https://other.example"),
        ] {
            let refused = checked(&with("aud", audience.clone()));
            assert!(matches!(refused, Err(AssertionError::Audience { .. })), "{audience}");
        }
        assert!(matches!(checked(&without("aud")), Err(AssertionError::Audience { .. })));
        let slashed = token(&json!({ "alg": "RS256" }), &claims());
        let slashed = ClientAssertion::parse(&slashed).unwrap();
        let issuer = Issuer::new("https://mcp.example.com/");
        assert!(slashed.check(&issuer, Timestamp::from_unix(NOW)).is_ok());
    }

    #[test]
    fn ex_02_an_assertion_lives_for_minutes() {
        let skew = CLIENT_CLOCK_SKEW.as_secs().cast_signed();
        let longest = LONGEST_ASSERTION_LIFE.as_secs().cast_signed() + skew;
        for expiry in [json!(NOW - skew + 1), json!(NOW + longest), json!(NOW as f64 + 0.5)] {
            assert!(checked(&with("exp", expiry.clone())).is_ok(), "{expiry}");
        }
        for expired in [json!(NOW - skew), json!(0), json!(-1), json!(-1e300)] {
            let refused = checked(&with("exp", expired.clone()));
            assert!(matches!(refused, Err(AssertionError::Expired { .. })), "{expired}");
        }
        for late in [json!(NOW + longest + 1), json!(i64::MAX), json!(u64::MAX), json!(1e300)] {
            let refused = checked(&with("exp", late.clone()));
            assert!(matches!(refused, Err(AssertionError::TooLong { .. })), "{late}");
        }
    }

    #[test]
    fn ex_02_an_assertion_from_the_future_is_refused() {
        let skew = CLIENT_CLOCK_SKEW.as_secs().cast_signed();
        for claim in ["nbf", "iat"] {
            assert!(checked(&with(claim, json!(NOW + skew))).is_ok());
            let refused = checked(&with(claim, json!(NOW + skew + 1)));
            assert!(matches!(refused, Err(AssertionError::NotYetValid { .. })), "{claim}");
            assert_claim(&with(claim, json!("1")), claim);
        }
    }

    #[test]
    fn ex_02_only_asymmetric_algorithms_are_read() {
        for name in ["none", "None", "HS256", "HS512", "RS512", "ES384", "rs256", ""] {
            let text = token(&json!({ "alg": name }), &claims());
            let refused = ClientAssertion::parse(&text).err();
            assert_eq!(refused, Some(AssertionError::Algorithm(name.to_owned())));
        }
        for algorithm in AssertionAlgorithm::ALL {
            let header = json!({ "alg": algorithm.as_str(), "typ": "any", "kid": "k" });
            let text = token(&header, &claims());
            let assertion = ClientAssertion::parse(&text).unwrap();
            assert_eq!(assertion.signed().algorithm, algorithm);
            assert_eq!(assertion.key_id(), Some("k"));
        }
    }

    #[test]
    fn what_is_no_token_is_malformed() {
        for text in ["", "a", "a.b.c", "a.b.c.d"] {
            let refused = ClientAssertion::parse(text).err();
            assert!(matches!(refused, Some(AssertionError::Malformed(_))), "{text}");
        }
    }
}
