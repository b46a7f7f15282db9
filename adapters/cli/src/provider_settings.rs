//! The settings about the providers people log in at, or whose access tokens are accepted.

use std::collections::BTreeSet;

use figment::value::{Dict, Value};
use mcp_oauth_core::domain::admission::AdmissionPolicy;
use mcp_oauth_core::domain::issuer::Issuer;
use mcp_oauth_core::domain::provider::{ProviderName, TenantIssuers};
use mcp_oauth_core::domain::provider_account::CarriedClaims;
use mcp_oauth_identity::{ProviderClient, ProviderConfig, ResourceForwarding, TokenFormat, Vendor};

use crate::identity_table::{IdentityKey, Mode};
use crate::provider_choice::{Choice, ChosenProvider, DEV, setting_that_chooses, tables};
use crate::provider_issuer::issuer_trouble;
use crate::setting_group::SettingGroup;
use crate::settings::Reader;
use crate::vendor_facts::issuer_example;

/// Who issues access tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenIssuer {
    /// This server, after people logged in at a provider or with a password.
    Local,
    /// The providers; this server only checks their tokens.
    Provider,
}

/// A provider as configured.
#[derive(Debug, Clone)]
pub(crate) struct ProviderSettings {
    pub(crate) config: ProviderConfig,
    /// Which of its people are let in.
    pub(crate) admission: AdmissionPolicy,
    /// What of its claims travels on.
    pub(crate) carried: CarriedClaims,
    /// Whether its tokens are kept for tools.
    pub(crate) keeps_tokens: bool,
}

/// Reads one table `[identity.NAME]`; each method reports its own problems.
pub(crate) struct OneProvider<'a> {
    pub(crate) reader: &'a Reader<'a>,
    pub(crate) name: ProviderName,
    pub(crate) vendor: Vendor,
    pub(crate) issues: TokenIssuer,
}

impl Reader<'_> {
    /// The providers of a choice; empty with the dev provider.
    pub(crate) fn providers(
        &self,
        choice: &Choice,
        issues: TokenIssuer,
    ) -> Option<Vec<ProviderSettings>> {
        self.check_identity_tables(choice);
        let Choice::Providers(chosen) = choice else { return Some(Vec::new()) };
        let read = |ChosenProvider { name, vendor }: &ChosenProvider| {
            OneProvider { reader: self, name: name.clone(), vendor: *vendor, issues }.read()
        };
        let read: Vec<Option<ProviderSettings>> = chosen.iter().map(read).collect();
        let providers: Vec<ProviderSettings> = read.into_iter().collect::<Option<_>>()?;
        self.check_issuers_differ(&providers);
        if issues == TokenIssuer::Provider {
            self.check_opaque(&providers);
        }
        Some(providers)
    }

    pub(crate) fn token_issuer(&self, choice: Option<&Choice>) -> Option<TokenIssuer> {
        let choices = [("local", TokenIssuer::Local), ("provider", TokenIssuer::Provider)];
        let issues = self.one_of("authorization_server", &choices)?;
        if issues == TokenIssuer::Provider && choice == Some(&Choice::Dev) {
            let reason = "the dev provider issues no tokens";
            let remedy =
                "Choose a provider that does, e.g. provider = \"clerk\"; or leave it \"local\".";
            self.0.problem("authorization_server", reason, remedy);
        }
        Some(issues)
    }

    /// A token or a person could not be told from that of the other.
    fn check_issuers_differ(&self, providers: &[ProviderSettings]) {
        for (at, provider) in providers.iter().enumerate() {
            let rule = &provider.config.policy.issuer;
            let same = |it: &&ProviderSettings| it.config.policy.issuer.overlaps(rule);
            if let Some(other) = providers[..at].iter().find(same) {
                let theirs = &other.config.policy.issuer;
                let reason = match theirs.issuer == rule.issuer {
                    true => format!("{} has the same", other.config.name),
                    false => format!(
                        "{} vouches as one of the same issuers: {}",
                        other.config.name,
                        theirs.spelled_out()
                    ),
                };
                let setting = format!("identity.{}.issuer", provider.config.name);
                let remedy = "Name each issuer once, and each tenant at one provider.";
                self.0.problem(&setting, reason, remedy);
            }
        }
    }

    /// An opaque token does not say whose it is.
    fn check_opaque(&self, providers: &[ProviderSettings]) {
        let takes_them = |it: &&ProviderSettings| it.config.token_format != TokenFormat::Jwt;
        let taking: Vec<_> =
            providers.iter().filter(takes_them).map(|it| &it.config.name).collect();
        if let [first, second, ..] = taking.as_slice() {
            let reason = format!(
                "{first} and {second} both take opaque tokens, which don't tell whose they are"
            );
            let setting = format!("identity.{second}.token_format");
            self.0.problem(&setting, reason, "Set it to \"jwt\" for all but one.");
        }
    }

    fn check_identity_tables(&self, choice: &Choice) {
        for (name, table) in tables(self.0) {
            self.check_identity_keys(&name, &table);
            let is_chosen = match choice {
                Choice::Dev => false,
                Choice::Providers(chosen) => chosen.iter().any(|it| it.name.as_str() == name),
            };
            if name == DEV {
                let setting = format!("identity.{DEV}");
                let reason = "the people of the dev provider are in dev_users";
                self.0.problem(&setting, reason, "Give the table another name, and its kind.");
            } else if !is_chosen {
                self.0.warn(format!(
                    "[identity.{name}] is not used: it is named neither in provider nor in providers"
                ));
            }
        }
    }

    fn check_identity_keys(&self, name: &str, table: &Dict) {
        for key in table.keys().filter(|key| IdentityKey::of(key).is_none()) {
            let meant = IdentityKey::similar(key);
            let question = meant.map(|meant| format!("Did you mean {meant}? ")).unwrap_or_default();
            let remedy = format!("{question}See docs/providers.md for every key.");
            self.0.problem(&format!("identity.{name}.{key}"), "there is no such key", &remedy);
        }
        let of = table.get("kind").and_then(Value::as_str);
        if let Some(kind) = of.filter(|kind| Vendor::from_name(kind).is_none()) {
            let remedy = format!("Use {}.", crate::vendor_facts::vendor_names());
            let reason = format!("{kind:?} is not supported");
            self.0.problem(&format!("identity.{name}.kind"), reason, &remedy);
        }
    }
}

