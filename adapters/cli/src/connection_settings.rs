//! The settings about connections: TLS, the names they may come by, how many there may be, how long
//! they may take.

use std::time::Duration;

use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_http::ServerLimits;

use crate::settings::Reader;
use crate::tls_files::{CERTIFICATE_FILE, KEY_FILE, TlsFiles, UnusableFile};

/// How connections are accepted.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionSettings {
    /// `None` to speak plain HTTP.
    pub(crate) tls: Option<TlsFiles>,
    pub(crate) limits: ServerLimits,
    /// How many requests of MCP one caller may have open.
    pub(crate) open_requests: usize,
}

impl Reader<'_> {
    pub(crate) fn connections(&self) -> Option<ConnectionSettings> {
        const HOUR: u64 = 3600;
        let tls = self.tls();
        let connections = self.number("most_connections", 1, 1_000_000);
        let header = self.seconds("header_seconds", 1, HOUR);
        let idle = self.seconds("idle_seconds", 1, 24 * HOUR);
        let drain: Option<Duration> = self.seconds("drain_seconds", 0, HOUR);
        let open_requests = self.number("most_open_requests", 1, 1_000_000);
        Some(ConnectionSettings {
            tls: tls?,
            limits: ServerLimits {
                header_timeout: header?,
                idle: idle?,
                connections: usize::try_from(connections?).ok()?,
                drain: drain?,
                ..ServerLimits::default()
            },
            open_requests: usize::try_from(open_requests?).ok()?,
        })
    }

    fn tls(&self) -> Option<Option<TlsFiles>> {
        let certificate = self.0.optional_text(CERTIFICATE_FILE);
        let (certificate, key) = match (certificate, self.0.optional_text(KEY_FILE)) {
            (None, None) => return Some(None),
            (Some(certificate), Some(key)) => (certificate, key),
            (Some(_), None) => return self.is_alone(CERTIFICATE_FILE, KEY_FILE),
            (None, Some(_)) => return self.is_alone(KEY_FILE, CERTIFICATE_FILE),
        };
        match TlsFiles::open(certificate.into(), key.into()) {
            Ok(files) => Some(Some(files)),
            Err(UnusableFile { setting, reason }) => {
                let remedy = if setting == KEY_FILE {
                    "Name a readable PEM file with the key of the certificate."
                } else {
                    "Name a readable PEM file: the certificate first, then those that vouch for it."
                };
                self.0.problem(setting, reason, remedy);
                None
            }
        }
    }

    fn is_alone(&self, set: &str, missing: &str) -> Option<Option<TlsFiles>> {
        let reason = format!("TLS needs {missing} as well");
        self.0.problem(set, reason, "Set both, or neither for plain HTTP.");
        None
    }

    pub(crate) fn allowed_hosts(&self) -> Option<Vec<String>> {
        let hosts: Vec<String> = self.0.get("allowed_hosts")?;
        let is_host = |host: &str| {
            let bare = !host.is_empty() && !host.contains(['/', '@', '?', '#', '*', ' ', '\\']);
            bare && url::Url::parse(&format!("http://{host}/")).is_ok()
        };
        if let Some(wrong) = hosts.iter().find(|host| !is_host(host)) {
            let reason = format!("{wrong:?} is no host");
            let remedy = "Write mcp.internal or mcp.internal:8000, without http:// and path.";
            self.0.problem("allowed_hosts", reason, remedy);
        }
        Some(hosts)
    }

    /// Whether this server is to speak TLS, well configured or not.
    pub(crate) fn wants_tls(&self) -> bool {
        self.0.optional_text(CERTIFICATE_FILE).is_some() || self.0.optional_text(KEY_FILE).is_some()
    }

    /// Warns of addresses that lead nobody here, as far as this server can know.
    pub(crate) fn check_scheme(&self, address: &PublicAddress) {
        let base_url = address.base_url();
        if self.wants_tls() && !address.is_https() {
            self.0.warn(format!(
                "base_url is {base_url}, but this server speaks TLS: unless something in front of it \
                 does not, nobody reaches it there; use https"
            ));
        }
        let is_behind_proxy = !self.0.is_default("trusted_proxies");
        let needs_tls = address.is_https() && !address.is_loopback();
        if needs_tls && !self.wants_tls() && !is_behind_proxy {
            self.0.warn(format!(
                "base_url is {base_url}, but this server speaks plain HTTP: set {CERTIFICATE_FILE} and \
                 {KEY_FILE}, or name the reverse proxy that speaks TLS for it in trusted_proxies"
            ));
        }
    }
}
