//! One provider as the operator configured it, and what is known of each vendor: values only.

use std::time::Duration;

use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::provider::{IssuerRule, ProviderName};
use mcp_oauth_core::domain::provider_policy::{
    AudienceRule, MachineMark, ProviderPolicy, RequiredClaim, TypeRule,
};
use secrecy::SecretString;

use crate::vendor::Vendor;

/// Everything that distinguishes one provider from another. [`Self::of`] fills in what is known of
/// its vendor; what the operator set is written over it.
#[derive(Debug, Clone)]
pub struct ProviderConfig {
    /// What the operator calls it.
    pub name: ProviderName,
    /// What it is.
    pub vendor: Vendor,
    /// What the button of the login page says.
    pub title: String,
    /// How its access tokens are accepted; issuer, algorithms, claims and clock of its ID tokens too.
    pub policy: ProviderPolicy,
    /// This server as a client of the provider; needed for people to log in there, and for
    /// introspection.
    pub client: Option<ProviderClient>,
    /// What is asked for when somebody logs in; `openid` is among them.
    pub login_scopes: Vec<String>,
    /// Parameters added to the authorization request, e.g. `hd` or `connection`.
    pub authorize_parameters: Vec<(String, String)>,
    /// Whether the provider is told for which resource somebody logs in.
    pub resource_forwarding: ResourceForwarding,
    /// What its access tokens look like.
    pub token_format: TokenFormat,
    /// How an access token is looked up that says nothing by itself.
    pub opaque: Option<OpaqueMethod>,
    /// How long its answers may take.
    pub limits: TimeLimits,
}

/// This server as a client of a provider (RFC 6749 §2).
#[derive(Debug, Clone)]
pub struct ProviderClient {
    /// The id the provider gave it.
    pub client_id: String,
    /// Its secret; without one it is a public client and PKCE is all the protection.
    pub client_secret: Option<SecretString>,
}

/// How the resource travels to the provider with the authorization and the token request. Off by
/// default: Entra ID refuses it (AADSTS9010010), others answer with tokens for somebody else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ResourceForwarding {
    /// Not at all.
    #[default]
    None,
    /// As `resource` (RFC 8707).
    Resource,
    /// As `audience`, the parameter of Auth0.
    Audience,
}

/// What the access tokens of a provider look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFormat {
    /// JSON Web Tokens; anything else is malformed.
    Jwt,
    /// All of them are looked up, whatever they look like.
    Opaque,
    /// JSON Web Tokens are verified here, the others looked up.
    Auto,
}

/// How an opaque token is looked up.
#[derive(Debug, Clone)]
pub enum OpaqueMethod {
    /// RFC 7662, with the client's authentication.
    Introspection {
        /// Where; that of the discovery document when `None`.
        endpoint: Option<String>,
    },
    /// Clerk's own endpoint: `POST {api_url}/oauth_applications/access_tokens/verify`.
    ClerkVerify {
        /// With the version, without a slash at the end.
        api_url: String,
        /// Clerk's secret key (`sk_…`).
        secret_key: SecretString,
    },
    /// Google's own endpoint, which needs no authentication.
    GoogleTokenInfo {
        /// Where.
        endpoint: String,
    },
}

/// Where Clerk's own interface is.
pub const CLERK_API: &str = "https://api.clerk.com/v1";

/// Where Google says what a token is.
pub const GOOGLE_TOKENINFO: &str = "https://oauth2.googleapis.com/tokeninfo";

/// How long a provider's answers may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// For a connection, its name included.
    pub connect: Duration,
    /// For one answer, to its last byte.
    pub total: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), total: Duration::from_secs(5) }
    }
}