impl SettingGroup for OneProvider<'_> {
    fn reader(&self) -> &Reader<'_> {
        self.reader
    }

    fn path(&self, key: &str) -> String {
        format!("identity.{}.{key}", self.name)
    }
}

impl OneProvider<'_> {
    /// Reads everything before it gives up on anything.
    fn read(&self) -> Option<ProviderSettings> {
        self.check_modes();
        let issuer = self.issuer();
        let client = self.client();
        let login = self.login_settings();
        let admission = self.admission();
        let carried = self.carried();
        let title = self.text("title");
        let keeps_tokens = self.keeps_tokens();
        let mut config = ProviderConfig::of(
            self.vendor,
            self.name.clone(),
            issuer.clone().unwrap_or_else(|| Issuer::new("")),
        );
        self.claim_sources(&mut config, admission.as_ref());
        let tokens = match self.issues {
            TokenIssuer::Local => Some(()),
            TokenIssuer::Provider => self.token_settings(&mut config, client.clone().flatten()),
        };
        issuer?;
        tokens?;
        let login = login?;
        config.client = client?;
        config.title = title?.unwrap_or(config.title);
        config.authorize_parameters = login.parameters;
        let keeps_tokens = keeps_tokens?;
        match login.scopes {
            Some(scopes) => config.login_scopes = scopes,
            None if keeps_tokens => config.ask_for_refresh_tokens(),
            None => {}
        }
        config.resource_forwarding = login.forwarding;
        Some(ProviderSettings { config, admission: admission?, carried: carried?, keeps_tokens })
    }

    /// Says that a key has to be there.
    pub(crate) fn missing(&self, key: &str, remedy: &str) {
        let sources = self.reader.0;
        let source = sources.source_of(setting_that_chooses(sources));
        let reason = format!("it is missing, and {} needs it", self.name);
        sources.report(&self.path(key), &source, reason, remedy);
    }

    /// What is set for the other `authorization_server`. Of lists of those who are let in it would
    /// be dangerous to say no more than that.
    fn check_modes(&self) {
        let counts = match self.issues {
            TokenIssuer::Local => Mode::Local,
            TokenIssuer::Provider => Mode::Provider,
        };
        let other = |key: &&IdentityKey| key.mode != Mode::Both && key.mode != counts;
        for key in
            crate::identity_table::KEYS.iter().filter(other).filter(|it| self.is_set(it.name))
        {
            let wanted = if key.mode == Mode::Local { "local" } else { "provider" };
            if key.name.starts_with("allowed_") {
                let reason = "nobody is refused by this list: the provider issues the tokens, and \
                              people log in there alone";
                let remedy = "Let the provider decide who may use the application, or set \
                              authorization_server = \"local\".";
                self.problem(key.name, reason, remedy);
            } else {
                self.reader.0.warn(format!(
                    "{} (from {}) is not used: it is for authorization_server = \"{wanted}\"",
                    self.path(key.name),
                    self.reader.0.source_of(&self.path(key.name)),
                ));
            }
        }
    }

    fn issuer(&self) -> Option<Issuer> {
        let Some(issuer) = self.text("issuer")? else {
            if self.vendor == Vendor::Google {
                return Some(Issuer::new("https://accounts.google.com"));
            }
            let variable = crate::vendor_facts::variable_prefix(self.vendor);
            let example = issuer_example(self.vendor);
            let remedy = format!("Set it there or in {variable}ISSUER: {example}.");
            self.missing("issuer", &remedy);
            return None;
        };
        match issuer_trouble(self.vendor, &issuer, self.issues) {
            None => Some(Issuer::new(issuer)),
            Some((reason, remedy)) => {
                self.problem("issuer", reason, &remedy);
                None
            }
        }
    }

    fn client(&self) -> Option<Option<ProviderClient>> {
        let client_id = self.text("client_id");
        let secret = self.secret("client_secret");
        let public = match self.is_set("public_client") {
            true => self.reader.0.get::<bool>(&self.path("public_client")),
            false => Some(false),
        };
        let (client_id, secret, public) = (client_id?, secret?, public?);
        if public && secret.is_some() {
            let reason = "there is a secret as well";
            self.problem("public_client", reason, "Leave one of the two out.");
        }
        let is_local = self.issues == TokenIssuer::Local;
        let variable = crate::vendor_facts::variable_prefix(self.vendor);
        if is_local && secret.is_none() && !public {
            let remedy = format!(
                "Set client_secret_file or {variable}CLIENT_SECRET; or public_client = true, if the \
                 application has none."
            );
            self.missing("client_secret", &remedy);
        }
        match client_id {
            Some(client_id) => Some(Some(ProviderClient { client_id, client_secret: secret })),
            None if is_local => {
                let remedy = format!(
                    "Register this server as an application at the provider, and set its \
                     identifier there or in {variable}CLIENT_ID."
                );
                self.missing("client_id", &remedy);
                None
            }
            None => Some(None),
        }
    }

    fn login_settings(&self) -> Option<LoginSettings> {
        let scopes = self.list("scopes");
        let parameters = self.authorize_parameters();
        let choices = [
            ("no", ResourceForwarding::None),
            ("resource", ResourceForwarding::Resource),
            ("audience", ResourceForwarding::Audience),
        ];
        let forwarding = self.choice("forward_resource", &choices)?;
        let mut scopes = Some(scopes?).filter(|scopes| !scopes.is_empty());
        if let Some(scopes) = scopes.as_mut().filter(|it| !it.iter().any(|it| it == "openid")) {
            scopes.insert(0, "openid".to_owned());
        }
        Some(LoginSettings {
            scopes,
            parameters: parameters?,
            forwarding: forwarding.unwrap_or_default(),
        })
    }

    /// What this server decides itself is not for the operator to change.
    fn authorize_parameters(&self) -> Option<Vec<(String, String)>> {
        const OURS: [&str; 11] = [
            "client_id",
            "code_challenge",
            "code_challenge_method",
            "nonce",
            "redirect_uri",
            "request",
            "request_uri",
            "response_mode",
            "response_type",
            "scope",
            "state",
        ];
        const KEY: &str = "authorize_parameters";
        if !self.is_set(KEY) {
            return Some(Vec::new());
        }
        let parameters: std::collections::BTreeMap<String, String> =
            self.reader.0.get(&self.path(KEY))?;
        if let Some(name) = parameters.keys().find(|name| OURS.contains(&name.as_str())) {
            let reason = format!("{name} is set by this server");
            self.problem(KEY, reason, "Leave it out; scopes have a key of their own.");
            return None;
        }
        Some(parameters.into_iter().collect())
    }

    fn admission(&self) -> Option<AdmissionPolicy> {
        let list = |key| self.list(key).map(BTreeSet::from_iter);
        let (emails, email_domains) = (list("allowed_emails"), list("allowed_domains"));
        let groups = list("allowed_groups");
        let (tenants, organizations) = (list("allowed_tenants"), list("allowed_organizations"));
        let (emails, email_domains): (BTreeSet<String>, BTreeSet<String>) =
            (emails?, email_domains?);
        if let Some(wrong) = email_domains.iter().find(|it| it.contains(['@', '*', '/'])) {
            let reason = format!("{wrong:?} is no domain");
            self.problem("allowed_domains", reason, "Write what stands after the @: example.com.");
        }
        if let Some(wrong) = emails.iter().find(|it| !it.contains('@')) {
            let reason = format!("{wrong:?} is no e-mail address");
            self.problem(
                "allowed_emails",
                reason,
                "Write bob@example.com; domains go into allowed_domains.",
            );
        }
        let (groups, tenants, organizations) = (groups?, tenants?, organizations?);
        let admission = AdmissionPolicy { emails, email_domains, groups, tenants, organizations };
        self.warn_of_everybody(&admission);
        Some(admission)
    }

    /// At some providers everybody can open an account.
    fn warn_of_everybody(&self, admission: &AdmissionPolicy) {
        if self.issues == TokenIssuer::Local && *admission == AdmissionPolicy::default() {
            self.reader.0.warn(format!(
                "everybody who has an account at {} is let in: list allowed_domains, \
                 allowed_groups or another allowed_… in [identity.{}] unless only your own people \
                 have one",
                self.vendor.title(),
                self.name
            ));
        }
    }

    fn carried(&self) -> Option<CarriedClaims> {
        match CarriedClaims::new(self.list("claims")?) {
            Ok(carried) => Some(carried),
            Err(error) => {
                self.problem("claims", error.to_string(), "Leave it out.");
                None
            }
        }
    }

    /// Tokens of others are kept under a secret, or not at all.
    fn keeps_tokens(&self) -> Option<bool> {
        const KEY: &str = "keep_tokens";
        if !self.is_set(KEY) || !self.reader.0.get::<bool>(&self.path(KEY))? {
            return Some(false);
        }
        if self.issues == TokenIssuer::Provider {
            let reason =
                "the provider issues the tokens, and clients have them: nobody logs in here";
            let remedy = "Leave it out, or set authorization_server = \"local\".";
            self.problem(KEY, reason, remedy);
            return None;
        }
        let is_set = |name| self.reader.0.optional_text(name).is_some();
        if !is_set("encryption_secret") && !is_set("encryption_secret_file") {
            let reason = "there is no encryption_secret, and tokens are never stored as they are";
            let remedy = "Set encryption_secret_file; `openssl rand -base64 32` makes a secret.";
            self.problem(KEY, reason, remedy);
            return None;
        }
        Some(true)
    }

    /// Where groups and tenants stand, and of which tenants tokens may be.
    fn claim_sources(&self, config: &mut ProviderConfig, admission: Option<&AdmissionPolicy>) {
        if let Some(Some(claim)) = self.text("groups_claim") {
            config.policy.claims.groups = vec![claim];
        }
        if let Some(Some(claim)) = self.text("tenant_claim") {
            config.policy.claims.tenant = vec![claim];
        }
        let tenants = admission.map(|lists| &lists.tenants).filter(|tenants| !tenants.is_empty());
        if tenants.is_some() && config.policy.claims.tenant.is_empty() {
            let reason = "nobody could log in: it is not known which claim names the tenant";
            self.problem("allowed_tenants", reason, "Set tenant_claim, too.");
        }
        let issuer = &config.policy.issuer.issuer;
        let names = |it: &&str| issuer.as_str().contains(&format!("/{it}/"));
        let many = ["common", "organizations"].into_iter().find(names);
        let (Vendor::Entra, Some(many)) = (self.vendor, many) else { return };
        match tenants {
            Some(tenants) => {
                let tenants = tenants.iter().cloned().collect();
                let tenants = TenantIssuers::in_place_of(many, issuer, tenants);
                config.policy.issuer.tenants = Some(tenants);
            }
            None => {
                let reason = format!("{many} is every organisation there is");
                let remedy = "Name the Directory (tenant) IDs in allowed_tenants; or write the one \
                              tenant into the issuer.";
                self.problem("issuer", reason, remedy);
            }
        }
    }
}

/// How people are sent to the provider.
struct LoginSettings {
    scopes: Option<Vec<String>>,
    parameters: Vec<(String, String)>,
    forwarding: ResourceForwarding,
}
