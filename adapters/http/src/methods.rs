//! Which methods a path serves; any other is told them (RFC 9110 §15.5.6).

use http::header::ALLOW;
use http::{HeaderValue, StatusCode};
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::transport_error::TransportError;
use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt, IntoEndpoint, IntoResponse, Request, Response, Result};

use crate::api_answer::refusal_response;

const GET: HeaderValue = HeaderValue::from_static("GET, HEAD");
const POST: HeaderValue = HeaderValue::from_static("POST");
const BOTH: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");

/// A path that serves GET.
pub(crate) fn get<E: IntoEndpoint>(endpoint: E) -> BoxEndpoint<'static, Response>
where
    E::Endpoint: 'static,
{
    telling(GET, poem::get(endpoint))
}

/// A path that serves POST.
pub(crate) fn post<E: IntoEndpoint>(endpoint: E) -> BoxEndpoint<'static, Response>
where
    E::Endpoint: 'static,
{
    telling(POST, poem::post(endpoint))
}

/// A path that serves GET by one endpoint and POST by another.
pub(crate) fn get_and_post<G, P>(got: G, posted: P) -> BoxEndpoint<'static, Response>
where
    G: IntoEndpoint<Endpoint: 'static>,
    P: IntoEndpoint<Endpoint: 'static>,
{
    telling(BOTH, poem::get(got).post(posted))
}

/// A path of the typed routes, which serve what their document says.
pub(crate) fn documented<E>(path: &serde_json::Value, endpoint: E) -> BoxEndpoint<'static, Response>
where
    E: Endpoint + 'static,
{
    let serves = |(name, method): &(&str, &'static str)| path.get(*name).map(|_| *method);
    let methods = [("get", "GET, HEAD"), ("post", "POST"), ("put", "PUT"), ("delete", "DELETE")];
    let allowed: Vec<_> = methods.iter().filter_map(serves).collect();
    telling(HeaderValue::from_str(&allowed.join(", ")).unwrap_or(GET), endpoint)
}

fn telling<E: Endpoint + 'static>(
    allowed: HeaderValue,
    endpoint: E,
) -> BoxEndpoint<'static, Response> {
    endpoint.around(move |next, request| tell(next, request, allowed.clone())).boxed()
}

async fn tell<E: Endpoint>(next: E, request: Request, allowed: HeaderValue) -> Result<Response> {
    match next.call(request).await {
        Ok(output) => Ok(output.into_response()),
        Err(error) if error.status() == StatusCode::METHOD_NOT_ALLOWED => {
            let refusal = Refusal::Transport(&TransportError::MethodNotAllowed);
            let mut response = refusal_response(refusal);
            response.headers_mut().insert(ALLOW, allowed);
            Ok(response)
        }
        Err(error) => Err(error),
    }
}
