//! What an access token of this server says (RFC 9068), and the rules by which one is accepted.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::client::ClientId;
use super::grant::GrantId;
use super::issuer::Issuer;
use super::jwt::{JoseHeader, MalformedJwt};
use super::person::{Person, Subject};
use super::principal::{CallerKind, Principal};
use super::provider_account::is_reserved;
use super::resource::ProtectedResource;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

/// The media type in the header of an access token (RFC 9068 §2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";

/// The one algorithm own tokens are signed with.
pub const SIGNING_ALGORITHM: &str = "RS256";

/// How far the clocks of two replicas may differ.
pub const CLOCK_SKEW: Duration = Duration::from_secs(5);

/// The claims of an access token about to be signed.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessTokenClaims {
    /// This server.
    pub issuer: Issuer,
    /// Who consented.
    pub person: Person,
    /// The client it is for.
    pub client: ClientId,
    /// The `aud` claim: the resource that was consented to.
    pub audience: String,
    /// What it allows.
    pub scope: ScopeSet,
    /// Now.
    pub issued_at: Timestamp,
    /// End of its life.
    pub expires_at: Timestamp,
    /// The `jti` claim, unique.
    pub token_id: String,
    /// The grant it is good for, with which it ends; `None` for test tokens.
    pub grant: Option<GrantId>,
}

/// The private claim that names the grant behind a token.
const GRANT_CLAIM: &str = "grant_id";

/// An access token of this server that can be ended before its time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IssuedToken {
    /// Its `jti`.
    pub token_id: String,
    /// The grant it is good for.
    pub grant: GrantId,
}

impl AccessTokenClaims {
    /// The JWT claims set (RFC 9068 §2.2), with the claims of the person's provider that are carried;
    /// none of them stands for one of ours.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut claims = self.carried();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("iss", json!(self.issuer));
        put("sub", json!(self.person.subject));
        put("aud", json!(self.audience));
        put("client_id", json!(self.client));
        put("scope", json!(self.scope));
        put("iat", json!(self.issued_at));
        put("exp", json!(self.expires_at));
        put("jti", json!(self.token_id));
        if let Some(grant) = &self.grant {
            put(GRANT_CLAIM, json!(grant.as_str()));
        }
        if let Some(name) = &self.person.name {
            put("name", json!(name));
        }
        if let Some(email) = &self.person.verified_email {
            put("email", json!(email));
            put("email_verified", json!(true));
        }
        claims
    }

    fn carried(&self) -> Map<String, Value> {
        let account = self.person.account.as_deref();
        let claims = account.into_iter().flat_map(|account| &account.claims);
        let carried = claims.filter(|(name, _)| !is_reserved(name));
        carried.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// Why a token is not accepted. The text is for logs and developers: it names what was expected and
/// what was received, never the token.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// It can't be read.
    #[error(transparent)]
    Malformed(#[from] MalformedJwt),
    /// A claim every token needs is missing or of the wrong shape.
    #[error("the token's claim {0} is missing or malformed")]
    BadClaim(Cow<'static, str>),
    /// Its life is over.
    #[error("the token expired at {expired_at}, it is {now} (seconds since 1970)")]
    Expired {
        /// The `exp` claim.
        expired_at: i64,
        /// The time of the check.
        now: i64,
    },
    /// Its life has not begun, or it was issued in the future.
    #[error("the token is valid from {valid_from} on, it is {now} (seconds since 1970)")]
    NotYetValid {
        /// The `nbf` or `iat` claim.
        valid_from: i64,
        /// The time of the check.
        now: i64,
    },
    /// The signature is not that of the key.
    #[error("the token's signature does not verify")]
    BadSignature,
    /// Its algorithm is not one this issuer uses.
    #[error("the token is signed with {received:?}, only {expected} is accepted")]
    WrongAlgorithm {
        /// The `alg` header.
        received: String,
        /// What the issuer uses.
        expected: String,
    },
    /// No key of the issuer has its key id.
    #[error("no published key has the token's key id {0:?}")]
    UnknownKey(Option<String>),
    /// It is from somebody else.
    #[error("the token's issuer is {received:?}, expected \"{expected}\"")]
    WrongIssuer {
        /// The `iss` claim.
        received: String,
        /// The issuers this verifier trusts.
        expected: String,
    },
    /// It is for somebody else.
    #[error("the token's audience is {received:?}, expected {expected:?}")]
    WrongAudience {
        /// The `aud` claim.
        received: Vec<String>,
        /// The names of this resource, and for a provider those that may stand beside them.
        expected: String,
    },
    /// It was issued too long ago, whatever its `exp` says.
    #[error("the token was issued at {issued_at}, it is {now}, and {longest} s is the longest age")]
    TooOld {
        /// The `iat` claim.
        issued_at: i64,
        /// The longest age, in seconds.
        longest: u64,
        /// The time of the check.
        now: i64,
    },
    /// The person had to log in anew, and this login is from before.
    #[error(
        "the person logged in at {logged_in_at}, it is {now}, and a new login is {longest} s old at most"
    )]
    OldLogin {
        /// The `auth_time` claim.
        logged_in_at: i64,
        /// The longest age, in seconds.
        longest: u64,
        /// The time of the check.
        now: i64,
    },
    /// It was revoked, or the grant behind it was.
    #[error("the token was revoked")]
    Revoked,
    /// Its issuer, when asked, says that it is worth nothing (RFC 7662 §2.2).
    #[error("the issuer says that the token is not active")]
    Inactive,
    /// It is another kind of token, e.g. an ID token.
    #[error("the token's type is {received:?}, expected {expected}")]
    WrongType {
        /// The `typ` header, or what gives it away.
        received: Option<String>,
        /// What the issuer calls its access tokens.
        expected: String,
    },
    /// A claim has another value than the issuer's access tokens have.
    #[error("the token's claim {name} is {received:?}, expected {expected:?}")]
    WrongClaim {
        /// Which.
        name: String,
        /// Its value, if it is a text.
        received: Option<String>,
        /// The only value accepted.
        expected: String,
    },
    /// The issuer's keys can't be had at the moment: says nothing about the token.
    #[error("tokens can't be verified at the moment: {reason}")]
    Unavailable {
        /// What is out of reach, for the log.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
}

/// The rules for tokens that this server issued itself (RFC 9068 §4).
#[derive(Debug, Clone)]
pub struct OwnTokenRules<'a> {
    /// The only issuer accepted, byte for byte.
    pub issuer: &'a Issuer,
    /// What the token must be for.
    pub resource: &'a ProtectedResource,
    /// The time of the check.
    pub now: Timestamp,
}

