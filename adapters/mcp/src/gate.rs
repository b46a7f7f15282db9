//! Who may pass: every request is authenticated, and the use of every tool, prompt and resource
//! authorized, before anything else of it is looked at (OAuth 2.1 §5, MCP authorization).

use std::sync::Arc;

use http::header::{AUTHORIZATION, CACHE_CONTROL, HOST, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use mcp_oauth_core::domain::correlation::CurrentRequest;
use mcp_oauth_core::domain::principal::Principal;
use mcp_oauth_core::domain::public_address::PublicAddress;
use mcp_oauth_core::domain::resource::ResourceDocument;
use mcp_oauth_core::service::UseCases;
use mcp_oauth_core::service::access::{Access, AccessError};
use mcp_oauth_core::service::prompts::{AuthorizedCompletion, AuthorizedPrompt, Prompts};
use mcp_oauth_core::service::refusal::{Refusal, Row};
use mcp_oauth_core::service::resources::{AuthorizedResource, Resources};
use mcp_oauth_core::service::tools::{AuthorizedTool, Tools};
use poem::{Request, Response};
use rmcp::model::{ErrorCode, RequestId};
use serde_json::{Map, Value};

use crate::accept::JSON;
use crate::call_target::Target;
use crate::containment::{CHEAP_LIMIT, contained};
use crate::json_rpc_error::{Refused, refused};
use crate::open_requests::{OpenRequest, OpenRequests};

/// Lets authenticated requests pass.
#[derive(Clone)]
pub(crate) struct Gate {
    access: Arc<Access>,
    tools: Arc<Tools>,
    prompts: Arc<Prompts>,
    resources: Arc<Resources>,
    address: Arc<PublicAddress>,
    document: ResourceDocument,
    open_requests: OpenRequests,
}

/// What a request was let in for. It travels with the message to the handler.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    /// Who is calling.
    pub(crate) caller: Arc<Principal>,
    /// What they may do.
    pub(crate) authorized: Authorized,
    /// The request that brought the message: the engine runs calls in tasks of their own.
    pub(crate) request: Option<Arc<CurrentRequest>>,
    /// Counts it among those of the caller for as long as the message is dealt with.
    pub(crate) _open: OpenRequest,
}

/// What was authorized before the message went to the engine.
#[derive(Debug, Clone, Default)]
pub(crate) enum Authorized {
    /// Nothing that needs it.
    #[default]
    Nothing,
    /// A call.
    Tool(AuthorizedTool),
    /// Filling in a prompt.
    Prompt(AuthorizedPrompt),
    /// Completing an argument.
    Completion(AuthorizedCompletion),
    /// Reading or watching a resource.
    Resource(AuthorizedResource),
    /// Watching resources.
    Resources(Vec<AuthorizedResource>),
}

impl Admission {
    /// A caller who was let in by the current request.
    pub(crate) fn of(caller: Arc<Principal>, open: &OpenRequest) -> Self {
        Self {
            caller,
            authorized: Authorized::Nothing,
            request: CurrentRequest::current(),
            _open: open.clone(),
        }
    }
}

impl Gate {
    /// A gate whose challenges name `document`.
    pub(crate) fn new(
        use_cases: &UseCases,
        document: ResourceDocument,
        open_requests: &OpenRequests,
    ) -> Self {
        Self {
            access: Arc::clone(&use_cases.access),
            tools: Arc::clone(&use_cases.tools),
            prompts: Arc::clone(&use_cases.prompts),
            resources: Arc::clone(&use_cases.resources),
            address: Arc::clone(&use_cases.address),
            document,
            open_requests: open_requests.clone(),
        }
    }

    /// Authenticates a request by its headers; a token in the query is not even read.
    pub(crate) async fn authenticate(&self, request: &Request) -> Result<Arc<Principal>, Refused> {
        let values = request.headers().get_all(AUTHORIZATION);
        let values: Vec<&[u8]> = values.iter().map(HeaderValue::as_bytes).collect();
        match self.access.authenticate(&values).await {
            Ok(caller) => Ok(Arc::new(caller)),
            Err(error) => Err(self.refuse(&error, request.headers())),
        }
    }

    /// Counts a request of a caller who was authenticated among those that are open.
    pub(crate) fn open(&self, caller: &Principal) -> Result<OpenRequest, Refused> {
        self.open_requests.open(caller)
    }

    /// Authorizes what the request of that id is about, before anything of it runs.
    pub(crate) async fn authorize(
        &self,
        caller: &Arc<Principal>,
        target: Option<Target<'_>>,
        id: &RequestId,
        headers: &HeaderMap,
    ) -> Result<Authorized, Refused> {
        let Some(target) = target else { return Ok(Authorized::Nothing) };
        let authorized = contained(CHEAP_LIMIT, self.may_use(caller, target)).await;
        authorized
            .map_err(|broken| {
                tracing::error!(%broken, "the catalog failed to say what something needs");
                let text = "the catalog is not available";
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                refused(status, ErrorCode::INTERNAL_ERROR, Some(id.clone()), text)
            })?
            .map_err(|error| self.refuse_message(&error, id, headers))
    }

    /// The refusal of one message. Where no authorization would help, it is for whoever reads the
    /// answers of the client: clients show the errors of JSON-RPC, and not those of OAuth.
    fn refuse_message(&self, error: &AccessError, id: &RequestId, headers: &HeaderMap) -> Refused {
        let mut response = self.refuse(error, headers);
        if matches!(error, AccessError::NotPermitted { .. }) {
            let (id, text) = (Some(id.clone()), Refusal::Access(error).public_text());
            let status = response.status();
            response.set_body(refused(status, ErrorCode::INVALID_REQUEST, id, &text).take_body());
        }
        response
    }

    async fn may_use(
        &self,
        caller: &Arc<Principal>,
        target: Target<'_>,
    ) -> Result<Authorized, AccessError> {
        Ok(match target {
            Target::Tool(name) => Authorized::Tool(self.tools.authorize(caller, &name).await?),
            Target::Prompt(name) => {
                Authorized::Prompt(self.prompts.authorize(caller, &name).await?)
            }
            Target::Completion(of) => {
                Authorized::Completion(self.prompts.authorize_completion(caller, of).await?)
            }
            Target::Resource(uri) => {
                Authorized::Resource(self.resources.authorize(caller, &uri).await?)
            }
            Target::Resources(uris) => {
                Authorized::Resources(self.resources.authorize_all(caller, &uris).await?)
            }
        })
    }

    fn refuse(&self, error: &AccessError, headers: &HeaderMap) -> Refused {
        let refusal = Refusal::Access(error);
        let row = refusal.row();
        let mut response = Response::builder()
            .status(StatusCode::from_u16(row.status).unwrap_or(StatusCode::UNAUTHORIZED))
            .content_type(JSON)
            .header(CACHE_CONTROL, "no-store")
            .body(error_document(row, refusal.public_text()));
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let address = self.address.as_asked(host);
        let challenge = self.access.challenge(error, &address, self.document);
        let challenge = challenge.and_then(|it| HeaderValue::try_from(it.header_value()).ok());
        if let Some(challenge) = challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(retry_after) = row.retry_after {
            response.headers_mut().insert(RETRY_AFTER, retry_after.as_secs().into());
        }
        Box::new(response)
    }
}

/// RFC 6750 §3.1: no `error` when no credentials were sent.
fn error_document(row: Row, description: String) -> String {
    let mut document = Map::new();
    if !row.code.is_empty() {
        document.insert("error".to_owned(), row.code.into());
    }
    document.insert("error_description".to_owned(), description.into());
    Value::Object(document).to_string()
}
