//! The name of a configured provider, and the issuers it vouches as.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::error_text::shortened;
use super::issuer::Issuer;

/// The longest name of a provider, in characters.
const LONGEST_NAME: usize = 32;

/// What stands in an issuer's template for the tenant.
const TENANT: &str = "{tenant}";

/// How Entra ID spells that in the discovery document of all tenants.
const TENANT_IN_DISCOVERY: &str = "{tenantid}";

/// What the operator calls a provider: in settings, on the way back (`/callback/{name}`) and in the
/// log. Lower-case letters, digits and dashes, at most 32.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderName(String);

/// A text that is no name of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no name of a provider: use lower-case letters, digits and dashes, at most 32")]
pub struct InvalidProviderName(String);

impl ProviderName {
    /// Validates a name.
    ///
    /// # Errors
    /// [`InvalidProviderName`].
    pub fn parse(name: &str) -> Result<Self, InvalidProviderName> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(allowed) {
            return Err(InvalidProviderName(name.chars().take(2 * LONGEST_NAME).collect()));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which issuers a provider vouches as; each is compared byte for byte (OpenID Connect Core §3.1.3.7,
/// RFC 9068 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerRule {
    /// The issuer of the discovery document.
    pub issuer: Issuer,
    /// Others that are the same provider, e.g. that of Entra ID's older tokens.
    pub aliases: Vec<Issuer>,
    /// For a provider of many tenants.
    pub tenants: Option<TenantIssuers>,
}

/// The issuers of a provider that has one for each tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantIssuers {
    /// An issuer with `{tenant}` in the place of the tenant.
    pub template: String,
    /// The tenants that are let in; never everybody.
    pub tenants: Vec<String>,
}

impl IssuerRule {
    /// One issuer and no other.
    #[must_use]
    pub fn exactly(issuer: Issuer) -> Self {
        Self { issuer, aliases: Vec::new(), tenants: None }
    }

    /// Whether `issuer` is this provider.
    #[must_use]
    pub fn accepts(&self, issuer: &Issuer) -> bool {
        self.issuer == *issuer
            || self.aliases.contains(issuer)
            || self.tenants.as_ref().is_some_and(|tenants| tenants.accept(issuer))
    }

    /// Whether a discovery document that says it is of `issuer` is this provider's: the configured
    /// issuer to the last character (UP-04, OpenID Connect Discovery §4.3, RFC 8414 §3.3), or the
    /// template of its tenants. Whoever publishes as another could have its codes redeemed here.
    #[must_use]
    pub fn publishes(&self, issuer: &str) -> bool {
        self.issuer.as_str() == issuer
            || self.tenants.as_ref().is_some_and(|tenants| tenants.publish(issuer))
    }

    /// Checks the `iss` parameter of an authorization response, which has to be there if the provider
    /// promises it (`authorization_response_iss_parameter_supported`). After an error the code is to
    /// be sent to nobody: the answer may be a mix-up (RFC 9207 §2.4).
    ///
    /// # Errors
    /// [`WrongResponseIssuer`].
    pub fn check_response(
        &self,
        received: Option<&str>,
        is_promised: bool,
    ) -> Result<(), WrongResponseIssuer> {
        let expected = || self.spelled_out();
        match received {
            None if is_promised => Err(WrongResponseIssuer::Missing { expected: expected() }),
            None => Ok(()),
            Some(issuer) if self.accepts(&Issuer::new(issuer)) => Ok(()),
            Some(issuer) => {
                let received = shortened(issuer);
                Err(WrongResponseIssuer::Other { received, expected: expected() })
            }
        }
    }

    /// Whether an issuer is accepted by both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let accepts_one_of = |one: &Self, other: &Self| {
            let of_tenants = other.tenants.iter().flat_map(TenantIssuers::issuers);
            let named = [other.issuer.clone()].into_iter().chain(other.aliases.clone());
            named.chain(of_tenants).any(|issuer| one.accepts(&issuer))
        };
        accepts_one_of(self, other) || accepts_one_of(other, self)
    }

    /// All of them, for a person to read.
    #[must_use]
    pub fn spelled_out(&self) -> String {
        let mut all: Vec<_> = [&self.issuer].into_iter().chain(&self.aliases).collect();
        let of_tenants = self.tenants.as_ref().map(|tenants| Issuer::new(&*tenants.template));
        all.extend(&of_tenants);
        all.into_iter().map(Issuer::as_str).collect::<Vec<_>>().join(" or ")
    }
}

/// The first two of `providers` that have an issuer in common, each with the `rule` it goes by: what
/// one of them says could be taken for the word of the other.
#[must_use]
pub fn sharing_an_issuer<T>(providers: &[T], rule: impl Fn(&T) -> &IssuerRule) -> Option<(&T, &T)> {
    providers.iter().enumerate().find_map(|(index, one)| {
        let mut earlier = providers[..index].iter();
        Some((earlier.find(|other| rule(one).overlaps(rule(other)))?, one))
    })
}

/// An answer that may be another provider's (RFC 9207 §2.4).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WrongResponseIssuer {
    /// It does not say whose it is.
    #[error(
        "its iss parameter is missing although the provider promises it, expected {expected:?}"
    )]
    Missing {
        /// The issuers accepted.
        expected: String,
    },
    /// It is somebody else's.
    #[error("its iss parameter is {received:?}, expected {expected:?}")]
    Other {
        /// The beginning of what it says.
        received: String,
        /// The issuers accepted.
        expected: String,
    },
}