impl ProviderConfig {
    /// What is known of `vendor`. The audience is required to be this resource or, where
    /// `policy.audience.accepted` is filled in (Entra ID, authentik, Cognito: a client id), one of
    /// those.
    #[must_use]
    pub fn of(vendor: Vendor, name: ProviderName, issuer: Issuer) -> Self {
        let mut config = Self {
            name,
            vendor,
            title: vendor.title().to_owned(),
            policy: ProviderPolicy::standard(IssuerRule::exactly(issuer)),
            client: None,
            login_scopes: names(&["openid", "profile", "email"]),
            authorize_parameters: Vec::new(),
            resource_forwarding: ResourceForwarding::None,
            token_format: TokenFormat::Jwt,
            opaque: None,
            limits: TimeLimits::default(),
        };
        match vendor {
            Vendor::Clerk => config.token_format = TokenFormat::Auto,
            Vendor::Auth0 => auth0(&mut config.policy),
            Vendor::Keycloak => keycloak(&mut config.policy),
            Vendor::Okta => okta(&mut config.policy),
            Vendor::Entra => entra(&mut config.policy),
            Vendor::Cognito => cognito(&mut config.policy),
            Vendor::Google => google(&mut config),
            Vendor::Authentik => authentik(&mut config.policy),
            Vendor::Oidc => config.token_format = TokenFormat::Auto,
        }
        if matches!(vendor, Vendor::Okta | Vendor::Oidc) {
            config.opaque = Some(OpaqueMethod::Introspection { endpoint: None });
        }
        config
    }

    /// Has a login ask for a refresh token as well (OpenID Connect Core §11). Google knows no such
    /// scope and has parameters of its own, which those of the operator replace; Cognito refuses the
    /// scope and gives one anyway.
    pub fn ask_for_refresh_tokens(&mut self) {
        match self.vendor {
            Vendor::Google => {
                self.add_parameter("access_type", "offline");
                self.add_parameter("prompt", "consent");
            }
            Vendor::Cognito => {}
            _ => self.login_scopes.push("offline_access".to_owned()),
        }
    }

    fn add_parameter(&mut self, name: &str, value: &str) {
        if !self.authorize_parameters.iter().any(|(set, _)| set == name) {
            self.authorize_parameters.push((name.to_owned(), value.to_owned()));
        }
    }
}

/// Two dialects, `JWT` and RFC 9068; `aud` names the userinfo endpoint beside the API.
fn auth0(policy: &mut ProviderPolicy) {
    let userinfo = format!("{}userinfo", policy.issuer.issuer.as_str());
    policy.token_type = TypeRule::OneOf(names(&["at+jwt", "JWT"]));
    policy.audience = AudienceRule { others: Some(vec![userinfo]), ..policy.audience.clone() };
    policy.machines = vec![MachineMark::Says(claim("gty", "client-credentials"))];
}

/// All tokens are `JWT`; the claim `typ` tells access tokens from ID tokens.
fn keycloak(policy: &mut ProviderPolicy) {
    policy.token_type = TypeRule::OneOf(names(&["at+jwt", "JWT"]));
    policy.required = vec![claim("typ", "Bearer")];
    policy.claims.client = names(&["azp", "client_id"]);
    policy.claims.groups = names(&["groups", "/realm_access/roles"]);
    policy.machines =
        vec![MachineMark::BeginsWith(claim("preferred_username", "service-account-"))];
}

/// Tokens of a custom authorization server have no `typ`; only access tokens have `cid`.
fn okta(policy: &mut ProviderPolicy) {
    policy.token_type = TypeRule::Any;
    policy.present = names(&["cid"]);
    policy.claims.scopes = names(&["scp", "scope"]);
    policy.claims.client = names(&["cid"]);
}

/// `aud` is the client id of the API (v2) or also its App ID URI (v1), and of ID tokens that of the
/// client, which may be the same; only access tokens name the client beside it. `sub` differs from
/// application to application, `tid` and `oid` don't.
fn entra(policy: &mut ProviderPolicy) {
    policy.issuer.aliases = entra_v1(&policy.issuer.issuer).into_iter().collect();
    policy.token_type = TypeRule::OneOf(names(&["JWT", "at+jwt"]));
    policy.present_any = names(&["azp", "appid"]);
    policy.absent = names(&["nonce"]);
    policy.claims.scopes = names(&["scp", "roles"]);
    policy.claims.client = names(&["azp", "appid"]);
    policy.claims.subject = names(&["tid", "oid"]);
    policy.claims.groups = names(&["groups"]);
    policy.claims.permissions = names(&["roles"]);
    policy.claims.tenant = names(&["tid"]);
    policy.machines =
        vec![MachineMark::Says(claim("idtyp", "app")), MachineMark::Lacks("scp".into())];
}

