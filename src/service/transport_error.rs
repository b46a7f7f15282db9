//! What is wrong with a request before any use case has seen it.

use thiserror::Error;

use crate::domain::parameters::ParameterError;

/// Why a request gets to no use case.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransportError {
    /// Nothing is served at the path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The path is served, by another method.
    #[error("this path does not serve this method")]
    MethodNotAllowed,
    /// The body is of another type.
    #[error("the Content-Type has to be {expected}")]
    ContentType {
        /// The one that is taken.
        expected: &'static str,
    },
    /// The body is too large.
    #[error("the body is larger than {most} bytes")]
    BodyTooLarge {
        /// In bytes.
        most: usize,
    },
    /// The body stopped arriving.
    #[error("the body took too long to arrive")]
    BodyTooSlow,
    /// The body broke off.
    #[error("the body could not be read")]
    BodyUnreadable,
    /// The target of the request is too long.
    #[error("the address is longer than {most} bytes")]
    UriTooLong {
        /// In bytes.
        most: usize,
    },
    /// The headers are too many or too large.
    #[error("there are more than {most_fields} headers, or more than {most_bytes} bytes of them")]
    HeadersTooLarge {
        /// How many there may be.
        most_fields: usize,
        /// How many bytes of names and values.
        most_bytes: usize,
    },
    /// It names no host, or several.
    #[error("a request names exactly one host (RFC 9112 §3.2)")]
    NotOneHost,
    /// A page elsewhere may have had a name of its own resolved to this machine.
    #[error("with a loopback base_url only loopback hosts are served; set base_url")]
    ForeignHost,
    /// It was sent by a page that may not use this path.
    #[error("pages of this Origin are not allowed; the setting is allowed_origins")]
    ForeignOrigin,
    /// The parameters can't be used whatever they mean.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// It is wrong in another way.
    #[error("{0}")]
    Malformed(String),
    /// Answering failed; the reason is for the log.
    #[error("{0}")]
    Failed(String),
}
