//! Saying again what a client said, so that a server which does not know its session gets to where
//! the other one was.

use std::time::Duration;

use http::request::Parts;
use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, ClientNotification, InitializedNotification};
use rmcp::service::{RunningService, ServerInitializeError, serve_server_with_ct};
use rmcp::transport::WorkerTransport;
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionHandle, LocalSessionWorker, SessionError,
};
use thiserror::Error;
use tokio::task::JoinError;
use tokio::time::error::Elapsed;
use tokio_util::sync::CancellationToken;

use crate::client_setup::ClientSetup;
use crate::gate::{Admission, Authorized};
use crate::handler::Handler;

/// How long it may take; nothing of it calls a tool.
const LIMIT: Duration = Duration::from_secs(10);

/// A session that was brought back.
pub(crate) type Served = RunningService<RoleServer, Handler>;

/// Why it could not be.
#[derive(Debug, Error)]
pub(crate) enum ReplayFailed {
    #[error("it took longer than {} seconds", LIMIT.as_secs())]
    TooSlow(#[from] Elapsed),
    #[error(transparent)]
    Message(#[from] serde_json::Error),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error(transparent)]
    Handshake(#[from] Box<ServerInitializeError>),
    #[error(transparent)]
    Broken(#[from] JoinError),
}

/// Serves the session of `worker` from where the client of `setup` had brought it; `admission` is
/// that of the request which asks for it. It ends with `shutdown`.
pub(crate) async fn replay(
    handler: Handler,
    (handle, worker): (&LocalSessionHandle, LocalSessionWorker),
    setup: &ClientSetup,
    admission: &Admission,
    shutdown: &CancellationToken,
) -> Result<Served, ReplayFailed> {
    let ended = shutdown.child_token();
    let ends_unless_served = ended.clone().drop_guard();
    let served = tokio::time::timeout(LIMIT, async {
        let transport = WorkerTransport::spawn(worker);
        let serving = tokio::spawn(serve_server_with_ct(handler, transport, ended));
        handle.initialize(admitted(setup.first_message()?, admission)).await?;
        let initialized =
            ClientNotification::InitializedNotification(InitializedNotification::default());
        let initialized = ClientJsonRpcMessage::notification(initialized);
        handle.push_message(admitted(initialized, admission), None).await?;
        let served = serving.await?.map_err(Box::new)?;
        for setting in setup.settings() {
            let mut answer = handle.establish_request_wise_channel().await?;
            let setting = admitted(setting?, admission);
            handle.push_message(setting, answer.http_request_id).await?;
            while answer.inner.recv().await.is_some() {}
        }
        Ok::<_, ReplayFailed>(served)
    })
    .await??;
    ends_unless_served.disarm();
    Ok(served)
}

/// The message as the engine would hand it on, with the head of a request that was let in.
fn admitted(mut message: ClientJsonRpcMessage, admission: &Admission) -> ClientJsonRpcMessage {
    let (mut head, ()): (Parts, ()) = http::Request::new(()).into_parts();
    head.extensions.insert(Admission { authorized: Authorized::Nothing, ..admission.clone() });
    message.insert_extension(head);
    message
}
