//! The settings of the dev provider.

use std::net::IpAddr;

use mcp_oauth_core::domain::person::{Person, Subject};
use mcp_oauth_identity::DevUser;
use secrecy::SecretString;
use serde::Deserialize;

use crate::settings::Reader;

/// A person of the dev provider, as configured.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DevUserSetting {
    username: String,
    password: SecretString,
    subject: Option<String>,
    name: Option<String>,
    email: Option<String>,
}

impl Reader<'_> {
    pub(crate) fn dev_users(&self) -> Option<Vec<DevUser>> {
        let users: Vec<DevUserSetting> = self.0.get("dev_users")?;
        if users.is_empty() {
            let remedy = "Add one with a username and a password.";
            self.0.problem("dev_users", "nobody could log in", remedy);
        }
        let user = |user: DevUserSetting| DevUser {
            person: Person {
                subject: Subject::new(user.subject.unwrap_or_else(|| user.username.clone())),
                name: user.name,
                verified_email: user.email,
                account: None,
            },
            username: user.username,
            password: user.password,
        };
        Some(users.into_iter().map(user).collect())
    }

    /// With a base URL on loopback, a host that is not would still hand test tokens to the network.
    pub(crate) fn check_dev_host(&self, host: Option<IpAddr>) {
        let allowed = self.0.get::<bool>("dev_allow_any_host").unwrap_or(false);
        if let Some(host) = host
            && !host.is_loopback()
            && !allowed
        {
            let reason =
                format!("the dev provider hands out tokens, and {host} is reachable from outside");
            let remedy = "Use 127.0.0.1, or set dev_allow_any_host = true where nobody else can \
                          reach it, e.g. in a container.";
            self.0.problem("host", reason, remedy);
        }
    }
}
