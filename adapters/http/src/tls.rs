//! TLS: which certificate this server shows, and how another takes its place while connections go on.

use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, InconsistentKeys, ServerConfig};
use tokio_rustls::server::TlsStream;

/// What ALPN calls HTTP/2 (RFC 9113 §3.2).
pub(crate) const ALPN_HTTP2: &[u8] = b"h2";

/// What ALPN calls HTTP/1.1 (RFC 7301 §6).
const ALPN_HTTP1: &[u8] = b"http/1.1";

/// A certificate with those that vouch for it, and its private key.
pub struct TlsCertificate(Arc<CertifiedKey>);

/// Why a certificate and a key are no good. No text of theirs is repeated.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnusableCertificate {
    /// Nothing in the certificate's text is one.
    #[error("there is no certificate in it: PEM, from BEGIN CERTIFICATE to END CERTIFICATE")]
    NoCertificate,
    /// Something is called a certificate, and is none.
    #[error("the certificate in it can't be read")]
    BrokenCertificate,
    /// Nothing in the key's text is one.
    #[error(
        "there is no private key in it: PEM, from BEGIN PRIVATE KEY to END PRIVATE KEY, without a \
         password"
    )]
    NoKey,
    /// Something is called a key, and is none that TLS can use.
    #[error("the private key in it can't be read; RSA, ECDSA and Ed25519 keys can be")]
    BrokenKey,
    /// Each is fine, but they do not belong together.
    #[error("the private key in it is not that of the certificate")]
    ForeignKey,
    /// The TLS library refuses to work.
    #[error("TLS can't be set up: {0}")]
    Tls(String),
}

/// TLS 1.2 and 1.3 by one certificate at a time; a clone shows the same one.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    shown: Arc<Shown>,
}

/// The certificate of the handshakes to come.
struct Shown(RwLock<Arc<CertifiedKey>>);

impl TlsCertificate {
    /// Reads a chain, the server's own certificate first, and its key, both in PEM.
    ///
    /// # Errors
    /// [`UnusableCertificate`] says which of the two is wrong, and how.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, UnusableCertificate> {
        let chain = read_chain(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| match error {
            pem::Error::NoItemsFound => UnusableCertificate::NoKey,
            _ => UnusableCertificate::BrokenKey,
        })?;
        let provider = aws_lc_rs::default_provider();
        let key = provider.key_provider.load_private_key(key);
        let key = key.map_err(|_| UnusableCertificate::BrokenKey)?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
                Ok(Self(Arc::new(certified)))
            }
            Err(rustls::Error::InconsistentKeys(_)) => Err(UnusableCertificate::ForeignKey),
            Err(_) => Err(UnusableCertificate::BrokenCertificate),
        }
    }
}

fn read_chain(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, UnusableCertificate> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(UnusableCertificate::NoCertificate),
        Ok(chain) => Ok(chain),
        Err(_) => Err(UnusableCertificate::BrokenCertificate),
    }
}

impl UnusableCertificate {
    /// Whether it is the key that has to be corrected.
    #[must_use]
    pub fn is_about_the_key(&self) -> bool {
        matches!(self, Self::NoKey | Self::BrokenKey | Self::ForeignKey)
    }
}

impl Tls {
    /// TLS that shows `certificate`, and offers HTTP/2 and HTTP/1.1.
    ///
    /// # Errors
    /// [`UnusableCertificate::Tls`] when the library lacks what it needs.
    pub fn new(certificate: TlsCertificate) -> Result<Self, UnusableCertificate> {
        let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
        let shown = Arc::new(Shown(RwLock::new(certificate.0)));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| UnusableCertificate::Tls(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as _);
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), shown })
    }

    /// Shows another certificate from the next handshake on; connections that are open go on.
    pub fn replace(&self, certificate: TlsCertificate) {
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = certificate.0;
    }

    /// The server's side of the handshake.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").finish_non_exhaustive()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl fmt::Debug for TlsCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsCertificate").finish_non_exhaustive()
    }
}