impl TenantIssuers {
    /// Of the provider whose `issuer` for all tenants has `all` (`common`, `organizations`) where
    /// that of one has the tenant.
    #[must_use]
    pub fn in_place_of(all: &str, issuer: &Issuer, tenants: Vec<String>) -> Self {
        Self { template: issuer.as_str().replace(all, TENANT), tenants }
    }

    fn publish(&self, issuer: &str) -> bool {
        self.template.replace(TENANT, TENANT_IN_DISCOVERY) == issuer
    }

    fn accept(&self, issuer: &Issuer) -> bool {
        self.template.contains(TENANT) && self.issuers().any(|of_tenant| of_tenant == *issuer)
    }

    fn issuers(&self) -> impl Iterator<Item = Issuer> {
        self.tenants.iter().map(|tenant| Issuer::new(self.template.replace(TENANT, tenant)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_into_a_path() {
        for name in ["clerk", "work-2", "a"] {
            assert_eq!(ProviderName::parse(name).unwrap().as_str(), name);
        }
        for name in ["", "Clerk", "a/b", "a b", "ä", &"a".repeat(33)] {
            assert!(ProviderName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn jv_04_an_issuer_is_compared_byte_for_byte() {
        let rule = IssuerRule::exactly(Issuer::new("https://tenant.auth0.com/"));
        assert!(rule.accepts(&Issuer::new("https://tenant.auth0.com/")));
        for other in ["https://tenant.auth0.com", "HTTPS://tenant.auth0.com/", ""] {
            assert!(!rule.accepts(&Issuer::new(other)), "{other:?}");
        }
    }

    #[test]
    fn jv_03_two_providers_with_an_issuer_in_common_are_noticed() {
        let exactly = |issuer| IssuerRule::exactly(Issuer::new(issuer));
        let tenants = TenantIssuers {
            template: "https://b/{tenant}".to_owned(),
            tenants: vec!["1".to_owned()],
        };
        let wide = IssuerRule {
            aliases: vec![Issuer::new("https://a")],
            tenants: Some(tenants),
            ..exactly("https://c")
        };
        for issuer in ["https://a", "https://b/1", "https://c"] {
            assert!(exactly(issuer).overlaps(&wide) && wide.overlaps(&exactly(issuer)), "{issuer}");
        }
        assert!(!wide.overlaps(&exactly("https://b/2")));
    }

    #[test]
    fn jv_03_the_two_that_share_an_issuer_are_told() {
        let rules = ["https://a", "https://b", "https://a"]
            .map(|issuer| IssuerRule::exactly(Issuer::new(issuer)));
        let found = sharing_an_issuer(&rules, |rule| rule).unwrap();
        assert!(std::ptr::eq(found.0, &raw const rules[0]));
        assert!(std::ptr::eq(found.1, &raw const rules[2]));
        assert_eq!(sharing_an_issuer(&rules[..2], |rule| rule), None);
    }

    #[test]
    fn up_04_a_document_is_of_the_issuer_to_the_last_character_or_of_its_tenants() {
        let issuer = Issuer::new("https://login.example/common/v2.0");
        let one = IssuerRule::exactly(issuer.clone());
        let tenants = TenantIssuers::in_place_of("common", &issuer, vec!["t1".to_owned()]);
        let aliases = vec![Issuer::new("https://alias")];
        let many = IssuerRule { tenants: Some(tenants), aliases, ..one.clone() };
        assert!(one.publishes("https://login.example/common/v2.0"));
        assert!(many.publishes("https://login.example/{tenantid}/v2.0"));
        assert!(!one.publishes("https://login.example/{tenantid}/v2.0"));
        for other in ["https://login.example/common/v2.0/", "https://login.example/t1/v2.0", ""] {
            assert!(!one.publishes(other) && !many.publishes(other), "{other:?}");
        }
        assert!(!many.publishes("https://alias"));
    }

    #[test]
    fn up_03_an_answer_of_another_issuer_is_a_mix_up() {
        let rule = IssuerRule::exactly(Issuer::new("https://a"));
        assert_eq!(rule.check_response(Some("https://a"), true), Ok(()));
        assert_eq!(rule.check_response(None, false), Ok(()));
        let expected = || "https://a".to_owned();
        let missing = WrongResponseIssuer::Missing { expected: expected() };
        assert_eq!(rule.check_response(None, true), Err(missing));
        for received in ["https://a/", "https://b", ""].map(str::to_owned) {
            let other = WrongResponseIssuer::Other { received, expected: expected() };
            let WrongResponseIssuer::Other { received, .. } = &other else { unreachable!() };
            assert_eq!(rule.check_response(Some(received), false), Err(other.clone()));
        }
    }

    #[test]
    fn of_many_tenants_only_those_listed_are_let_in() {
        let rule = IssuerRule {
            tenants: Some(TenantIssuers {
                template: "https://login.example/{tenant}/v2.0".to_owned(),
                tenants: vec!["t1".to_owned()],
            }),
            ..IssuerRule::exactly(Issuer::new("https://login.example/organizations/v2.0"))
        };
        assert!(rule.accepts(&Issuer::new("https://login.example/t1/v2.0")));
        for other in ["https://login.example/t2/v2.0", "https://login.example/{tenant}/v2.0"] {
            assert!(!rule.accepts(&Issuer::new(other)), "{other:?}");
        }
    }
}
