//! A server on this machine with a certificate of its own authority, which says what it is told to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A name that only the test's own resolver knows.
pub(crate) const NAME: &str = "documents.example";

/// What the server does with a request.
pub(crate) enum Reply {
    /// Sends this and closes the connection.
    Text(String),
    /// Sends this and never anything more.
    Beginning(String),
}

/// A running server; it ends with the test.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    /// PEM of its authority.
    pub(crate) authority: String,
    script: Arc<Script>,
}

#[derive(Default)]
struct Script {
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<String>>,
    connections: Mutex<usize>,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        let (authority, tls) = authority_and_tls();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Script::default());
        tokio::spawn(accept(listener, tls, Arc::clone(&script)));
        Self { address, authority, script }
    }

    /// What it says to the next request nothing was said about yet.
    pub(crate) fn will(&self, reply: Reply) {
        self.script.replies.lock().unwrap().push_back(reply);
    }

    /// An answer with a status, headers and a body of announced length.
    pub(crate) fn will_answer(&self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
        self.will(Reply::Text(text));
    }

    /// An address on the server, by its IP.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    /// An address on the server, by its name.
    pub(crate) fn named_url(&self, path: &str) -> String {
        format!("https://{NAME}:{}{path}", self.address.port())
    }

    /// The head of every request so far, in lower case.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.script.requests.lock().unwrap().clone()
    }

    /// How many connections were made so far.
    pub(crate) fn connections(&self) -> usize {
        *self.script.connections.lock().unwrap()
    }
}

fn authority_and_tls() -> (String, TlsAcceptor) {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1", "localhost", NAME].map(str::to_owned);
    let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    (pem, TlsAcceptor::from(Arc::new(config)))
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, script: Arc<Script>) {
    while let Ok((stream, _)) = listener.accept().await {
        *script.connections.lock().unwrap() += 1;
        tokio::spawn(serve(stream, tls.clone(), Arc::clone(&script)));
    }
}

/// One request a connection.
async fn serve(stream: TcpStream, tls: TlsAcceptor, script: Arc<Script>) {
    let Ok(mut stream) = tls.accept(stream).await else { return };
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    script.requests.lock().unwrap().push(String::from_utf8(head).unwrap().to_lowercase());
    let reply = script.replies.lock().unwrap().pop_front();
    match reply {
        Some(Reply::Text(text)) => {
            // Whoever has read enough closes the connection while this still writes.
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Some(Reply::Beginning(text)) => {
            let _ = stream.write_all(text.as_bytes()).await;
            std::future::pending().await
        }
        None => {}
    }
}
