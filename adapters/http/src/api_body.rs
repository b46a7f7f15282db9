//! Reading the body of an API request: its type, its size, its parameters.

use std::io;
use std::marker::PhantomData;

use http::{StatusCode, header};
use mcp_oauth_core::domain::parameters::Parameters;
use poem::error::ReadBodyError;
use poem::{Error, Request, RequestBody, Result};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::api_answer::error_response;

/// The largest body of an OAuth request, in bytes.
pub(crate) const LARGEST_BODY: usize = 1024 * 1024;

/// The parameters of a form, documented by the schema of `S`.
pub(crate) struct FormBody<S> {
    /// What was sent.
    pub(crate) parameters: Parameters,
    documented_by: PhantomData<S>,
}

/// The bytes of a JSON document, documented by the schema of `S` and parsed by the core.
pub(crate) struct JsonBody<S> {
    /// What was sent.
    pub(crate) bytes: Vec<u8>,
    documented_by: PhantomData<S>,
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Reads a body of the given type and decent size.
pub(crate) async fn read_body(
    request: &Request,
    body: &mut RequestBody,
    content_type: &'static str,
) -> Result<Vec<u8>> {
    let essence = request.content_type().and_then(|value| value.split(';').next());
    if !essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(content_type)) {
        let text = format!("the Content-Type has to be {content_type}");
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, &text));
    }
    match body.take()?.into_bytes_limit(LARGEST_BODY).await {
        Ok(bytes) => Ok(bytes.into()),
        Err(ReadBodyError::PayloadTooLarge) => {
            let text = format!("the body is larger than {LARGEST_BODY} bytes");
            Err(refused(StatusCode::PAYLOAD_TOO_LARGE, &text))
        }
        Err(ReadBodyError::Io(error)) if error.kind() == io::ErrorKind::TimedOut => {
            Err(refused(StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive"))
        }
        Err(_) => Err(refused(StatusCode::BAD_REQUEST, "the body could not be read")),
    }
}

/// Reads a form; no body at all is a form without parameters.
pub(crate) async fn read_form(request: &Request, body: &mut RequestBody) -> Result<Parameters> {
    if request.content_type().is_none() && has_no_body(request) {
        return Ok(Parameters::default());
    }
    let bytes = read_body(request, body, FORM).await?;
    Parameters::parse(&bytes).map_err(|error| refused(StatusCode::BAD_REQUEST, &error.to_string()))
}

fn has_no_body(request: &Request) -> bool {
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH).map(|length| length.as_bytes());
    matches!(length, None | Some(b"0")) && !headers.contains_key(header::TRANSFER_ENCODING)
}

/// The parameters of the URI.
pub(crate) fn query_parameters(request: &Request) -> Result<Parameters> {
    Parameters::parse(request.uri().query().unwrap_or_default().as_bytes())
        .map_err(|error| refused(StatusCode::BAD_REQUEST, &error.to_string()))
}

fn refused(status: StatusCode, description: &str) -> Error {
    Error::from_response(error_response(status, "invalid_request", description))
}

fn documented<S: Type>(content_type: &'static str) -> Option<MetaRequest> {
    let content = vec![MetaMediaType { content_type, schema: S::schema_ref() }];
    Some(MetaRequest { description: None, content, required: true })
}

impl<'a, S: Type> ApiExtractor<'a> for FormBody<S> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        S::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        documented::<S>(FORM)
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let parameters = read_form(request, body).await?;
        Ok(Self { parameters, documented_by: PhantomData })
    }
}

impl<'a, S: Type> ApiExtractor<'a> for JsonBody<S> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        S::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        documented::<S>(JSON)
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> Result<Self> {
        let bytes = read_body(request, body, JSON).await?;
        Ok(Self { bytes, documented_by: PhantomData })
    }
}
