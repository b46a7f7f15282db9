//! What happens on a connection before, while and after a request is answered, over real sockets.

#![expect(clippy::unwrap_used, reason = "a connection that can't go on fails its test")]

mod cancellation;
mod certificates;
mod http1;
mod http2;
mod server;
mod shutdown;
mod tls;
