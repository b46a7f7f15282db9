//! A provider people log in at, as the operator configured it.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::issuer::Issuer;

/// The longest name of a provider, in characters.
const LONGEST_NAME: usize = 32;

/// What stands in an issuer's template for the tenant.
const TENANT: &str = "{tenant}";

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

impl TenantIssuers {
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
