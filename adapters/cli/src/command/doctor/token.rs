//! Why a sample token is accepted or refused: its parts, each with what was expected and received.
//! Nothing of it is printed but its header and a few claims.

use std::sync::Arc;

use mcp_oauth_core::domain::access_token::VerifyError;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::jwt::UnverifiedJwt;
use mcp_oauth_core::domain::provider_policy::{AudienceMode, ProviderPolicy, TypeRule};
use mcp_oauth_core::domain::provider_token::ProviderTokenRules;
use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_core::domain::secret::BearerToken;
use mcp_oauth_core::port::{Clock, Expected, TokenVerifier};
use mcp_oauth_identity::{ProviderDocuments, ProviderVerifier};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

use super::finding::{Finding, Outcome};
use super::vendor_words::audience_setting;
use crate::provider_settings::{ProviderSettings, TokenIssuer};
use crate::settings::Settings;
use crate::system::SystemClock;

const TOKEN: &str = "sample token";
const ISSUER: &str = "sample token, issuer";
const TYPE: &str = "sample token, type";
const TIMES: &str = "sample token, times";
const AUDIENCE: &str = "sample token, audience";
const CLAIMS: &str = "sample token, claims";

/// A token whose signature nobody has checked.
pub(super) struct SampleToken(SecretString);

impl SampleToken {
    pub(super) fn new(text: &str) -> Self {
        let text = text.trim();
        Self(text.strip_prefix("Bearer ").unwrap_or(text).trim().into())
    }

    /// What there is to say of it.
    pub(super) async fn judge(&self, settings: &Settings, address: &PublicAddress) -> Vec<Finding> {
        let mut findings = self.judge_parts(settings, address);
        if settings.token_issuer() == TokenIssuer::Provider {
            findings.push(self.verdict(settings, address).await);
        }
        findings
    }

    /// What the running server would say: the signature is checked, or the provider is asked.
    async fn verdict(&self, settings: &Settings, address: &PublicAddress) -> Finding {
        let documents = |it: &ProviderSettings| {
            Arc::new(ProviderDocuments::new(it.config.clone(), Arc::new(SystemClock)))
        };
        let verifier = ProviderVerifier::new(settings.providers().iter().map(documents).collect());
        let expected =
            Expected { resource: Arc::clone(address.resource()), now: SystemClock.now() };
        let token = BearerToken::presented(self.0.expose_secret());
        let verified = match verifier {
            Ok(verifier) => verifier.verify(&token, &expected).await,
            Err(ambiguous) => return Finding::failure(TOKEN, ambiguous.to_string()),
        };
        match verified {
            Ok(principal) => {
                let scopes = principal.scopes.to_string();
                let scopes = if scopes.is_empty() { "no scope".to_owned() } else { scopes };
                Finding::fine(TOKEN, format!("it opens this server, with {scopes}"))
            }
            Err(error @ VerifyError::Unavailable { .. }) => {
                Finding::failure(TOKEN, error.to_string())
                    .because("That says nothing of the token: clients get 503, and may try again.")
                    .remedy("See the steps above: the provider has to be within reach.")
            }
            Err(reason) => Finding::failure(TOKEN, reason.to_string())
                .because("The server refuses it for this.")
                .remedy("See the steps above; a signature is good with a key that the provider publishes."),
        }
    }

    fn judge_parts(&self, settings: &Settings, address: &PublicAddress) -> Vec<Finding> {
        let (token, claims) = match self.taken_apart() {
            Ok(parts) => parts,
            // This server's own tokens can always be read.
            Err(finding) if settings.token_issuer() == TokenIssuer::Local => {
                return vec![Finding { outcome: Outcome::Failure, ..*finding }];
            }
            Err(finding) => return vec![*finding],
        };
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let of = |it: &&ProviderSettings| it.config.policy.issuer.accepts(&Issuer::new(issuer));
        let provider = settings.providers().iter().find(of);
        match (settings.token_issuer(), provider) {
            (TokenIssuer::Provider, Some(provider)) => {
                let about = Sample { token: &token, claims: &claims, address };
                about.judge(provider)
            }
            (TokenIssuer::Provider, None) => vec![unknown_issuer(issuer, settings)],
            (TokenIssuer::Local, _) => own(issuer, &claims, address, provider),
        }
    }

