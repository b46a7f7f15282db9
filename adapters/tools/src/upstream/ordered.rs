//! A transport that hands on notifications in the order they came, before any answer that came after.
//! The engine would handle each in a task of its own.

use std::borrow::Cow;
use std::sync::Arc;

use mcp_oauth_core::domain::catalog_change::CatalogChange;
use mcp_oauth_core::domain::log_message::{LogLevel, LogMessage};
use mcp_oauth_core::port::Progress;
use rmcp::RoleClient;
use rmcp::model::{GetExtensions, GetMeta, JsonRpcMessage, ServerNotification};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::call_in_flight::{CallTag, CallsInFlight};
use super::changes::{Listeners, Stale};
use super::errors::bounded;
use super::watches::Watches;

/// Where notifications of a connection go.
#[derive(Clone)]
pub(super) struct Notices {
    /// Which server it is.
    pub(super) name: Arc<str>,
    pub(super) calls: Arc<CallsInFlight>,
    /// Whether log messages are for the caller.
    pub(super) one_caller: bool,
    /// Where changes are told; nowhere when another connection tells them.
    pub(super) changes: Option<ChangeNotices>,
}

/// Where changes are told.
#[derive(Clone)]
pub(super) struct ChangeNotices {
    pub(super) stale: Arc<Stale>,
    pub(super) watches: Arc<Watches>,
    pub(super) listeners: Arc<Listeners>,
}

/// A transport, and where its notifications go.
pub(super) struct Ordered<T> {
    inner: T,
    notices: Notices,
    closed: CancellationToken,
    // Also when the engine drops the transport before it closed.
    _ends: DropGuard,
}

impl<T> Ordered<T> {
    /// `closed` is cancelled once nothing will be received any more.
    pub(super) fn new(inner: T, notices: Notices, closed: CancellationToken) -> Self {
        Self { inner, notices, closed: closed.clone(), _ends: closed.drop_guard() }
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Ordered<T> {
    type Error = T::Error;

    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        if let JsonRpcMessage::Request(sent) = &item {
            let tag = sent.request.extensions().get::<CallTag>();
            if let Some((tag, token)) = tag.zip(sent.request.get_meta().get_progress_token()) {
                self.notices.calls.name(*tag, sent.id.clone(), token);
            }
        }
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let received = self.inner.receive().await;
            let other = match received {
                Some(JsonRpcMessage::Notification(it)) => self.notices.take(it.notification),
                Some(other) => return Some(other),
                None => {
                    self.closed.cancel();
                    return None;
                }
            };
            if let Some(other) = other {
                return Some(JsonRpcMessage::notification(other));
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.closed.cancel();
        self.inner.close().await
    }
}

impl Notices {
    /// Gives back what is for the engine.
    fn take(&self, notification: ServerNotification) -> Option<ServerNotification> {
        match notification {
            ServerNotification::ProgressNotification(it) => {
                let params = it.params;
                let progress = Progress {
                    done: params.progress,
                    total: params.total,
                    message: params.message,
                };
                self.calls.progress(&params.progress_token, progress);
            }
            ServerNotification::LoggingMessageNotification(it) => {
                self.log(serde_json::to_value(&it).unwrap_or_default());
            }
            ServerNotification::ToolListChangedNotification(_) => {
                self.changed(CatalogChange::Tools)
            }
            ServerNotification::PromptListChangedNotification(_) => {
                self.changed(CatalogChange::Prompts)
            }
            ServerNotification::ResourceListChangedNotification(_) => {
                self.changed(CatalogChange::Resources);
            }
            ServerNotification::ResourceUpdatedNotification(it) => {
                self.changed(CatalogChange::Resource(it.params.uri));
            }
            ServerNotification::CancelledNotification(_)
            | ServerNotification::SubscriptionsAcknowledgedNotification(_) => {
                return Some(notification);
            }
            _ => {}
        }
        None
    }

    fn changed(&self, change: CatalogChange) {
        let Some(changes) = &self.changes else { return };
        match &change {
            CatalogChange::Resource(uri) if changes.watches.include(uri) => {
                changes.listeners.tell(&change);
            }
            CatalogChange::Resource(_) => {}
            list => changes.stale.mark(list),
        }
    }

    fn log(&self, mut notification: Value) {
        let params = notification.get_mut("params").map(Value::take).unwrap_or_default();
        let Ok(Said { level, logger, data }) = serde_json::from_value(params) else { return };
        let message = LogMessage { level, logger, data };
        let left = if self.one_caller { self.calls.log(message) } else { Some(message) };
        if let Some(message) = left {
            let text = message.data.to_string();
            tracing::debug!(
                upstream = &*self.name,
                level = ?message.level,
                "the tool server says: {:?}",
                bounded(&text, 1000)
            );
        }
    }
}

/// The params of `notifications/message`.
#[derive(Deserialize)]
struct Said {
    level: LogLevel,
    logger: Option<String>,
    data: Value,
}
