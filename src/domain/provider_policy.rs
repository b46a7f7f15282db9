//! How one provider's tokens look, as values: what differs between Clerk, Auth0, Entra ID and the
//! others is data, and `provider_token.rs` is the one reading of it.

use std::time::Duration;

use super::client_keys::AssertionAlgorithm;
use super::provider::IssuerRule;

/// How an access token of a provider is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderPolicy {
    /// Who may have issued it.
    pub issuer: IssuerRule,
    /// What it may be signed with; never a symmetric algorithm.
    pub algorithms: Vec<AssertionAlgorithm>,
    /// What its header may call it.
    pub token_type: TypeRule,
    /// For whom it has to be.
    pub audience: AudienceRule,
    /// Claims that must have a certain value, e.g. `token_use` = `access`.
    pub required: Vec<RequiredClaim>,
    /// Claims that must be there whatever they say, e.g. one that only access tokens have.
    pub present: Vec<String>,
    /// Claims of which at least one must be there; none are asked for when it is empty.
    pub present_any: Vec<String>,
    /// Claims that must not be there, since only other tokens of the provider have them.
    pub absent: Vec<String>,
    /// What tells a program that acts for itself from a person; the first that applies counts.
    /// Beside these, a subject that is the client itself always does.
    pub machines: Vec<MachineMark>,
    /// Where the caller's particulars stand.
    pub claims: ClaimSources,
    /// How far the provider's clock may differ from ours; at most 60 s.
    pub clock_skew: Duration,
    /// How long after `iat` a token is accepted, whatever its `exp` says.
    pub longest_age: Option<Duration>,
}

/// What the `typ` of a token's header may be. It is compared without regard to case and without
/// `application/` in front (RFC 7515 §4.1.9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeRule {
    /// One of these: the wall between access tokens and ID tokens where both have the same keys
    /// (RFC 9068 §4).
    OneOf(Vec<String>),
    /// Anything, for a provider that calls all of its tokens the same; something else has to tell
    /// them apart, e.g. a required claim or the audience.
    Any,
}

/// For whom a token has to be (RFC 8707 §2, RFC 9068 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceRule {
    /// What happens to a token that does not name us.
    pub mode: AudienceMode,
    /// The claims that name the audience, e.g. `aud`, or `client_id` where a provider has no other.
    pub claims: Vec<String>,
    /// Names of this resource at the provider beside its addresses, e.g. the client id that Entra ID
    /// puts into `aud`.
    pub accepted: Vec<String>,
    /// Audiences that may stand beside ours, e.g. Auth0's userinfo; `None` lets any.
    pub others: Option<Vec<String>>,
}

/// How strict an audience is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AudienceMode {
    /// A token has to name us. Everything else lets tokens in that were issued for somebody else.
    Require,
    /// A token that names only others is refused; one that names nobody is let in.
    Foreign,
    /// Nobody is refused for the audience; the log tells who would be.
    Observe,
}

/// A claim that must have a certain value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredClaim {
    /// Its name.
    pub name: String,
    /// Its value, a text.
    pub value: String,
}

/// What shows that no person stands behind a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineMark {
    /// A claim has this value, e.g. `gty` = `client-credentials`.
    Says(RequiredClaim),
    /// A claim begins with this value.
    BeginsWith(RequiredClaim),
    /// A claim is not there that every person's token has.
    Lacks(String),
}

/// Where the particulars of a caller stand. Of several sources the first that is present counts;
/// of groups and permissions all do. A source that begins with a slash is the way to a claim within
/// a claim (RFC 6901), e.g. `/realm_access/roles`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimSources {
    /// A text separated by spaces, or a list: `scope`, `scp`.
    pub scopes: Vec<String>,
    /// Taken from the front of each scope, e.g. `api://tools/`.
    pub scope_prefix: Option<String>,
    /// `client_id`, `azp`, `appid`, `cid`.
    pub client: Vec<String>,
    /// What names the person; several are joined by a colon and must all be there, e.g. `tid` and
    /// `oid`.
    pub subject: Vec<String>,
    /// Lists of texts.
    pub groups: Vec<String>,
    /// Lists of texts.
    pub permissions: Vec<String>,
    /// A text.
    pub tenant: Vec<String>,
    /// A text.
    pub organization: Vec<String>,
}

impl ClaimSources {
    /// The names of RFC 9068 §2.2.
    #[must_use]
    pub fn standard() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            scopes: names(&["scope"]),
            scope_prefix: None,
            client: names(&["client_id", "azp"]),
            subject: names(&["sub"]),
            groups: names(&["groups", "roles"]),
            permissions: names(&["permissions"]),
            tenant: Vec::new(),
            organization: names(&["org_id"]),
        }
    }
}

impl ProviderPolicy {
    /// The rules of RFC 9068 for tokens of `issuer`.
    #[must_use]
    pub fn standard(issuer: IssuerRule) -> Self {
        Self {
            issuer,
            algorithms: AssertionAlgorithm::ALL.to_vec(),
            token_type: TypeRule::OneOf(vec!["at+jwt".to_owned()]),
            audience: AudienceRule {
                mode: AudienceMode::Require,
                claims: vec!["aud".to_owned()],
                accepted: Vec::new(),
                others: None,
            },
            required: Vec::new(),
            present: Vec::new(),
            present_any: Vec::new(),
            absent: Vec::new(),
            machines: Vec::new(),
            claims: ClaimSources::standard(),
            clock_skew: Duration::from_secs(30),
            longest_age: None,
        }
    }
}