    fn taken_apart(&self) -> Result<(UnverifiedJwt<'_>, Map<String, Value>), Box<Finding>> {
        let text = self.0.expose_secret();
        let malformed = |reason: String| {
            let finding = Finding::warning(TOKEN, format!("it can't be read: {reason}"))
                .because(
                    "An opaque token says nothing by itself: the provider has to be asked about each.",
                )
                .remedy(
                    "If the provider can't be asked, make it issue JSON Web Tokens. With Auth0 a token is opaque when no audience was asked for; with Clerk \
                     it is a switch of the OAuth application.",
                );
            Box::new(finding)
        };
        let token = UnverifiedJwt::parse(text).map_err(|error| malformed(error.to_string()))?;
        let claims = token.claims().map_err(|error| malformed(error.to_string()))?;
        Ok((token, claims))
    }
}

fn unknown_issuer(issuer: &str, settings: &Settings) -> Finding {
    let known = settings.providers().iter().map(|it| it.config.policy.issuer.issuer.as_str());
    let known: Vec<&str> = known.collect();
    Finding::failure(ISSUER, format!("expected {}, received {issuer:?}", known.join(" or ")))
        .because("Tokens of others are refused; a slash more or less makes another issuer.")
        .remedy("Correct the issuer in [identity.NAME], or get the token from the right provider.")
}

/// With `authorization_server = "local"` only this server's own tokens count.
fn own(
    issuer: &str,
    claims: &Map<String, Value>,
    address: &PublicAddress,
    provider: Option<&ProviderSettings>,
) -> Vec<Finding> {
    let expected = address.issuer().as_str();
    if issuer != expected {
        let message = format!("expected {expected:?}, received {issuer:?}");
        let finding = Finding::failure(ISSUER, message);
        return vec![match provider {
            Some(provider) => finding
                .because(format!(
                    "It is a token of {}, and with authorization_server = \"local\" only those of \
                     this server count.",
                    provider.config.title
                ))
                .remedy(
                    "Let the client log in at this server, or set authorization_server = \"provider\".",
                ),
            None => finding
                .because("Only tokens of this server count.")
                .remedy("Let the client get its token from this server; see base_url, too."),
        }];
    }
    let audiences = audiences(claims, &["aud".to_owned()]);
    let is_ours = audiences.iter().any(|it| address.resource().is_named_by(it));
    let compared = compared(&[address.resource().canonical().as_str().to_owned()], &audiences);
    let audience = match is_ours {
        true => Finding::fine(AUDIENCE, compared),
        false => {
            Finding::failure(AUDIENCE, compared).because("It is for another resource.").remedy(
                "Let the client ask for the expected resource; see base_url and audience, too.",
            )
        }
    };
    vec![Finding::fine(ISSUER, expected), times(claims, 0), audience]
}

/// A token of a provider, and what it is compared with.
struct Sample<'a> {
    token: &'a UnverifiedJwt<'a>,
    claims: &'a Map<String, Value>,
    address: &'a PublicAddress,
}

