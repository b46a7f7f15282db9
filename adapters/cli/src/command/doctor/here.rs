//! The steps about this server itself.

use mcp_oauth_core::domain::client_address::TrustedProxies;
use mcp_oauth_core::domain::correlation::RequestId;
use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_core::domain::resource::ResourceDocument;
use mcp_oauth_core::port::Random;
use serde_json::Value;

use super::finding::Finding;
use super::web::{Answer, REQUEST_ID, Web};
use crate::provider_settings::TokenIssuer;
use crate::settings::{PlaceSources, Settings, StoreChoice};
use crate::store::missing_migrations;
use crate::system::SystemRandom;

const BASE_URL: &str = "base URL";
const PROXY: &str = "proxy headers";

pub(super) fn configuration(settings: &Settings) -> Finding {
    let title = |provider: &crate::provider_settings::ProviderSettings| {
        let config = &provider.config;
        format!("{} ({})", config.title, config.policy.issuer.issuer.as_str())
    };
    let titles: Vec<String> = settings.providers().iter().map(title).collect();
    let message = match (settings.token_issuer(), titles.is_empty()) {
        (_, true) => "complete: people log in with the dev provider".to_owned(),
        (TokenIssuer::Local, false) => {
            format!(
                "complete: people log in at {}, this server issues the tokens",
                titles.join(", ")
            )
        }
        (TokenIssuer::Provider, false) => {
            format!("complete: tokens are issued by {} and checked here", titles.join(", "))
        }
    };
    Finding::fine("configuration", message)
}

pub(super) fn warnings(settings: &Settings) -> Vec<Finding> {
    let warning = |warning: &String| Finding::warning("configuration", warning.clone());
    settings.warnings.iter().map(warning).collect()
}

/// Looks into the store without making one.
pub(super) async fn store(choice: &StoreChoice, sources: &PlaceSources) -> Finding {
    const STEP: &str = "store";
    if matches!(choice, StoreChoice::Memory) {
        return Finding::fine(STEP, "in memory: a restart forgets every client and grant");
    }
    match missing_migrations(choice, sources).await {
        Ok(missing) if missing.is_empty() => Finding::fine(STEP, choice.to_string()),
        Ok(missing) => {
            let lacks = missing.join(", ");
            Finding::warning(
                STEP,
                format!("{choice} is not there, or not up to date: it lacks {lacks}"),
            )
            .because("The next start makes it and brings it up to date, if it may.")
            .remedy("If a server runs with it already, name the same store with --store.")
        }
        Err(problem) => Finding::problem(STEP, &problem),
    }
}

/// Whether this server answers at its base URL, and what stands between.
pub(super) async fn reachability(
    web: &Web,
    settings: &Settings,
    address: &PublicAddress,
) -> Vec<Finding> {
    if settings.port == 0 && settings.base_url.is_none() {
        let message = "the server takes a free port, so nobody knows its address here";
        return vec![Finding::skipped(BASE_URL, message)];
    }
    let url = address.as_asked(None).resource_metadata(ResourceDocument::StreamableHttp);
    let id = RequestId::from_entropy(SystemRandom.entropy());
    match web.get(&url, Some(id.as_str())).await {
        Ok(answer) => {
            let found = is_it_us(&answer, &url, settings, address);
            vec![found, proxy(&answer, &id, settings, address)]
        }
        Err(reason) => vec![
            nobody_answers(address, &reason),
            Finding::skipped(PROXY, "told by an answer from the base URL"),
        ],
    }
}

fn nobody_answers(address: &PublicAddress, reason: &str) -> Finding {
    let message = format!("nobody answers at {}: {reason}", address.base_url());
    if address.is_loopback() {
        return Finding::warning(BASE_URL, message)
            .because("The server may not be running yet; the rest was looked at without it.")
            .remedy("Start it, and run this again beside it.");
    }
    Finding::failure(BASE_URL, message)
        .because("Clients, and people coming back from the provider, are sent to this address.")
        .remedy(
            "Start the server; then see that the name leads to this machine, that the proxy has a \
             certificate for it and forwards everything below it to the server's port; or correct \
             base_url.",
        )
}

fn is_it_us(answer: &Answer, url: &str, settings: &Settings, address: &PublicAddress) -> Finding {
    let document = match answer.document() {
        Ok(document) => document,
        Err(reason) => {
            return Finding::failure(BASE_URL, format!("{url}: {reason}"))
                .because("Somebody else answers there, and clients can't discover this server.")
                .remedy(
                    "See that base_url is where this server is reached, and that the proxy forwards \
                     /.well-known/ too, with the path as it is.",
                );
        }
    };
    let expected = address.as_asked(None).resource(ResourceDocument::StreamableHttp, false);
    let received = document.get("resource").and_then(Value::as_str).unwrap_or_default();
    if received != expected {
        return Finding::failure(
            BASE_URL,
            format!(
                "the server there says it is another: expected {expected}, received {received}"
            ),
        )
        .because("Clients refuse tokens and servers whose names differ from what they typed.")
        .remedy("Start the server with the base_url that it is reached at, and give it here too.");
    }
    let issuers = issuers(settings, address);
    let told: Vec<&str> = document
        .get("authorization_servers")
        .and_then(Value::as_array)
        .map(|told| told.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    if told != issuers {
        return Finding::failure(
            BASE_URL,
            format!(
                "the running server sends clients elsewhere: expected {}, received {}",
                issuers.join(", "),
                told.join(", ")
            ),
        )
        .because("It runs with other settings than these.")
        .remedy("Restart it with these settings, or run this with its own.");
    }
    Finding::fine(BASE_URL, format!("{} answers, and it is this server", address.base_url()))
}

fn issuers(settings: &Settings, address: &PublicAddress) -> Vec<String> {
    let issuer = |it: &crate::provider_settings::ProviderSettings| {
        it.config.policy.issuer.issuer.as_str().to_owned()
    };
    match settings.token_issuer() {
        TokenIssuer::Local => vec![address.issuer().as_str().to_owned()],
        TokenIssuer::Provider => settings.providers().iter().map(issuer).collect(),
    }
}

/// What the server sees of a proxy can't be seen from here; but it takes the id of a request only
/// from those it trusts.
fn proxy(answer: &Answer, id: &RequestId, settings: &Settings, address: &PublicAddress) -> Finding {
    let behind = ["via", "x-served-by", "cf-ray", "server"];
    let hint =
        behind.into_iter().find_map(|name| Some(format!("{name}: {}", answer.header(name)?)));
    let is_trusted = answer.header(REQUEST_ID) == Some(id.as_str());
    let is_proxied = address.is_https() || hint.is_some();
    match (is_trusted, is_proxied) {
        (true, _) => Finding::fine(
            PROXY,
            "the server believes whoever asks it, so X-Forwarded-For decides about limits and log",
        ),
        (false, false) => Finding::fine(PROXY, "no proxy is in front of the server"),
        (false, true) => {
            let seen = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
            let proxies = match settings.policy.trusted_proxies != TrustedProxies::default() {
                true => "trusted_proxies does not name it",
                false => "trusted_proxies is empty",
            };
            Finding::warning(PROXY, format!("a proxy is in front of the server{seen}, and {proxies}"))
                .because(
                    "Every request then comes from one address: its limits are shared by everybody, \
                     and the log does not tell who it was. A proxy that gives requests an id of its \
                     own looks the same from here, though it may be trusted.",
                )
                .remedy(
                    "Set trusted_proxies to the addresses it connects from, e.g. [\"10.0.0.0/8\"], \
                     and let it set X-Forwarded-For.",
                )
        }
    }
}
