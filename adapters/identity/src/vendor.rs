//! The providers whose tokens are known by heart.

/// What kind of provider it is: decides which values of [`crate::ProviderConfig`] are taken unless
/// the operator says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Vendor {
    /// Clerk.
    Clerk,
    /// Auth0.
    Auth0,
    /// Keycloak.
    Keycloak,
    /// Okta, a custom authorization server of it.
    Okta,
    /// Microsoft Entra ID.
    Entra,
    /// Amazon Cognito.
    Cognito,
    /// Google.
    Google,
    /// authentik.
    Authentik,
    /// Any other provider of OpenID Connect.
    Oidc,
}

impl Vendor {
    /// Every vendor.
    pub const ALL: [Self; 9] = [
        Self::Clerk,
        Self::Auth0,
        Self::Keycloak,
        Self::Okta,
        Self::Entra,
        Self::Cognito,
        Self::Google,
        Self::Authentik,
        Self::Oidc,
    ];

    /// As settings spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::Auth0 => "auth0",
            Self::Keycloak => "keycloak",
            Self::Okta => "okta",
            Self::Entra => "entra",
            Self::Cognito => "cognito",
            Self::Google => "google",
            Self::Authentik => "authentik",
            Self::Oidc => "oidc",
        }
    }

    /// The vendor that settings spell `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.name() == name)
    }

    /// As people know it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Clerk => "Clerk",
            Self::Auth0 => "Auth0",
            Self::Keycloak => "Keycloak",
            Self::Okta => "Okta",
            Self::Entra => "Microsoft Entra ID",
            Self::Cognito => "Amazon Cognito",
            Self::Google => "Google",
            Self::Authentik => "authentik",
            Self::Oidc => "OpenID Connect",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vendor_is_found_by_its_name() {
        for vendor in Vendor::ALL {
            assert_eq!(Vendor::from_name(vendor.name()), Some(vendor));
        }
        assert_eq!(Vendor::from_name("Clerk"), None);
    }
}
