//! The steps about a provider that ask nobody but it: what it says of itself.

use mcp_oauth_core::domain::client_keys::AssertionAlgorithm;
use mcp_oauth_core::port::Clock;
use mcp_oauth_identity::{ProviderConfig, Vendor};
use serde_json::Value;

use super::finding::Finding;
use super::vendor_words::{registration_setting, signing_setting};
use super::web::Web;
use crate::provider_settings::TokenIssuer;
use crate::settings::Settings;
use crate::system::SystemClock;

const DISCOVERY: &str = "discovery document";
const ISSUER: &str = "issuer spelling";
const KEYS: &str = "keys";
const PKCE: &str = "PKCE";
const CLOCK: &str = "clock";
const REGISTRATION: &str = "client registration";

/// What a provider says of itself.
pub(super) struct ProviderFacts {
    /// Where it was asked.
    pub(super) url: String,
    /// The document, or why there is none.
    pub(super) document: Result<Value, String>,
    /// The keys, or why there are none.
    keys: Result<Vec<Value>, String>,
    /// Its clock less ours, in seconds, if it told the time.
    clock: Option<i64>,
}

impl ProviderFacts {
    /// A text of the discovery document.
    pub(super) fn text(&self, member: &str) -> Option<&str> {
        self.document.as_ref().ok()?.get(member)?.as_str()
    }

    fn list(&self, member: &str) -> Option<Vec<&str>> {
        let items = self.document.as_ref().ok()?.get(member)?.as_array()?;
        Some(items.iter().filter_map(Value::as_str).collect())
    }
}

/// Asks a provider what there is to know.
pub(super) async fn ask(web: &Web, config: &ProviderConfig) -> ProviderFacts {
    let issuer = config.policy.issuer.issuer.as_str();
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let (document, clock) = match web.get(&url, None).await {
        Ok(answer) => {
            let clock = answer.date().map(|there| there - SystemClock.now().as_unix());
            (answer.document(), clock)
        }
        Err(reason) => (Err(reason), None),
    };
    let mut facts = ProviderFacts { url, document, keys: Err(String::new()), clock };
    facts.keys = keys(web, facts.text("jwks_uri")).await;
    facts
}

async fn keys(web: &Web, jwks_uri: Option<&str>) -> Result<Vec<Value>, String> {
    let url = jwks_uri.ok_or("the discovery document names no jwks_uri")?;
    let answer = web.get(url, None).await.map_err(|reason| format!("{url}: {reason}"))?;
    let document = answer.document().map_err(|reason| format!("{url}: {reason}"))?;
    let keys = document.get("keys").and_then(Value::as_array).cloned();
    keys.ok_or_else(|| format!("{url}: there are no keys in it"))
}

/// What follows from it.
pub(super) fn judge(
    facts: &ProviderFacts,
    settings: &Settings,
    config: &ProviderConfig,
) -> Vec<Finding> {
    let mut findings = vec![discovery(facts, config)];
    if facts.document.is_ok() {
        findings.push(issuer(facts, config));
        findings.push(signing_keys(facts, config));
        findings.push(pkce(facts, config));
        if settings.token_issuer == TokenIssuer::Provider {
            findings.push(client_registration(facts, config));
        }
    }
    findings.extend(clock(facts, config));
    findings.into_iter().map(|finding| finding.about(&config.name)).collect()
}

fn discovery(facts: &ProviderFacts, config: &ProviderConfig) -> Finding {
    let setting = format!("identity.{}.issuer", config.name);
    match &facts.document {
        Ok(_) => Finding::fine(DISCOVERY, facts.url.clone()),
        Err(reason) => Finding::failure(DISCOVERY, format!("{}: {reason}", facts.url))
            .because("Everything about the provider is read there: where people log in, and its keys.")
            .remedy(format!(
                "Correct {setting}: {}. If it is right, see that this machine can reach the provider.",
                crate::vendor_facts::issuer_example(config.vendor)
            )),
    }
}

fn issuer(facts: &ProviderFacts, config: &ProviderConfig) -> Finding {
    let expected = config.policy.issuer.issuer.as_str();
    let received = facts.text("issuer").unwrap_or_default();
    let of_any_tenant = config
        .policy
        .issuer
        .tenants
        .as_ref()
        .is_some_and(|tenants| received.replace("{tenantid}", "{tenant}") == tenants.template);
    if received == expected || of_any_tenant {
        return Finding::fine(ISSUER, format!("{received}, as configured"));
    }
    let message = format!("configured {expected:?}, but the provider calls itself {received:?}");
    let finding = Finding::failure(ISSUER, message)
        .because("It is compared byte for byte, so that nobody else can pass for the provider.");
    if received.trim_end_matches('/') == expected.trim_end_matches('/') {
        return finding.remedy(format!("Set identity.{}.issuer = {received:?}.", config.name));
    }
    finding.remedy(format!(
        "If that is the provider you mean, set identity.{}.issuer = {received:?}; behind a proxy, \
         correct the public address that the provider has of itself.",
        config.name
    ))
}

