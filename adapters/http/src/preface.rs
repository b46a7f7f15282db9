//! Which HTTP a client without TLS speaks: HTTP/2 begins with a preface that no request of HTTP/1.1
//! can begin with (RFC 9113 §3.3, §3.4).

use std::io;
use std::io::Cursor;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, join};
use tokio::net::TcpStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The version of HTTP that a connection carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    Http1,
    Http2,
}

/// Reads no more than it takes to tell; the stream it returns gives these bytes once more.
///
/// It waits for as long as the client may still mean either: whoever calls it sets the deadline.
pub(crate) async fn detect(
    mut stream: TcpStream,
) -> io::Result<(Spoken, impl AsyncRead + AsyncWrite + Send + Unpin)> {
    let mut first = Vec::with_capacity(PREFACE.len());
    let spoken = loop {
        let read = stream.read_buf(&mut first).await?;
        if first.starts_with(PREFACE) {
            break Spoken::Http2;
        }
        if read == 0 || !PREFACE.starts_with(&first) {
            break Spoken::Http1;
        }
    };
    let (rest, write) = stream.into_split();
    Ok((spoken, join(Cursor::new(first).chain(rest), write)))
}