impl OwnTokenRules<'_> {
    /// Checks the header, before any cryptography.
    ///
    /// # Errors
    /// [`VerifyError::WrongAlgorithm`] or [`VerifyError::WrongType`].
    pub fn check_header(&self, header: &JoseHeader) -> Result<(), VerifyError> {
        if header.alg != SIGNING_ALGORITHM {
            return Err(VerifyError::WrongAlgorithm {
                received: header.alg.clone(),
                expected: SIGNING_ALGORITHM.to_owned(),
            });
        }
        let is_access_token = header.is_of_type(ACCESS_TOKEN_TYPE);
        if is_access_token {
            Ok(())
        } else {
            Err(VerifyError::WrongType {
                received: header.typ.clone(),
                expected: ACCESS_TOKEN_TYPE.to_owned(),
            })
        }
    }

    /// Checks the claims of a token whose signature was verified.
    ///
    /// Of the claims that are carried from a person's provider, `groups` and `roles` are the caller's
    /// groups, `permissions` their permissions, each where it is an array of texts, and the first text
    /// among `tenant`, `tid` and `org_id` their tenant; tools find the others under their own names.
    ///
    /// # Errors
    /// The first rule of RFC 9068 §4 that it breaks.
    pub fn accept(&self, claims: Map<String, Value>) -> Result<Principal, VerifyError> {
        let issuer = text(&claims, "iss")?;
        if issuer != self.issuer.as_str() {
            return Err(VerifyError::WrongIssuer {
                received: issuer.to_owned(),
                expected: self.issuer.as_str().to_owned(),
            });
        }
        let audiences = self.check_audience(&claims)?;
        let expires_at = self.check_times(&claims)?;
        let scopes = match claims.get("scope") {
            None => ScopeSet::default(),
            // Empty in a token that allows nothing, which a caller may step up from.
            Some(Value::String(scope)) => {
                ScopeSet::parse(scope).map_err(|_| VerifyError::BadClaim("scope".into()))?
            }
            Some(_) => return Err(VerifyError::BadClaim("scope".into())),
        };
        let subject = Subject::new(text(&claims, "sub")?);
        Ok(Principal {
            issuer: self.issuer.clone(),
            kind: if subject.is_client() { CallerKind::Machine } else { CallerKind::User },
            subject,
            client: Some(ClientId::new(text(&claims, "client_id")?)),
            audiences,
            scopes,
            permissions: texts(&claims, &["permissions"]),
            groups: texts(&claims, &["groups", "roles"]),
            tenant: first_text(&claims, &["tenant", "tid", "org_id"]),
            verified_email: verified_email(&claims),
            issued_at: Some(moment(&claims, "iat")?.ok_or(VerifyError::BadClaim("iat".into()))?),
            expires_at,
            token_id: Some(text(&claims, "jti")?.to_owned()),
            grant: grant(&claims)?,
            claims,
        })
    }

    fn check_audience(&self, claims: &Map<String, Value>) -> Result<Vec<String>, VerifyError> {
        let audiences = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(several)) => several
                .iter()
                .map(|value| value.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or(VerifyError::BadClaim("aud".into()))?,
            _ => return Err(VerifyError::BadClaim("aud".into())),
        };
        if audiences.iter().any(|audience| self.resource.is_named_by(audience)) {
            return Ok(audiences);
        }
        Err(VerifyError::WrongAudience {
            received: audiences,
            expected: self.resource.canonical().as_str().to_owned(),
        })
    }

    fn check_times(&self, claims: &Map<String, Value>) -> Result<Timestamp, VerifyError> {
        let expires_at = moment(claims, "exp")?.ok_or(VerifyError::BadClaim("exp".into()))?;
        if self.now >= expires_at.after(CLOCK_SKEW) {
            return Err(VerifyError::Expired {
                expired_at: expires_at.as_unix(),
                now: self.now.as_unix(),
            });
        }
        for name in ["nbf", "iat"] {
            if let Some(from) = moment(claims, name)?
                && from > self.now.after(CLOCK_SKEW)
            {
                return Err(VerifyError::NotYetValid {
                    valid_from: from.as_unix(),
                    now: self.now.as_unix(),
                });
            }
        }
        Ok(expires_at)
    }
}

