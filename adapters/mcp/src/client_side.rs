//! What a call knows of its client: what it can do, how it is reached, and what it sent along for
//! the rounds of the call.

use std::collections::BTreeMap;
use std::sync::Arc;

use mcp_oauth_core::service::ClientSide;
use rmcp::RoleServer;
use rmcp::model::ProtocolVersion;
use rmcp::service::RequestContext;
use serde_json::Value;

use crate::call_channel::CallChannel;
use crate::log_threshold::LogThreshold;
use crate::session::Session;
use crate::shapes;

/// What came with a repeated call.
pub(crate) struct Given {
    pub(crate) answers: Option<BTreeMap<String, Value>>,
    pub(crate) state: Option<String>,
}

/// Whether a request is of the era without sessions, in which every request says all there is to
/// know.
pub(crate) fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    let version = context.protocol_version();
    version.is_some_and(|it| it.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
}

/// The way to the client of a request.
pub(crate) fn channel(context: &RequestContext<RoleServer>, session: &Session) -> Arc<CallChannel> {
    let modern = is_modern(context);
    let threshold = if modern {
        LogThreshold::OfRequest(context.meta.log_level().map(shapes::log_level))
    } else {
        LogThreshold::OfSession(session.level.clone())
    };
    CallChannel::new(context, threshold, !modern)
}

/// The client of a request, reached through `channel`.
pub(crate) fn of(
    context: &RequestContext<RoleServer>,
    channel: &Arc<CallChannel>,
    given: Given,
) -> ClientSide {
    // Of the older revisions only who opened a session can be asked: its answers have a way back.
    let capabilities = if is_modern(context) {
        context.meta.client_capabilities()
    } else {
        context.peer.peer_info().map(|info| info.capabilities.clone())
    };
    ClientSide {
        abilities: Arc::new(shapes::abilities(&capabilities.unwrap_or_default())),
        channel: Some(Arc::clone(channel) as _),
        answers: given.answers.unwrap_or_default(),
        state: given.state,
    }
}
