//! The catalog of one document's operations.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::StatusCode;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use mcp_oauth_core::domain::tool::{CallError, Reply, ToolCall, ToolDescription, ToolOutput};
use mcp_oauth_core::port::{CallContext, Clock, ToolCatalog};
use reqwest::Response;
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use super::answer::AnswerReader;
use super::caller;
use super::config::{CallLimits, OpenApiConfig};
use super::credentials::{Authentication, Authenticator};
use super::http_client::HttpClient;
use super::load::{self, Loaded};
use super::operation::Operation;
use super::problem::{OpenApiProblem, SkippedOperation};
use super::request::{self, Prepared};
use super::tool_name;

/// Tools made of an OpenAPI document. It never changes: [`Self::load`] anew, and put the result in
/// its place.
pub struct OpenApiCatalog {
    name: String,
    operations: BTreeMap<String, Arc<Operation>>,
    skipped: Vec<SkippedOperation>,
    http: HttpClient,
    authenticator: Authenticator,
    headers: HeaderMap,
    caller_header: Option<HeaderName>,
    limits: CallLimits,
    turns: Semaphore,
}

/// What a call must have left of its time when its turn comes: it would be stopped before anybody
/// could answer, and the service would do the work for nothing.
const LEAST_LEFT: Duration = Duration::from_millis(50);

impl OpenApiCatalog {
    /// Reads the document and makes the tools. Nothing but the document is asked for.
    ///
    /// # Errors
    /// [`OpenApiProblem`]. An operation that can't be used is no error: see [`Self::skipped`].
    pub async fn load(
        config: OpenApiConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenApiProblem> {
        let setting = |setting, reason| OpenApiProblem::Setting {
            name: config.name.clone(),
            setting,
            reason,
        };
        if !tool_name::is_prefix(&config.prefix) {
            let reason = "it takes up to 64 of A-Z, a-z, 0-9, '_', '-' and '.'".to_owned();
            return Err(setting("prefix", reason));
        }
        let headers = headers(&config).map_err(|reason| setting("headers", reason))?;
        let caller_header = config.caller_header.as_deref().map(header_name).transpose();
        let caller_header = caller_header.map_err(|reason| setting("caller_header", reason))?;
        let http = HttpClient::new(&config.limits).map_err(|reason| setting("openapi", reason))?;
        let authenticator = Authenticator::new(config.credentials.clone(), http.clone(), clock)
            .map_err(|reason| setting("credentials", reason))?;
        let text = super::source::read(&config, &http).await?;
        let (config, loaded) = loaded(config, text).await?;
        Ok(Self {
            name: config.name,
            operations: loaded.operations,
            skipped: loaded.skipped,
            http,
            authenticator,
            headers,
            caller_header,
            turns: Semaphore::new(config.limits.max_concurrent_calls.max(1)),
            limits: config.limits,
        })
    }

    /// The operations that were selected and can't be used, with the reasons; each has been logged.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedOperation] {
        &self.skipped
    }

    /// Waits for a turn, and asks.
    async fn run(
        &self,
        operation: &Operation,
        prepared: &Prepared,
        context: &CallContext,
    ) -> ToolOutput {
        let deadline = Instant::now() + self.limits.timeout;
        let Ok(Ok(_turn)) = timeout_at(deadline - LEAST_LEFT, self.turns.acquire()).await else {
            return ToolOutput::failure(format!(
                "{} has too much to do at the moment: nothing was asked of it within {} seconds. \
                 Try again later.",
                self.name,
                self.limits.timeout.as_secs()
            ));
        };
        let asked = timeout_at(deadline, self.ask(operation, prepared, context)).await;
        asked.unwrap_or_else(|_| self.late(prepared))
    }

    async fn ask(
        &self,
        operation: &Operation,
        prepared: &Prepared,
        context: &CallContext,
    ) -> ToolOutput {
        let answer =
            AnswerReader { server: &self.name, operation, most: self.limits.max_response_bytes };
        let first = self.send(prepared, context).await;
        let (response, authentication) = match first {
            Ok(answered) => answered,
            Err(failure) => return failure,
        };
        if response.status() != StatusCode::UNAUTHORIZED
            || !self.authenticator.was_refused(&authentication)
        {
            return answer.read(response).await;
        }
        // Once more with another token: this one ended before its time.
        match self.send(prepared, context).await {
            Ok((response, _)) => answer.read(response).await,
            Err(failure) => failure,
        }
    }

