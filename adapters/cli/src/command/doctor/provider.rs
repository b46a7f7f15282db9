//! The steps about a provider: what it says of itself, and to our redirect address.

use mcp_oauth_core::domain::client_keys::AssertionAlgorithm;
use mcp_oauth_identity::{
    IssuerSpelling, ProviderConfig, ProviderInspection, RedirectJudgement, Vendor,
};

use super::finding::Finding;
use super::vendor_words::{redirect_setting, registration_setting, signing_setting};
use crate::provider_settings::TokenIssuer;
use crate::vendor_facts::issuer_example;

const DISCOVERY: &str = "discovery document";
const ISSUER: &str = "issuer spelling";
const KEYS: &str = "keys";
const PKCE: &str = "PKCE";
const CLOCK: &str = "clock";
const REDIRECT: &str = "redirect address";
const REGISTRATION: &str = "client registration";

/// What follows from an inspection; `callback` is the redirect address where people log in there.
pub(super) fn judge(
    inspection: &ProviderInspection,
    config: &ProviderConfig,
    issues: TokenIssuer,
    callback: &str,
) -> Vec<Finding> {
    let mut findings = vec![discovery(inspection, config)];
    if inspection.published.is_some() {
        findings.push(issuer(inspection, config));
        findings.push(signing_keys(inspection, config));
        findings.push(pkce(inspection, config));
        findings.push(match issues {
            TokenIssuer::Local => redirect(inspection, config, callback),
            TokenIssuer::Provider => client_registration(inspection, config),
        });
    }
    findings.extend(clock(inspection, config));
    findings.into_iter().map(|finding| finding.about(&config.name)).collect()
}

fn discovery(inspection: &ProviderInspection, config: &ProviderConfig) -> Finding {
    if let Some(trouble) = &inspection.trouble {
        return Finding::failure(DISCOVERY, trouble.clone())
            .because("Nobody can be asked from this machine.")
            .remedy("Install the certificate authorities of the system, e.g. ca-certificates.");
    }
    let attempts = || inspection.attempts.iter();
    if let Some(found) = attempts().find(|attempt| attempt.problem.is_none()) {
        return Finding::fine(DISCOVERY, found.address.clone());
    }
    let tried = attempts().map(|it| match (&it.problem, it.status) {
        (Some(problem), _) => format!("{} {problem}", it.address),
        (None, _) => it.address.clone(),
    });
    Finding::failure(DISCOVERY, tried.collect::<Vec<_>>().join("; "))
        .because("Everything about the provider is read there: where people log in, and its keys.")
        .remedy(format!(
            "Correct identity.{}.issuer: {}. If it is right, see that this machine can reach the \
             provider.",
            config.name,
            issuer_example(config.vendor)
        ))
}

fn issuer(inspection: &ProviderInspection, config: &ProviderConfig) -> Finding {
    let expected = &inspection.issuer;
    let setting = format!("identity.{}.issuer", config.name);
    let failure = |published: &str| {
        let message = format!("expected {expected:?}, received {published:?}");
        Finding::failure(ISSUER, message)
            .because("It is compared byte for byte, so that nobody else can pass for the provider.")
    };
    match &inspection.spelling {
        None | Some(IssuerSpelling::Same) => Finding::fine(ISSUER, expected.clone()),
        Some(IssuerSpelling::TrailingSlash { published }) => {
            failure(published).remedy(format!("Set {setting} = {published:?}."))
        }
        Some(IssuerSpelling::Other { published }) if config.policy.issuer.publishes(published) => {
            Finding::fine(ISSUER, format!("{published}, for the tenants that are listed"))
        }
        Some(IssuerSpelling::Other { published }) => failure(published).remedy(format!(
            "If that is the provider you mean, set {setting} = {published:?}. If it is yours and \
             behind a proxy, correct the public address that it has of itself."
        )),
    }
}

