//! TLS on a connection.

use std::sync::Arc;
use std::time::Duration;

use hyper::http::{StatusCode, Version};
use mcp_oauth_http::{ServerLimits, Tls, TlsCertificate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion, RootCertStore, version};

use crate::certificates::certificate;
use crate::http2::{Client, get};
use crate::server::{Server, echoing, patient, soon, start};

/// A server with a certificate, that certificate, and the means to replace it.
async fn tls_server(limits: ServerLimits) -> (Server, String, Tls) {
    let (chain, key) = certificate();
    let usable = TlsCertificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    let tls = Tls::new(usable).unwrap();
    (start(echoing(), Some(tls.clone()), limits).await, chain, tls)
}

/// A client that trusts one certificate, and offers `protocols` by ALPN.
fn client(trusted: &str, protocols: &[&str]) -> ClientConfig {
    let versions = &[&version::TLS13, &version::TLS12];
    of_version(trusted, protocols, versions)
}

fn of_version(
    trusted: &str,
    protocols: &[&str],
    versions: &[&'static tokio_rustls::rustls::SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider);
    let config = config.with_protocol_versions(versions).unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
    config
}

async fn connect(server: &Server, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(server.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    soon(TlsConnector::from(Arc::new(config)).connect(name, stream)).await
}

async fn ask_http1(stream: &mut TlsStream<TcpStream>) -> String {
    let head = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut answer = String::new();
    soon(stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

#[tokio::test]
async fn a_client_over_tls_gets_the_http_that_it_offers() {
    let (server, trusted, _) = tls_server(patient()).await;
    for offered in [&["h2"][..], &["http/1.1", "h2"]] {
        let stream = connect(&server, client(&trusted, offered)).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let answer = Client::over(stream).await.ask(get("https://localhost/")).await;
        assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
        assert_eq!(answer.headers()["x-scheme"], "https");
    }
    for offered in [&["http/1.1"][..], &[]] {
        let mut stream = connect(&server, client(&trusted, offered)).await.unwrap();
        let answer = ask_http1(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(answer.contains("x-scheme: https\r\n"), "{answer}");
    }
    assert!(connect(&server, client(&trusted, &["spdy/3"])).await.is_err());
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let (server, trusted, _) = tls_server(patient()).await;
    let spoken =
        [(&version::TLS12, ProtocolVersion::TLSv1_2), (&version::TLS13, ProtocolVersion::TLSv1_3)];
    for (offered, expected) in spoken {
        let config = of_version(&trusted, &[], &[offered]);
        let mut stream = connect(&server, config).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(expected));
        assert!(ask_http1(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn a_certificate_is_replaced_while_connections_go_on() {
    let (server, old, tls) = tls_server(patient()).await;
    let stream = connect(&server, client(&old, &["h2"])).await.unwrap();
    let mut open = Client::over(stream).await;
    let (new, key) = certificate();
    tls.replace(TlsCertificate::from_pem(new.as_bytes(), key.as_bytes()).unwrap());
    assert!(connect(&server, client(&old, &[])).await.is_err());
    let mut stream = connect(&server, client(&new, &[])).await.unwrap();
    assert!(ask_http1(&mut stream).await.starts_with("HTTP/1.1 200"));
    assert_eq!(open.ask(get("https://localhost/")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn co_04_a_connection_without_a_handshake_or_a_request_is_closed() {
    let limits = ServerLimits { header_timeout: Duration::from_millis(200), ..patient() };
    let (server, trusted, _) = tls_server(limits).await;
    let mut rest = Vec::new();
    // The beginning of a record of a handshake.
    for beginning in [&b""[..], b"\x16\x03\x01\x02\x00"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        soon(stream.read_to_end(&mut rest)).await.unwrap();
    }
    for offered in ["http/1.1", "h2"] {
        let mut stream = connect(&server, client(&trusted, &[offered])).await.unwrap();
        let _ = soon(stream.read_to_end(&mut rest)).await;
    }
}

#[tokio::test]
async fn whoever_speaks_no_tls_gets_no_answer_and_harms_nobody() {
    let (server, trusted, _) = tls_server(patient()).await;
    let mut plain = TcpStream::connect(server.address).await.unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    let _ = soon(plain.read_to_end(&mut said)).await;
    assert!(!said.starts_with(b"HTTP"), "{said:?}");
    let mut stream = connect(&server, client(&trusted, &[])).await.unwrap();
    assert!(ask_http1(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_server_with_tls_that_stops_answers_what_it_was_asked() {
    let (server, trusted, _) = tls_server(patient()).await;
    let stream = connect(&server, client(&trusted, &["h2"])).await.unwrap();
    let mut client = Client::over(stream).await;
    client.ask(get("https://localhost/")).await;
    let _no_handshake = TcpStream::connect(server.address).await.unwrap();
    server.stop.cancel();
    soon(client.connection).await.unwrap().unwrap();
    soon(server.running).await.unwrap();
}