/// The issuer of the older tokens of the same tenant.
fn entra_v1(v2: &Issuer) -> Option<Issuer> {
    let tenant = v2.as_str().strip_prefix("https://login.microsoftonline.com/")?;
    let tenant = tenant.strip_suffix("/v2.0")?;
    Some(Issuer::new(format!("https://sts.windows.net/{tenant}/")))
}

/// Access tokens have `client_id` where ID tokens have `aud`.
fn cognito(policy: &mut ProviderPolicy) {
    policy.token_type = TypeRule::Any;
    policy.required = vec![claim("token_use", "access")];
    policy.audience.claims = names(&["aud", "client_id"]);
    policy.claims.client = names(&["client_id"]);
    policy.claims.groups = names(&["cognito:groups"]);
}

/// Access tokens say nothing by themselves.
fn google(config: &mut ProviderConfig) {
    config.token_format = TokenFormat::Opaque;
    config.opaque = Some(OpaqueMethod::GoogleTokenInfo { endpoint: GOOGLE_TOKENINFO.to_owned() });
    config.policy.issuer.aliases = vec![Issuer::new("accounts.google.com")];
    config.policy.claims.client = names(&["azp", "aud"]);
    config.policy.claims.tenant = names(&["hd"]);
}

/// `aud` is the client id, of access tokens and ID tokens alike; only access tokens have `uid`.
fn authentik(policy: &mut ProviderPolicy) {
    policy.token_type = TypeRule::OneOf(names(&["JWT", "at+jwt"]));
    policy.present = names(&["azp", "uid"]);
    policy.claims.client = names(&["azp", "client_id"]);
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn claim(name: &str, value: &str) -> RequiredClaim {
    RequiredClaim { name: name.to_owned(), value: value.to_owned() }
}

#[cfg(test)]
mod tests {
    use mcp_oauth_core::domain::client_keys::AssertionAlgorithm;
    use mcp_oauth_core::domain::provider_policy::AudienceMode;

    use super::*;

    fn of(vendor: Vendor, issuer: &str) -> ProviderConfig {
        let name = ProviderName::parse("work").unwrap();
        ProviderConfig::of(vendor, name, Issuer::new(issuer))
    }

    #[test]
    fn jv_01_no_vendor_signs_with_a_secret_or_goes_without_audience_unless_told() {
        for vendor in Vendor::ALL {
            let config = of(vendor, "https://id.example/");
            assert_eq!(config.policy.audience.mode, AudienceMode::Require);
            assert!(config.policy.algorithms.iter().all(|it| AssertionAlgorithm::ALL.contains(it)));
            assert_eq!(config.resource_forwarding, ResourceForwarding::None, "UP-06 {vendor:?}");
            assert!(config.login_scopes.contains(&"openid".to_owned()));
        }
    }

    #[test]
    fn entra_knows_the_older_issuer_of_the_same_tenant() {
        let rule = of(Vendor::Entra, "https://login.microsoftonline.com/t1/v2.0").policy.issuer;
        assert_eq!(rule.aliases, [Issuer::new("https://sts.windows.net/t1/")]);
        assert!(
            of(Vendor::Entra, "https://login.example/t1/v2.0").policy.issuer.aliases.is_empty()
        );
    }

    #[test]
    fn up_07_a_login_asks_for_a_refresh_token_in_the_words_of_its_vendor() {
        for vendor in Vendor::ALL {
            let mut config = of(vendor, "https://id.example/");
            config.authorize_parameters = vec![("prompt".to_owned(), "select_account".to_owned())];
            config.ask_for_refresh_tokens();
            let asks = config.login_scopes.contains(&"offline_access".to_owned());
            assert_eq!(asks, !matches!(vendor, Vendor::Google | Vendor::Cognito), "{vendor:?}");
            let parameters: Vec<_> = config.authorize_parameters.iter().map(|it| &*it.0).collect();
            let expected: &[&str] = match vendor {
                Vendor::Google => &["prompt", "access_type"],
                _ => &["prompt"],
            };
            assert_eq!(parameters, expected, "{vendor:?}");
        }
    }

    #[test]
    fn auth0_lets_its_userinfo_stand_beside_the_resource() {
        let audience = of(Vendor::Auth0, "https://t.auth0.com/").policy.audience;
        assert_eq!(audience.others, Some(vec!["https://t.auth0.com/userinfo".to_owned()]));
    }
}