fn signing_keys(inspection: &ProviderInspection, config: &ProviderConfig) -> Finding {
    let failure = |message: String| {
        Finding::failure(KEYS, message)
            .because("Nothing the provider signs can be checked without them.")
            .remedy(format!("Look at {}.", signing_setting(config.vendor)))
    };
    match &inspection.keys {
        Err(reason) => failure(reason.clone()),
        Ok(keys) if keys.usable.is_empty() => {
            let known = AssertionAlgorithm::ALL.map(AssertionAlgorithm::as_str).join(", ");
            failure(format!("none of the {} can be used; accepted are {known}", keys.published))
        }
        Ok(keys) => {
            let kinds: Vec<&str> = keys.usable.iter().map(|(_, kind)| kind.as_str()).collect();
            Finding::fine(
                KEYS,
                format!("{} to check signatures with: {}", kinds.len(), kinds.join(", ")),
            )
        }
    }
}

fn pkce(inspection: &ProviderInspection, config: &ProviderConfig) -> Finding {
    let offers = inspection.published.as_ref().and_then(|published| published.offers_s256);
    match offers {
        Some(true) => Finding::fine(PKCE, "S256"),
        Some(false) => Finding::failure(PKCE, "the provider does not know S256")
            .because(
                "This server proves with it that it began a login, and MCP clients insist on it.",
            )
            .remedy("Allow S256 at the provider, or take a newer version of it."),
        None if config.vendor == Vendor::Entra => {
            Finding::fine(PKCE, "S256, which Entra ID does not say in its document")
        }
        None => Finding::warning(PKCE, "the provider does not say whether it knows S256")
            .because("If it ignores it, nonce, state and client secret alone protect a login.")
            .remedy(
                "Look for code_challenge_methods_supported in a newer version of the provider.",
            ),
    }
}

fn redirect(inspection: &ProviderInspection, config: &ProviderConfig, callback: &str) -> Finding {
    let setting = redirect_setting(config.vendor);
    let why =
        "The provider sends people back to registered addresses only, compared byte for byte.";
    match &inspection.redirect {
        RedirectJudgement::Accepted => {
            Finding::fine(REDIRECT, format!("the provider does not object to {callback}"))
        }
        RedirectJudgement::Refused { status, sign } => {
            // Of a page that looks like any other, its words are the sign.
            let did = match status {
                200 => format!("its page says {sign:?}"),
                _ => format!("it {sign} ({status})"),
            };
            let message = format!("the provider refuses {callback}, or the client_id: {did}");
            Finding::failure(REDIRECT, message).because(why).remedy(format!(
                "Add {callback} at {setting}; and see that identity.{}.client_id is that application's.",
                config.name
            ))
        }
        RedirectJudgement::NotAsked | RedirectJudgement::Unclear(_) => {
            let reason = match &inspection.redirect {
                RedirectJudgement::Unclear(reason) => reason.clone(),
                _ => "there is no authorization endpoint".to_owned(),
            };
            let message = format!("it can't be told whether {callback} is registered: {reason}");
            Finding::warning(REDIRECT, message).because(why).remedy(format!("Look at {setting}."))
        }
    }
}

/// MCP clients come unannounced; where the provider issues the tokens, it has to let them in.
fn client_registration(inspection: &ProviderInspection, config: &ProviderConfig) -> Finding {
    let published = inspection.published.as_ref();
    if published.is_some_and(|published| published.registration_endpoint.is_some()) {
        return Finding::fine(REGISTRATION, "clients may register themselves at the provider");
    }
    let finding = Finding::warning(
        REGISTRATION,
        "clients can't register themselves at the provider",
    )
    .because(
        "Only those can connect that it knows by a metadata document, or that you register there.",
    );
    let local = "set authorization_server = \"local\", with which every client works";
    match registration_setting(config.vendor) {
        Some(setting) => finding.remedy(format!("Allow it at {setting}; or {local}.")),
        None => finding.remedy(format!("{} has no such setting; {local}.", config.vendor.title())),
    }
}

fn clock(inspection: &ProviderInspection, config: &ProviderConfig) -> Option<Finding> {
    let ahead = inspection.clock_ahead?;
    let most = config.policy.clock_skew.as_secs();
    let away = ahead.unsigned_abs();
    // The header has whole seconds, and the answer took a moment.
    if away <= 2 {
        return Some(Finding::fine(CLOCK, "as the provider's"));
    }
    let direction = if ahead > 0 { "ahead of" } else { "behind" };
    let message = format!("the provider's is {away} seconds {direction} this machine's");
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
