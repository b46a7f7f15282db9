//! What is wrong with the spelling of an issuer, as far as it can be told without asking anybody.

use mcp_oauth_core::domain::public_address::is_loopback;
use mcp_oauth_identity::Vendor;
use url::Url;

use crate::provider_settings::TokenIssuer;
use crate::vendor_facts::{FinalSlash, final_slash, issuer_example};

/// Why `issuer` is none, and what to do; `None` when it may be right.
pub(crate) fn issuer_trouble(
    vendor: Vendor,
    issuer: &str,
    issues: TokenIssuer,
) -> Option<(String, String)> {
    let like =
        |reason: &str| Some((reason.to_owned(), format!("Write {}.", issuer_example(vendor))));
    let url = Url::parse(issuer).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url else { return like("it is not an address that begins with https://") };
    if url.query().is_some() || url.fragment().is_some() || has_user(&url) {
        return like("it has a query, a fragment or a user part, as no issuer has");
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        let reason = "it is plain http and not loopback: whoever is between could be anybody";
        return Some((reason.to_owned(), "Write https://.".to_owned()));
    }
    if let Some((before, _)) = issuer.split_once("/.well-known/") {
        let reason = "it is the address of a document, not the issuer in it";
        return Some((
            reason.to_owned(),
            format!("Write {before} or {before}/, as in the document."),
        ));
    }
    slash_trouble(vendor, issuer).or_else(|| tokens_trouble(vendor, &url, issues))
}

fn has_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn slash_trouble(vendor: Vendor, issuer: &str) -> Option<(String, String)> {
    let title = vendor.title();
    match (final_slash(vendor), issuer.strip_suffix('/')) {
        (FinalSlash::Always, None) => {
            let reason = format!("issuers of {title} end with a slash, and every byte counts");
            Some((reason, format!("Write {issuer}/.")))
        }
        (FinalSlash::Never, Some(without)) => {
            let reason =
                format!("issuers of {title} have no slash at their end, and every byte counts");
            Some((reason, format!("Write {without}.")))
        }
        _ => None,
    }
}

/// Of some issuers the access tokens are for nobody but the vendor.
fn tokens_trouble(vendor: Vendor, url: &Url, issues: TokenIssuer) -> Option<(String, String)> {
    let is_org = vendor == Vendor::Okta && !url.path().contains("/oauth2/");
    if !is_org || issues == TokenIssuer::Local {
        return None;
    }
    let reason = "access tokens of Okta's org authorization server can be checked by Okta alone";
    let remedy = "Write the Issuer URI of a custom authorization server, such as \
                  https://ORG.okta.com/oauth2/default; or set authorization_server = \"local\".";
    Some((reason.to_owned(), remedy.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trouble(vendor: Vendor, issuer: &str) -> String {
        let found = issuer_trouble(vendor, issuer, TokenIssuer::Provider);
        found.map(|(reason, remedy)| format!("{reason} {remedy}")).unwrap_or_default()
    }

    #[test]
    fn up_04_a_slash_too_many_or_too_few_is_told_before_anybody_is_asked() {
        let auth0 = trouble(Vendor::Auth0, "https://t.auth0.com");
        assert!(auth0.ends_with("Write https://t.auth0.com/."), "{auth0}");
        let clerk = trouble(Vendor::Clerk, "https://c.clerk.accounts.dev/");
        assert!(clerk.ends_with("Write https://c.clerk.accounts.dev."), "{clerk}");
        for (vendor, right) in [
            (Vendor::Auth0, "https://t.auth0.com/"),
            (Vendor::Clerk, "https://c.clerk.accounts.dev"),
            (Vendor::Keycloak, "http://localhost:8080/realms/mcp"),
            (Vendor::Oidc, "https://id.example"),
            (Vendor::Oidc, "https://id.example/"),
            (Vendor::Okta, "https://o.okta.com/oauth2/default"),
        ] {
            assert_eq!(trouble(vendor, right), "", "{right}");
        }
    }

    #[test]
    fn what_is_no_issuer_is_told() {
        for (wrong, word) in [
            ("id.example", "https://"),
            ("ftp://id.example", "https://"),
            ("http://id.example", "plain http"),
            ("https://id.example?x", "query"),
            ("https://a:b@id.example", "user"),
            ("https://id.example/.well-known/openid-configuration", "document"),
        ] {
            let told = trouble(Vendor::Oidc, wrong);
            assert!(told.contains(word), "{wrong}: {told}");
        }
        assert!(trouble(Vendor::Okta, "https://o.okta.com").contains("Okta alone"));
        let local = issuer_trouble(Vendor::Okta, "https://o.okta.com", TokenIssuer::Local);
        assert_eq!(local, None);
    }
}
