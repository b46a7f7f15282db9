//! Reading the body of an API request: its type, its size, its parameters.

use std::io;
use std::marker::PhantomData;

use http::header;
use mcp_oauth_core::domain::parameters::Parameters;
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::transport_error::TransportError;
use poem::error::ReadBodyError;
use poem::{Error, Request, RequestBody, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::api_answer::refusal_response;

/// The largest body of an OAuth request, in bytes.
pub(crate) const LARGEST_BODY: usize = 64 * 1024;

/// What was sent, documented by the schema of `S`.
pub(crate) struct Sent<B, S> {
    /// The body.
    pub(crate) body: B,
    documented_by: PhantomData<S>,
}

/// The parameters of a form.
pub(crate) type FormBody<S> = Sent<Parameters, S>;

/// A JSON document, parsed by the core.
pub(crate) type JsonBody<S> = Sent<Json, S>;

/// The bytes of a JSON document.
pub(crate) struct Json(pub(crate) Vec<u8>);

/// What a body can be read as.
pub(crate) trait BodyFormat: Sized + Send {
    /// Its media type.
    const CONTENT_TYPE: &'static str;

    /// Reads one.
    fn read(request: &Request, body: &mut RequestBody)
    -> impl Future<Output = Result<Self>> + Send;
}

impl BodyFormat for Json {
    const CONTENT_TYPE: &'static str = "application/json";

    async fn read(request: &Request, body: &mut RequestBody) -> Result<Self> {
        read_body(request, body, Self::CONTENT_TYPE).await.map(Self)
    }
}

impl BodyFormat for Parameters {
    const CONTENT_TYPE: &'static str = "application/x-www-form-urlencoded";

    /// No body at all is a form without parameters.
    async fn read(request: &Request, body: &mut RequestBody) -> Result<Self> {
        if request.content_type().is_none() && has_no_body(request) {
            return Ok(Self::default());
        }
        parameters(&read_body(request, body, Self::CONTENT_TYPE).await?)
    }
}

/// Reads a body of the given type and decent size.
async fn read_body(
    request: &Request,
    body: &mut RequestBody,
    expected: &'static str,
) -> Result<Vec<u8>> {
    let essence = request.content_type().and_then(|value| value.split(';').next());
    if !essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(expected)) {
        return Err(refused(&TransportError::ContentType { expected }));
    }
    let read = body.take()?.into_bytes_limit(LARGEST_BODY).await;
    read.map(Vec::from).map_err(|error| {
        refused(&match error {
            ReadBodyError::PayloadTooLarge => TransportError::BodyTooLarge { most: LARGEST_BODY },
            ReadBodyError::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                TransportError::BodyTooSlow
            }
            _ => TransportError::BodyUnreadable,
        })
    })
}

fn has_no_body(request: &Request) -> bool {
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH).map(|length| length.as_bytes());
    matches!(length, None | Some(b"0")) && !headers.contains_key(header::TRANSFER_ENCODING)
}

/// The parameters of the URI.
pub(crate) fn query_parameters(request: &Request) -> Result<Parameters> {
    parameters(request.uri().query().unwrap_or_default().as_bytes())
}

fn parameters(encoded: &[u8]) -> Result<Parameters> {
    Parameters::parse(encoded).map_err(|error| refused(&error.into()))
}

fn refused(error: &TransportError) -> Error {
    Error::from_response(refusal_response(Refusal::Transport(error)))
}

impl<'a, B: BodyFormat, S: Type> ApiExtractor<'a> for Sent<B, S> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        S::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let schema = S::schema_ref();
        let content = vec![MetaMediaType { content_type: B::CONTENT_TYPE, schema }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        Ok(Self { body: B::read(request, body).await?, documented_by: PhantomData })
    }
}
