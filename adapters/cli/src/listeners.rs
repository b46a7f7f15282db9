//! Taking the port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

/// Listeners on the host and port, all on one port.
///
/// People type `localhost`, `127.0.0.1` and `[::1]` alike, so a loopback host means both families.
pub(crate) async fn listen(host: IpAddr, port: u16) -> io::Result<(Vec<TcpListener>, u16)> {
    let first = TcpListener::bind(SocketAddr::new(host, port)).await?;
    let port = first.local_addr()?.port();
    let mut listeners = vec![first];
    if host.is_loopback() {
        let other = match host {
            IpAddr::V4(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        match TcpListener::bind(SocketAddr::new(other, port)).await {
            Ok(second) => listeners.push(second),
            // Somebody else there would get the requests of those who type the other spelling.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => tracing::debug!(%error, "this machine has only one loopback family"),
        }
    }
    Ok((listeners, port))
}