pub(super) fn text<'a>(
    claims: &'a Map<String, Value>,
    name: &'static str,
) -> Result<&'a str, VerifyError> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or(VerifyError::BadClaim(name.into()))
}

/// The texts in those claims that are arrays of nothing else.
fn texts(claims: &Map<String, Value>, names: &[&str]) -> BTreeSet<String> {
    let arrays = names.iter().filter_map(|name| claims.get(*name)?.as_array());
    let texts = |array: &Vec<Value>| -> Option<Vec<String>> {
        array.iter().map(|value| value.as_str().map(str::to_owned)).collect()
    };
    arrays.filter_map(texts).flatten().collect()
}

fn first_text(claims: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| claims.get(*name)?.as_str()).map(str::to_owned)
}

/// A NumericDate, which may have a fraction (RFC 7519 §2).
pub(super) fn moment(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Timestamp>, VerifyError> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    #[expect(clippy::cast_possible_truncation, reason = "a date's fraction is of no interest")]
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
    seconds.map(Timestamp::from_unix).map(Some).ok_or(VerifyError::BadClaim(name.into()))
}

fn grant(claims: &Map<String, Value>) -> Result<Option<GrantId>, VerifyError> {
    match claims.get(GRANT_CLAIM) {
        None => Ok(None),
        Some(_) => text(claims, GRANT_CLAIM).map(GrantId::new).map(Some),
    }
}

pub(super) fn verified_email(claims: &Map<String, Value>) -> Option<String> {
    let verified = claims.get("email_verified").and_then(Value::as_bool) == Some(true);
    let email = claims.get("email").and_then(Value::as_str);
    email.filter(|_| verified).map(str::to_owned)
}
