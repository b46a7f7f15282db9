//! Where each vendor has the setting that is to be changed, in the words of its own pages.

use mcp_oauth_identity::Vendor;

/// Where the redirect address is registered.
pub(super) fn redirect_setting(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Clerk => "Clerk Dashboard, OAuth applications, the application, Redirect URIs",
        Vendor::Auth0 => {
            "Auth0 Dashboard, Applications, the application, Settings, Allowed Callback URLs"
        }
        Vendor::Keycloak => "Keycloak, Clients, the client, Settings, Valid redirect URIs",
        Vendor::Okta => "Okta, Applications, the application, General, Sign-in redirect URIs",
        Vendor::Entra => {
            "Entra admin center, App registrations, the app, Authentication, platform Web, Redirect URIs"
        }
        Vendor::Cognito => {
            "Cognito, the user pool, App clients, the client, Login pages, Allowed callback URLs"
        }
        Vendor::Google => {
            "Google Cloud console, Google Auth Platform, Clients, the client, Authorized redirect URIs"
        }
        Vendor::Authentik => {
            "authentik, Applications, Providers, the provider, Redirect URIs/Origins, as Strict"
        }
        Vendor::Oidc => "the redirect addresses of the client at the provider",
    }
}

/// Where the vendor is made to put a name of this server into `aud`.
pub(super) fn audience_setting(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Clerk => {
            "Clerk Dashboard, OAuth applications, the settings about the audience of access tokens; \
             people have to allow the client anew afterwards"
        }
        Vendor::Auth0 => {
            "Auth0 Dashboard, Applications, APIs: an API whose Identifier is the expected address; and \
             Settings, Advanced, Resource Parameter Compatibility Profile, so that clients get it by \
             resource"
        }
        Vendor::Keycloak => {
            "Keycloak, Client scopes, a scope that the clients have by default, Mappers, Audience, \
             Included Custom Audience"
        }
        Vendor::Okta => "Okta, Security, API, the authorization server, Audience",
        Vendor::Entra => {
            "nowhere: Entra ID always names the API by its Application (client) ID, which belongs into \
             audiences"
        }
        Vendor::Cognito | Vendor::Authentik | Vendor::Google => {
            "nowhere: tokens name the client id of the application, which belongs into audiences"
        }
        Vendor::Oidc => "the audience or resource of access tokens at the provider",
    }
}

/// Where keys that sign asymmetrically are chosen.
pub(super) fn signing_setting(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::Auth0 => {
            "Auth0 Dashboard, Applications, the application, Advanced Settings, OAuth, JsonWebToken \
             Signature Algorithm: RS256"
        }
        Vendor::Keycloak => "Keycloak, Realm settings, Keys",
        Vendor::Authentik => "authentik, Applications, Providers, the provider, Signing Key",
        Vendor::Clerk
        | Vendor::Okta
        | Vendor::Entra
        | Vendor::Cognito
        | Vendor::Google
        | Vendor::Oidc => "the signing keys at the provider",
    }
}

/// Where clients that register themselves are allowed.
pub(super) fn registration_setting(vendor: Vendor) -> Option<&'static str> {
    match vendor {
        Vendor::Clerk => Some("Clerk Dashboard, OAuth applications, Dynamic client registration"),
        Vendor::Auth0 => {
            Some("Auth0 Dashboard, Settings, Advanced, OIDC Dynamic Application Registration")
        }
        Vendor::Keycloak => Some("Keycloak, Clients, Client registration"),
        Vendor::Okta | Vendor::Oidc => Some("dynamic client registration at the provider"),
        Vendor::Entra | Vendor::Cognito | Vendor::Google | Vendor::Authentik => None,
    }
}