    async fn send(
        &self,
        prepared: &Prepared,
        context: &CallContext,
    ) -> Result<(Response, Authentication), ToolOutput> {
        let failure = |reason: &str| {
            ToolOutput::failure(format!("{} could not be called: {reason}.", self.name))
        };
        let authentication = self.authenticator.authentication(context).await;
        let authentication = authentication.map_err(|problem| failure(&problem.to_string()))?;
        let mut headers = self.headers.clone();
        if let Some(name) = &self.caller_header {
            let unnamed = || failure("the caller's name can't stand in a header");
            headers.insert(name, caller::header_value(&context.caller).ok_or_else(unnamed)?);
        }
        let mut query = None;
        match &authentication {
            Authentication::Nothing => {}
            Authentication::Header(name, value) => {
                headers.insert(name, value.clone());
            }
            Authentication::Token(value, _) => {
                headers.insert(http::header::AUTHORIZATION, value.clone());
            }
            Authentication::Query(name, value) => {
                query = Some((name.as_str(), value.expose_secret()));
            }
        }
        let request = prepared.request(&headers, query).map_err(|reason| failure(&reason))?;
        match self.http.send(request).await {
            Ok(response) => Ok((response, authentication)),
            Err(error) => {
                let reason = &error.detail;
                tracing::warn!(catalog = self.name, reason, "an operation gave no answer");
                Err(ToolOutput::failure(format!("{} {}.", self.name, error.sentence())))
            }
        }
    }

    fn late(&self, prepared: &Prepared) -> ToolOutput {
        let seconds = self.limits.timeout.as_secs();
        let mut text = format!("{} did not answer within {seconds} seconds.", self.name);
        if !prepared.method().is_safe() {
            text.push_str(" It may have done what was asked all the same: look before you repeat.");
        }
        ToolOutput::failure(text)
    }
}

/// On a thread that may be kept: the largest documents take a second.
async fn loaded(
    config: OpenApiConfig,
    text: Vec<u8>,
) -> Result<(OpenApiConfig, Loaded), OpenApiProblem> {
    let (name, document) = (config.name.clone(), config.document.to_string());
    let work = tokio::task::spawn_blocking(move || {
        let loaded = load::load(&config, &text)?;
        Ok((config, loaded))
    });
    work.await.unwrap_or_else(|error| {
        Err(OpenApiProblem::Malformed { name, document, reason: error.to_string() })
    })
}

fn headers(config: &OpenApiConfig) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &config.headers {
        let value = HeaderValue::from_str(value.expose_secret());
        let mut value = value
            .map_err(|_| format!("the value of {name:?} has characters that no header has"))?;
        value.set_sensitive(true);
        headers.insert(header_name(name)?, value);
    }
    Ok(headers)
}

/// A header that an operator may set: not one that the transport sets.
fn header_name(name: &str) -> Result<HeaderName, String> {
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("{name:?} is no name of a header"))?;
    let transport = ["host", "content-length", "transfer-encoding", "connection", "content-type"];
    if transport.contains(&parsed.as_str()) {
        return Err(format!("{name:?} is set by the transport"));
    }
    Ok(parsed)
}

#[async_trait]
impl ToolCatalog for OpenApiCatalog {
    async fn list(&self) -> Vec<Arc<ToolDescription>> {
        self.operations.values().map(|it| Arc::clone(&it.description)).collect()
    }

    async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>> {
        self.operations.get(name).map(|it| Arc::clone(&it.description))
    }

    async fn call(
        &self,
        call: ToolCall,
        context: CallContext,
    ) -> Result<Reply<ToolOutput>, CallError> {
        let Some(operation) = self.operations.get(&call.name) else {
            return Err(CallError::Unknown(call.name));
        };
        let prepared = request::prepare(&operation.plan, &call.arguments)
            .map_err(CallError::InvalidArguments)?;
        Ok(self.run(operation, &prepared, &context).await.into())
    }
}

/// Its name and how much there is of it.
impl fmt::Debug for OpenApiCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenApiCatalog")
            .field("name", &self.name)
            .field("operations", &self.operations.len())
            .finish_non_exhaustive()
    }
}
