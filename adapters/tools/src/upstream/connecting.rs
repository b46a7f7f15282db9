//! Making a connection: which transport, which era of the protocol.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rmcp::RoleClient;
use rmcp::model::{ClientCapabilities, ProtocolVersion};
use rmcp::service::{ClientInitializeError, ClientLifecycleMode, ClientServiceExt};
use rmcp::transport::Transport;
use tokio_util::sync::CancellationToken;

use super::address::{Web, streamable};
use super::call_in_flight::CallsInFlight;
use super::config::{HttpTransport, Program, Reach, UnusableUpstream, UpstreamConfig};
use super::connection::{Connection, Outgoing};
use super::errors::Errors;
use super::handler::Handler;
use super::ordered::{ChangeNotices, Notices, Ordered};
use super::passing_caller::CallerHeaders;
use super::{process, sse};

/// Makes connections to one upstream server.
pub(super) struct Connector {
    pub(super) name: Arc<str>,
    pub(super) errors: Errors,
    reach: Target,
    start: Duration,
    most_calls: usize,
    learned: AtomicU8,
}

enum Target {
    Program(Program),
    Web(Web, HttpTransport),
}

/// What a connection is for.
#[derive(Clone, Default)]
pub(super) struct Purpose {
    /// Whether all calls are of one caller, who can be asked and has a log.
    pub(super) one_caller: bool,
    /// What their client can do.
    pub(super) capabilities: ClientCapabilities,
    /// Who the whole connection belongs to.
    pub(super) headers: CallerHeaders,
    /// Where changes are told.
    pub(super) changes: Option<ChangeNotices>,
}

/// What attempts before have taught: which era to try first.
const UNKNOWN: u8 = 0;
const LEGACY: u8 = 1;

impl Connector {
    pub(super) fn new(config: &UpstreamConfig) -> Result<Self, UnusableUpstream> {
        let reach = match &config.reach {
            Reach::Command(program) => Target::Program(program.clone()),
            Reach::Url(address) => {
                let web = Web {
                    url: address.url.clone(),
                    client: http_client()?,
                    headers: address.header_map()?,
                };
                Target::Web(web, address.transport)
            }
        };
        Ok(Self {
            name: config.name.as_str().into(),
            errors: Errors::new(&config.name),
            reach,
            start: config.limits.start,
            most_calls: config.limits.most_calls,
            learned: AtomicU8::new(UNKNOWN),
        })
    }

    /// A connection with the handshake done, or why there is none: a text for the log.
    pub(super) async fn connect(&self, purpose: &Purpose) -> Result<Arc<Connection>, String> {
        let attempt = tokio::time::timeout(self.start, self.try_transports(purpose));
        let late = || format!("it did not answer within {} seconds", self.start.as_secs());
        let connection = attempt.await.unwrap_or_else(|_| Err(late()))?;
        // Which arguments go into headers, the engine reads from the list of tools.
        if connection.modern && purpose.one_caller && matches!(self.reach, Target::Web(..)) {
            let list = Outgoing::own("tools/list", serde_json::Value::Null);
            let _ = connection.ask(list, self.start).await;
        }
        Ok(Arc::new(connection))
    }

    async fn try_transports(&self, purpose: &Purpose) -> Result<Connection, String> {
        let (web, transport) = match &self.reach {
            Target::Program(program) => {
                let process = process::start(program, &self.name);
                let process = process
                    .map_err(|error| format!("{:?} can't be started: {error}", program.program))?;
                return self.shake_hands(process, purpose).await;
            }
            Target::Web(web, transport) => (web, *transport),
        };
        if transport == HttpTransport::Sse {
            return self.over_sse(web, purpose).await;
        }
        let transport_of_now = streamable(web, purpose.headers.clone(), self.most_calls);
        let refusal = match self.shake_hands(transport_of_now, purpose).await {
            Err(refusal) if transport == HttpTransport::Auto => refusal,
            other => return other,
        };
        let outcome = self.over_sse(web, purpose).await;
        outcome.map_err(|sse| format!("over Streamable HTTP: {refusal}; over HTTP+SSE: {sse}"))
    }

    async fn over_sse(&self, web: &Web, purpose: &Purpose) -> Result<Connection, String> {
        let opened = sse::open(web.clone(), purpose.headers.clone()).await;
        let transport = opened.map_err(|error| error.to_string())?;
        self.handshake(transport, purpose, initialize()).await.map_err(|error| error.to_string())
    }

    /// In the newest revision, or the way of the older ones where that is what is spoken. A server
    /// that could not even refuse the newest is asked in the older way at the next attempt.
    async fn shake_hands<T>(&self, transport: T, purpose: &Purpose) -> Result<Connection, String>
    where
        T: Transport<RoleClient> + 'static,
    {
        let known_legacy = self.learned.load(Ordering::Relaxed) == LEGACY;
        let mode = if known_legacy { initialize() } else { newest_or_initialize() };
        match self.handshake(transport, purpose, mode).await {
            Ok(connection) => {
                let era = if connection.modern { UNKNOWN } else { LEGACY };
                self.learned.store(era, Ordering::Relaxed);
                Ok(connection)
            }
            Err(error) => {
                let other = if known_legacy { UNKNOWN } else { LEGACY };
                self.learned.store(other, Ordering::Relaxed);
                Err(error.to_string())
            }
        }
    }

    async fn handshake<T>(
        &self,
        transport: T,
        purpose: &Purpose,
        mode: ClientLifecycleMode,
    ) -> Result<Connection, ClientInitializeError>
    where
        T: Transport<RoleClient> + 'static,
    {
        let calls = Arc::new(CallsInFlight::default());
        let closed = CancellationToken::new();
        let notices = Notices {
            name: Arc::clone(&self.name),
            calls: Arc::clone(&calls),
            one_caller: purpose.one_caller,
            changes: purpose.changes.clone(),
        };
        let handler = Handler {
            calls: Arc::clone(&calls),
            one_caller: purpose.one_caller,
            capabilities: purpose.capabilities.clone(),
            closed: closed.clone(),
        };
        let transport = Ordered::new(transport, notices, closed.clone());
        let engine = handler.serve_with_lifecycle(transport, mode).await?;
        Ok(Connection::new(engine, calls, closed, self.errors.clone()))
    }
}

fn initialize() -> ClientLifecycleMode {
    ClientLifecycleMode::Initialize
}

fn newest_or_initialize() -> ClientLifecycleMode {
    ClientLifecycleMode::Auto {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        legacy_version: Some(ProtocolVersion::LATEST_WITH_INITIALIZE),
    }
}

/// Follows no redirect: what is sent has credentials with it.
fn http_client() -> Result<reqwest::Client, UnusableUpstream> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .no_proxy()
        .build()
        .map_err(|error| UnusableUpstream::Client(error.to_string()))
}
