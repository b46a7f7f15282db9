//! What a person has to know of each vendor to fill in the settings.

use mcp_oauth_identity::Vendor;

/// Whether an issuer ends with a slash; it is compared byte for byte (OpenID Connect Discovery §4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FinalSlash {
    Always,
    Never,
    /// Only the provider knows.
    Either,
}

pub(crate) fn final_slash(vendor: Vendor) -> FinalSlash {
    match vendor {
        Vendor::Auth0 | Vendor::Authentik => FinalSlash::Always,
        Vendor::Oidc => FinalSlash::Either,
        Vendor::Clerk
        | Vendor::Keycloak
        | Vendor::Okta
        | Vendor::Entra
        | Vendor::Cognito
        | Vendor::Google => FinalSlash::Never,
    }
}

/// An issuer, and where to find one's own.
pub(crate) fn issuer_example(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Clerk => {
            "https://verb-noun-00.clerk.accounts.dev, the Frontend API URL on Clerk's page API keys"
        }
        Vendor::Auth0 => {
            "https://TENANT.auth0.com/, the Domain of the application with https:// before and a slash behind it"
        }
        Vendor::Keycloak => "https://HOST/realms/REALM",
        Vendor::Okta => "https://ORG.okta.com/oauth2/default, the Issuer URI under Security, API",
        Vendor::Entra => {
            "https://login.microsoftonline.com/TENANT-ID/v2.0, with the Directory (tenant) ID"
        }
        Vendor::Cognito => "https://cognito-idp.REGION.amazonaws.com/USER-POOL-ID",
        Vendor::Google => "https://accounts.google.com",
        Vendor::Authentik => "https://HOST/application/o/SLUG/, with the slash at its end",
        Vendor::Oidc => "https://id.example.com, the issuer in its discovery document",
    }
}

/// What the environment variables about it begin with.
pub(crate) fn variable_prefix(vendor: Vendor) -> String {
    format!("{}_", vendor.name().to_ascii_uppercase())
}

/// Every vendor's name, for a person.
pub(crate) fn vendor_names() -> String {
    Vendor::ALL.map(Vendor::name).join(", ")
}
