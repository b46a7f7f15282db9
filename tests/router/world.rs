//! The world around the server, under the test's control: time, randomness, the audit log, one key.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use mcp_oauth_core::domain::audit::{AuditEvent, Decision};
use mcp_oauth_core::domain::correlation::CurrentRequest;
use mcp_oauth_core::domain::requirement::Requirement;
use mcp_oauth_core::domain::scope::ScopeSet;
use mcp_oauth_core::domain::secret::{SECRET_BYTES, sha256};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolOutput};
use mcp_oauth_core::port::{AuditLog, CallContext, Clock, Random};
use mcp_oauth_issuer::RsaKey;
use mcp_oauth_tools::{Tool, ToolText};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};

/// When every scenario begins.
pub(crate) const NOW: i64 = 1_800_000_000;

/// A clock that moves when it is told to.
pub(crate) struct SettableClock(AtomicI64);

impl SettableClock {
    pub(crate) fn new() -> Self {
        Self(AtomicI64::new(NOW))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Clock for SettableClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.seconds())
    }
}

/// Bytes that are different at every call and the same in every run.
#[derive(Default)]
pub(crate) struct CountedRandom(AtomicU64);

impl CountedRandom {
    /// Other bytes in every server that used the same store before.
    pub(crate) fn after(writes: usize) -> Self {
        Self(AtomicU64::new((writes as u64) << 32))
    }
}

impl Random for CountedRandom {
    fn entropy(&self) -> [u8; SECRET_BYTES] {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        sha256(&[b"entropy", &count.to_be_bytes()])
    }
}

/// Every decision, in order.
#[derive(Default)]
pub(crate) struct RecordedAudit(Mutex<Vec<(AuditEvent, Option<Arc<CurrentRequest>>)>>);

impl RecordedAudit {
    pub(crate) fn events(&self) -> Vec<AuditEvent> {
        self.0.lock().unwrap().iter().map(|(event, _)| event.clone()).collect()
    }

    /// The requests that the decisions were made for, in order.
    pub(crate) fn requests(&self) -> Vec<Arc<CurrentRequest>> {
        self.0.lock().unwrap().iter().map(|(_, request)| request.clone().unwrap()).collect()
    }

    /// The names of the decisions; of a refusal, its code.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let name = |event: &AuditEvent| match event.decision {
            Decision::Refused { code, .. } => code,
            ref decision => decision.name(),
        };
        self.events().iter().map(name).collect()
    }
}

impl AuditLog for RecordedAudit {
    fn record(&self, event: AuditEvent) {
        self.0.lock().unwrap().push((event, CurrentRequest::current()));
    }
}

/// The server's key; one for the whole process, since making it takes long.
pub(crate) fn own_key() -> &'static RsaKey {
    static KEY: OnceLock<RsaKey> = OnceLock::new();
    KEY.get_or_init(|| RsaKey::generate().unwrap())
}

/// A key of somebody else.
pub(crate) fn other_key() -> &'static RsaKey {
    static KEY: OnceLock<RsaKey> = OnceLock::new();
    KEY.get_or_init(|| RsaKey::generate().unwrap())
}

/// A tool that asks for a token of the caller's provider, and tells all it may of it.
pub(crate) struct AskProvider;

#[async_trait]
impl Tool for AskProvider {
    type Arguments = Map<String, Value>;

    fn text(&self) -> ToolText {
        ToolText::new("ask_provider", "Ask the provider", "Asks the provider of the caller.")
    }

    async fn call(
        &self,
        _: Self::Arguments,
        context: &CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        Ok(match context.provider_token().await {
            Ok(Some(token)) => {
                let last = token.access_token.expose_secret().rsplit('-').next().unwrap_or("");
                ToolOutput::text(format!("asked {} with {last}; {token:?}", token.provider))
            }
            Ok(None) => ToolOutput::text("there is none"),
            Err(error) => ToolOutput::failure(error.to_string()),
        }
        .into())
    }
}

/// A tool that needs two scopes and tells everything it was told about the call.
pub(crate) struct MoveFiles;

#[async_trait]
impl Tool for MoveFiles {
    type Arguments = Map<String, Value>;

    fn text(&self) -> ToolText {
        ToolText::new("move_files", "Move files", "Moves files.")
    }

    fn requirement(&self) -> Option<Requirement> {
        ScopeSet::parse("files:read files:write").ok().map(Requirement::scope)
    }

    async fn call(
        &self,
        _: Self::Arguments,
        context: &CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        Ok(ToolOutput::text(format!("moved; {context:?}")).into())
    }
}
