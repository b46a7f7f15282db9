//! The settings about access tokens that a provider issues.

use mcp_oauth_core::domain::provider_policy::{AudienceMode, TypeRule};
use mcp_oauth_identity::{
    CLERK_API, OpaqueMethod, ProviderClient, ProviderConfig, TokenFormat, Vendor,
};
use url::Url;

use crate::provider_settings::OneProvider;
use crate::setting_group::SettingGroup;

impl OneProvider<'_> {
    /// Writes over `config` how access tokens are accepted.
    pub(crate) fn token_settings(
        &self,
        config: &mut ProviderConfig,
        client: Option<ProviderClient>,
    ) -> Option<()> {
        let audience = self.audience(config, client.as_ref());
        let types = self.list("token_types");
        let opaque = self.opaque_method(config, client.as_ref());
        let format = self.format(config.token_format, opaque.as_ref().is_some_and(Option::is_some));
        audience?;
        if let Some(types) = types.filter(|types| !types.is_empty()) {
            config.policy.token_type = TypeRule::OneOf(types);
        }
        config.opaque = opaque?;
        config.token_format = format?;
        self.check_audience_of_opaque(config);
        Some(())
    }

    /// Clerk's answer about an opaque token names no audience.
    fn check_audience_of_opaque(&self, config: &ProviderConfig) {
        let asks_clerk = matches!(config.opaque, Some(OpaqueMethod::ClerkVerify { .. }));
        let requires = config.policy.audience.mode == AudienceMode::Require;
        if !asks_clerk || !requires || config.token_format == TokenFormat::Jwt {
            return;
        }
        let reason = "Clerk's answer about an opaque token names no audience, so that every one of \
                      them is refused";
        let remedy = "Set audience_mode = \"foreign\", after reading in docs/providers.md what that \
                      means; or let Clerk issue JSON Web Tokens.";
        if config.token_format == TokenFormat::Opaque {
            self.problem("token_format", reason, remedy);
        } else if !self.is_set("audience_mode") {
            let name = &self.name;
            self.reader.0.warn(format!("[identity.{name}] has a secret_key: {reason}. {remedy}"));
        }
    }

    fn audience(&self, config: &mut ProviderConfig, client: Option<&ProviderClient>) -> Option<()> {
        let choices = [
            ("require", AudienceMode::Require),
            ("foreign", AudienceMode::Foreign),
            ("observe", AudienceMode::Observe),
        ];
        let mode = self.choice("audience_mode", &choices);
        let mut audiences = self.list("audiences")?;
        let mode = mode?.unwrap_or(AudienceMode::Require);
        if audiences.is_empty() && names_clients(self.vendor) {
            audiences.extend(client.map(|client| client.client_id.clone()));
            if audiences.is_empty() && mode == AudienceMode::Require {
                let remedy = format!(
                    "Access tokens of {} name an application by its client id, never an address: \
                     list those ids.",
                    self.vendor.title()
                );
                self.missing("audiences", &remedy);
            }
        }
        self.warn_of(mode);
        config.policy.audience.mode = mode;
        config.policy.audience.accepted = audiences;
        Some(())
    }

    /// Everything but `require` lets tokens in that were issued for somebody else.
    fn warn_of(&self, mode: AudienceMode) {
        let (name, means) = match mode {
            AudienceMode::Require => return,
            AudienceMode::Foreign => (
                "foreign",
                "a token that names no audience is accepted, although it may be meant for another \
                 service of the same provider",
            ),
            AudienceMode::Observe => (
                "observe",
                "every token of this provider is accepted, also one that was issued for another \
                 service; whoever has such a service can use its tokens here",
            ),
        };
        self.reader.0.warn(format!(
            "{} is {name}: {means}. Make the provider put an address of this server into aud, and \
             set it to require",
            self.path("audience_mode")
        ));
    }

    fn opaque_method(
        &self,
        config: &ProviderConfig,
        client: Option<&ProviderClient>,
    ) -> Option<Option<OpaqueMethod>> {
        let secret_key = self.secret("secret_key");
        let api_url = self.api_url();
        let (secret_key, api_url) = (secret_key?, api_url?);
        if self.vendor != Vendor::Clerk {
            self.check_not_for_clerk(secret_key.is_some(), api_url.is_some());
            let needs_client = matches!(config.opaque, Some(OpaqueMethod::Introspection { .. }));
            return Some(config.opaque.clone().filter(|_| !needs_client || client.is_some()));
        }
        let api_url = api_url.unwrap_or_else(|| CLERK_API.to_owned());
        Some(secret_key.map(|secret_key| OpaqueMethod::ClerkVerify { api_url, secret_key }))
    }

    /// Of the keys that only Clerk has a use for.
    fn check_not_for_clerk(&self, has_secret_key: bool, has_api_url: bool) {
        let key = match (has_api_url, has_secret_key) {
            (true, _) => "api_url",
            (false, true) if self.is_set("secret_key") => "secret_key",
            (false, true) => "secret_key_file",
            (false, false) => return,
        };
        let remedy = "Leave it out; opaque tokens of others are looked up with client_id and \
                      client_secret.";
        self.problem(key, "it is for Clerk alone", remedy);
    }

    fn api_url(&self) -> Option<Option<String>> {
        let Some(api_url) = self.text("api_url")? else { return Some(None) };
        let parsed = Url::parse(&api_url).ok();
        let is_safe = |url: &Url| {
            url.scheme() == "https"
                || url.scheme() == "http"
                    && mcp_oauth_core::domain::public_address::is_loopback(url)
        };
        if !parsed.as_ref().is_some_and(is_safe) {
            let reason = "it is not an https address, and a secret is sent there";
            self.problem("api_url", reason, &format!("Leave it out; it is {CLERK_API} then."));
            return None;
        }
        Some(Some(api_url.trim_end_matches('/').to_owned()))
    }

    /// What cannot be looked up has to be a JSON Web Token.
    fn format(&self, usual: TokenFormat, can_look_up: bool) -> Option<TokenFormat> {
        let choices = [
            ("jwt", TokenFormat::Jwt),
            ("opaque", TokenFormat::Opaque),
            ("auto", TokenFormat::Auto),
        ];
        match self.choice("token_format", &choices)? {
            Some(TokenFormat::Jwt) => Some(TokenFormat::Jwt),
            Some(_) if !can_look_up => {
                let remedy = match self.vendor {
                    Vendor::Clerk => {
                        "Set secret_key_file or CLERK_SECRET_KEY; or token_format = \"jwt\"."
                    }
                    _ => "Set client_id and client_secret_file; or token_format = \"jwt\".",
                };
                let reason = "opaque tokens can't be looked up with what is set";
                self.problem("token_format", reason, remedy);
                None
            }
            Some(format) => Some(format),
            None if can_look_up => Some(usual),
            None => Some(TokenFormat::Jwt),
        }
    }
}

/// Whether access tokens name a client where others name a resource.
fn names_clients(vendor: Vendor) -> bool {
    match vendor {
        Vendor::Entra | Vendor::Cognito | Vendor::Google | Vendor::Authentik => true,
        Vendor::Clerk | Vendor::Auth0 | Vendor::Keycloak | Vendor::Okta | Vendor::Oidc => false,
    }
}
