//! One request and its answer, whatever the version of HTTP.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request, Response, Version};
use http_body_util::BodyExt;
use http_body_util::combinators::BoxBody;
use hyper::body::{Bytes, Incoming};
use mcp_oauth_core::service::refusal::Refusal;
use mcp_oauth_core::service::transport_error::TransportError;
use poem::Endpoint;
use poem::web::{LocalAddr, RemoteAddr};

use crate::api_answer::refusal_response;
use crate::unread_body::watch;

/// The two ends of a connection, and whether TLS is between them.
#[derive(Clone)]
pub(crate) struct Ends {
    pub(crate) local: LocalAddr,
    pub(crate) remote: RemoteAddr,
    pub(crate) scheme: Scheme,
}

/// Lets `endpoint` answer a request. To drop the future is to cancel the request.
pub(crate) async fn answer<E>(
    endpoint: Arc<E>,
    mut request: Request<Incoming>,
    Ends { local, remote, scheme }: Ends,
) -> Result<Response<BoxBody<Bytes, io::Error>>, Infallible>
where
    E: Endpoint<Output = poem::Response>,
{
    if !names_one_host(&mut request) {
        return Ok(refusal_response(Refusal::Transport(&TransportError::NotOneHost)).into());
    }
    let version = request.version();
    let (parts, body) = request.into_parts();
    let (body, unread) = watch(body);
    let parts = poem::RequestParts::from((parts, local, remote, scheme));
    let request = poem::Request::from_parts(parts, body.boxed().into());
    let response = match endpoint.call(request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    };
    let mut response = response.into();
    unread.settle(&mut response, version).await;
    Ok(response)
}

/// Whether a request says in one voice where it is sent. hyper lets pass one that names no host, one
/// that names two, and one whose target names another.
///
/// HTTP/2 may name it in the target alone (`:authority`, RFC 9113 §8.3.1); after this it stands in
/// Host, where everything else looks for it.
fn names_one_host<B>(request: &mut Request<B>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (host, another) = (hosts.next(), hosts.next());
    let target = request.uri().authority();
    match (host, target) {
        _ if another.is_some() => false,
        (Some(host), Some(target)) => {
            has_no_user(target) && target.as_str().as_bytes() == host.as_bytes()
        }
        (Some(_), None) => true,
        (None, Some(target)) if request.version() == Version::HTTP_2 && has_no_user(target) => {
            let Ok(host) = HeaderValue::from_str(target.as_str()) else { return false };
            request.headers_mut().insert(HOST, host);
            true
        }
        (None, _) => false,
    }
}

/// A target names no user (RFC 9110 §4.2.4, RFC 9113 §8.3.1).
fn has_no_user(target: &Authority) -> bool {
    !target.as_str().contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_host(version: Version, target: &str, hosts: &[&str]) -> (bool, Option<String>) {
        let mut request = Request::builder().version(version).uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        let mut request = request.body(()).unwrap();
        let named = names_one_host(&mut request);
        let host = request.headers().get(HOST).map(|host| host.to_str().unwrap().to_owned());
        (named, host)
    }

    #[test]
    fn a_request_of_http_1_names_its_host_in_one_header() {
        let named = |target, hosts| one_host(Version::HTTP_11, target, hosts).0;
        assert!(named("/", &["a"]) && named("http://a/", &["a"]));
        assert!(!named("/", &[]) && !named("http://a/", &[]) && !named("/", &["a", "a"]));
        assert!(!named("http://b/", &["a"]) && !named("http://u@a/", &["u@a"]));
    }

    #[test]
    fn a_request_of_http_2_names_its_host_in_authority_or_host_or_twice_the_same() {
        let named = |target, hosts| one_host(Version::HTTP_2, target, hosts);
        let is_a = (true, Some("a:1".to_owned()));
        assert_eq!(named("http://a:1/", &[]), is_a);
        assert_eq!(named("http://a:1/", &["a:1"]), is_a);
        assert_eq!(named("/", &["a:1"]), is_a);
        for (target, hosts) in [
            ("/", &[][..]),
            ("http://a/", &["b"]),
            ("http://a/", &["a", "a"]),
            ("/", &["a", "b"]),
            ("http://user@a/", &[]),
        ] {
            assert!(!named(target, hosts).0, "{target} {hosts:?}");
        }
    }
}