impl Sample<'_> {
    fn judge(&self, provider: &ProviderSettings) -> Vec<Finding> {
        let policy = &provider.config.policy;
        let skew = i64::try_from(policy.clock_skew.as_secs()).unwrap_or_default();
        let issuer = self.claims.get("iss").and_then(Value::as_str).unwrap_or_default();
        let findings = [
            Some(Finding::fine(ISSUER, issuer)),
            Some(self.token_type(policy)),
            Some(times(self.claims, skew)),
            self.required_claims(policy),
            Some(self.audience(provider)),
        ];
        let findings = self.as_the_server_judges(policy, findings.into_iter().flatten().collect());
        findings.into_iter().map(|it| it.about(&provider.config.name)).collect()
    }

    /// The steps spell out what the rules compare; whether the token is good, the rules say.
    fn as_the_server_judges(
        &self,
        policy: &ProviderPolicy,
        mut findings: Vec<Finding>,
    ) -> Vec<Finding> {
        let resource = self.address.resource();
        let rules = ProviderTokenRules { policy, resource, now: SystemClock.now() };
        let judged =
            rules.check_header(self.token.header()).and_then(|_| rules.accept(self.claims.clone()));
        let is_failure = |it: &Finding| it.outcome == Outcome::Failure;
        let has_failed = findings.iter().any(is_failure);
        match judged {
            Ok(_) => {
                for finding in findings.iter_mut().filter(|it| is_failure(it)) {
                    finding.outcome = Outcome::Warning;
                }
            }
            Err(error) if !has_failed => findings.push(
                Finding::failure(CLAIMS, error.to_string())
                    .because("The server refuses it for this.")
                    .remedy(
                        "Send the access token, not the ID token; if it is one, change what the \
                         provider puts into it.",
                    ),
            ),
            Err(_) => {}
        }
        findings
    }

    fn token_type(&self, policy: &ProviderPolicy) -> Finding {
        let received = self.token.header().typ.as_deref().unwrap_or("nothing");
        let TypeRule::OneOf(types) = &policy.token_type else {
            return Finding::fine(TYPE, format!("{received}; any will do"));
        };
        let compared = format!("expected {}, received {received}", types.join(" or "));
        if types.iter().any(|name| self.token.header().is_of_type(name)) {
            return Finding::fine(TYPE, compared);
        }
        Finding::failure(TYPE, compared)
            .because("It is how access tokens are told from ID tokens, which have the same keys.")
            .remedy(
                "Send the access token, not the ID token or the session; if it is one, name its typ \
                 in token_types.",
            )
    }

    fn required_claims(&self, policy: &ProviderPolicy) -> Option<Finding> {
        let is_wrong = |required: &&mcp_oauth_core::domain::provider_policy::RequiredClaim| {
            self.claims.get(&required.name).and_then(Value::as_str) != Some(&required.value)
        };
        let wrong = policy.required.iter().find(is_wrong)?;
        let received = self.claims.get(&wrong.name).map_or("nothing".to_owned(), Value::to_string);
        let message = format!("{}: expected {:?}, received {received}", wrong.name, wrong.value);
        Some(
            Finding::failure(CLAIMS, message)
                .because("It is how this provider's access tokens are told from its other tokens.")
                .remedy("Send the access token, not the ID token."),
        )
    }

    fn audience(&self, provider: &ProviderSettings) -> Finding {
        let rule = &provider.config.policy.audience;
        let received = audiences(self.claims, &rule.claims);
        let mut expected = vec![self.address.resource().canonical().as_str().to_owned()];
        expected.extend(rule.accepted.iter().cloned());
        let compared = compared(&expected, &received);
        let is_ours =
            |it: &String| self.address.resource().is_named_by(it) || rule.accepted.contains(it);
        let stranger = rule
            .others
            .as_ref()
            .and_then(|others| received.iter().find(|it| !is_ours(it) && !others.contains(it)));
        let is_named = received.iter().any(is_ours);
        if is_named && stranger.is_none() {
            return Finding::fine(AUDIENCE, compared);
        }
        let remedy = format!(
            "Change it at {}; or add what was received to identity.{}.audiences, if \
             it is a name of this server alone.",
            audience_setting(provider.config.vendor),
            provider.config.name
        );
        let why = "A token for somebody else must not open this server: whoever has such a service \
                   could use its tokens here.";
        let names_nobody = received.is_empty() && rule.mode == AudienceMode::Foreign;
        if names_nobody || rule.mode == AudienceMode::Observe {
            let message = format!("{compared}; accepted, since audience_mode is not require");
            return Finding::warning(AUDIENCE, message).because(why).remedy(remedy);
        }
        Finding::failure(AUDIENCE, compared).because(why).remedy(remedy)
    }
}

fn compared(expected: &[String], received: &[String]) -> String {
    let received = if received.is_empty() { "nothing".to_owned() } else { received.join(", ") };
    format!("expected {}, received {received}", expected.join(" or "))
}

fn audiences(claims: &Map<String, Value>, names: &[String]) -> Vec<String> {
    let of = |name: &String| match claims.get(name) {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(several)) => {
            several.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    names.iter().flat_map(of).collect()
}

fn times(claims: &Map<String, Value>, skew: i64) -> Finding {
    let now = SystemClock.now().as_unix();
    let moment = |name: &str| claims.get(name).and_then(Value::as_f64).map(|it| it as i64);
    let Some(expires_at) = moment("exp") else {
        return Finding::failure(TIMES, "it has no exp")
            .because("A token without an end is refused.")
            .remedy("Let the provider limit the life of access tokens.");
    };
    if now >= expires_at + skew {
        return Finding::failure(TIMES, format!("it expired {} seconds ago", now - expires_at))
            .because("It was good once, maybe.")
            .remedy("Get a new one.");
    }
    let from = [moment("nbf"), moment("iat")].into_iter().flatten().max().unwrap_or(now);
    if from > now + skew {
        return Finding::failure(TIMES, format!("it begins in {} seconds", from - now))
            .because("The clocks of the provider and of this machine differ.")
            .remedy("Let NTP set the clock of this machine.");
    }
    Finding::fine(TIMES, format!("good for {} more seconds", expires_at - now))
}