fn signing_keys(facts: &ProviderFacts, config: &ProviderConfig) -> Finding {
    let failure = |message: String| {
        Finding::failure(KEYS, message)
            .because("Nothing the provider signs can be checked without them.")
            .remedy(format!("Look at {}.", signing_setting(config.vendor)))
    };
    let keys = match &facts.keys {
        Ok(keys) => keys,
        Err(reason) => return failure(reason.clone()),
    };
    let known = AssertionAlgorithm::ALL.map(AssertionAlgorithm::as_str);
    let is_usable = |key: &&Value| {
        let member = |name: &str| key.get(name).and_then(Value::as_str);
        let is_asymmetric = matches!(member("kty"), Some("RSA" | "EC" | "OKP"));
        let is_known = member("alg").is_none_or(|algorithm| known.contains(&algorithm));
        is_asymmetric && is_known && member("use").is_none_or(|purpose| purpose == "sig")
    };
    match keys.iter().filter(is_usable).count() {
        0 => failure(format!(
            "none of its {} keys can be used; accepted are {}",
            keys.len(),
            known.join(", ")
        )),
        1 => Finding::fine(KEYS, "1 key to check signatures with"),
        usable => Finding::fine(KEYS, format!("{usable} keys to check signatures with")),
    }
}

fn pkce(facts: &ProviderFacts, config: &ProviderConfig) -> Finding {
    match facts.list("code_challenge_methods_supported") {
        Some(methods) if methods.contains(&"S256") => Finding::fine(PKCE, "S256"),
        Some(methods) => {
            let message = format!("the provider knows {} and not S256", methods.join(", "));
            Finding::failure(PKCE, message)
                .because("This server proves with S256 that it began a login, and MCP clients insist on it.")
                .remedy("Allow S256 at the provider, or take a newer version of it.")
        }
        None if config.vendor == Vendor::Entra => {
            Finding::fine(PKCE, "S256; Entra ID does not say so in its document")
        }
        None => Finding::warning(PKCE, "the provider does not say whether it knows S256")
            .because(
                "If it ignores it, a login is protected by nonce, state and client secret alone.",
            )
            .remedy(
                "Look for code_challenge_methods_supported in a newer version of the provider.",
            ),
    }
}

/// MCP clients come unannounced; where the provider issues the tokens, it has to let them in.
fn client_registration(facts: &ProviderFacts, config: &ProviderConfig) -> Finding {
    let documents = facts.document.as_ref().ok().and_then(|document| {
        document.get("client_id_metadata_document_supported").and_then(Value::as_bool)
    });
    if facts.text("registration_endpoint").is_some() {
        return Finding::fine(REGISTRATION, "clients may register themselves at the provider");
    }
    if documents == Some(true) {
        let message = "clients are known by their metadata documents; older ones can't connect";
        return Finding::fine(REGISTRATION, message);
    }
    let finding = Finding::warning(REGISTRATION, "MCP clients can't register at the provider")
        .because("Only clients that you register there by hand, one by one, can connect.");
    let local = "set authorization_server = \"local\", with which every client works";
    match registration_setting(config.vendor) {
        Some(setting) => finding.remedy(format!("Allow it at {setting}; or {local}.")),
        None => finding.remedy(format!("{} has no such setting; {local}.", config.vendor.title())),
    }
}

fn clock(facts: &ProviderFacts, config: &ProviderConfig) -> Option<Finding> {
    let ahead = facts.clock?;
    let most = i64::try_from(config.policy.clock_skew.as_secs()).unwrap_or(i64::MAX);
    let away = ahead.abs();
    // The header has whole seconds, and the answer took a moment.
    if away <= 2 {
        return Some(Finding::fine(CLOCK, "as the provider's"));
    }
    let message = match ahead > 0 {
        true => format!("the provider's is {away} seconds ahead of this machine's"),
        false => format!("the provider's is {away} seconds behind this machine's"),
    };
    let remedy = "Let NTP set the clock of this machine, e.g. `timedatectl set-ntp true`.";
    Some(match away <= most {
        true => Finding::warning(CLOCK, message)
            .because(format!("Up to {most} seconds are tolerated."))
            .remedy(remedy),
        false => Finding::failure(CLOCK, message)
            .because("Tokens would be refused as expired, or as not valid yet.")
            .remedy(remedy),
    })
}
