//! Whether the provider sends people back here: it is asked as a browser would ask that nobody has
//! logged in with, and may show no page (`prompt=none`, OpenID Connect Core §3.1.2.1).

use mcp_oauth_core::domain::provider_login::code_challenge;
use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_core::domain::secret::base64url;
use mcp_oauth_core::port::Random;
use mcp_oauth_identity::ProviderConfig;
use url::Url;

use super::finding::Finding;
use super::provider::ProviderFacts;
use super::vendor_words::redirect_setting;
use super::web::{Answer, Web};
use crate::system::SystemRandom;

const STEP: &str = "redirect address";

/// How pages of errors speak of an address they don't know.
const NOT_REGISTERED: [&str; 6] = [
    "redirect_uri",
    "redirect uri",
    "redirecturi",
    "callback url",
    "AADSTS50011",
    "redirect_mismatch",
];

/// Whether the redirect address is registered.
pub(super) async fn registered(
    web: &Web,
    facts: &ProviderFacts,
    config: &ProviderConfig,
    address: &PublicAddress,
) -> Finding {
    let callback = format!("{}/callback/{}", address.base_url(), config.name);
    let Some(url) = facts.text("authorization_endpoint").and_then(|url| Url::parse(url).ok())
    else {
        return Finding::skipped(STEP, "the provider names no authorization endpoint");
    };
    let url = authorization_request(url, config, &callback);
    match web.get(url.as_str(), None).await {
        Ok(answer) => judge(&answer, config, &callback),
        Err(reason) => Finding::failure(STEP, format!("the authorization endpoint: {reason}"))
            .because("People are sent there to log in.")
            .remedy("See that the provider runs, and that its discovery document is right."),
    }
}

fn authorization_request(mut url: Url, config: &ProviderConfig, callback: &str) -> Url {
    let secret = || base64url(&SystemRandom.entropy());
    let challenge = code_challenge(&secret());
    let client_id = config.client.as_ref().map_or("", |client| &client.client_id);
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", client_id)
        .append_pair("redirect_uri", callback)
        .append_pair("scope", "openid")
        .append_pair("state", &secret())
        .append_pair("nonce", &secret())
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("prompt", "none")
        .extend_pairs(&config.authorize_parameters);
    url
}

fn judge(answer: &Answer, config: &ProviderConfig, callback: &str) -> Finding {
    let setting = redirect_setting(config.vendor);
    let is_back_here = |to: &str| to == callback || to.starts_with(&format!("{callback}?"));
    if answer.location().is_some_and(is_back_here) {
        return Finding::fine(STEP, format!("{callback} is registered"));
    }
    let told =
        format!("{} {}", answer.location().unwrap_or_default(), answer.body()).to_lowercase();
    let is_refused =
        answer.status >= 400 || answer.location().is_some_and(|to| to.contains("error"));
    if NOT_REGISTERED.iter().any(|words| told.contains(&words.to_lowercase()))
        && (is_refused || !told.contains(&callback.to_lowercase()))
    {
        return Finding::failure(STEP, format!("the provider does not know {callback}"))
            .because("It sends people back to registered addresses only, compared byte for byte.")
            .remedy(format!("Add {callback} at {setting}."));
    }
    if is_refused {
        let status = answer.status;
        return Finding::failure(
            STEP,
            format!("the provider refuses to log people in (status {status})"),
        )
        .because("It may not know the client_id, or the redirect address, or asks for more.")
        .remedy(format!(
            "See that identity.{}.client_id is that of the application, and that {callback} is at \
                 {setting}.",
            config.name
        ));
    }
    Finding::warning(
        STEP,
        "the provider shows a page, so it can't be told whether it is registered",
    )
    .because("It sends people back to registered addresses only, compared byte for byte.")
    .remedy(format!("See that {callback} is at {setting}; or log in once."))
}
