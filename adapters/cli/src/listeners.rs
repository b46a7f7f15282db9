//! Taking the port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::TcpListener;

/// An address that can't be listened on.
pub(crate) struct NotListening {
    pub(crate) address: SocketAddr,
    pub(crate) error: io::Error,
}

/// Listeners on the host and port, all on one port.
///
/// People type `localhost`, `127.0.0.1` and `[::1]` alike, so a loopback host means both families.
pub(crate) async fn listen(
    host: IpAddr,
    port: u16,
) -> Result<(Vec<TcpListener>, u16), NotListening> {
    let first = bind(SocketAddr::new(host, port)).await?;
    let port = first.local_addr().map_or(port, |address| address.port());
    let mut listeners = vec![first];
    if host.is_loopback() {
        let other = match host {
            IpAddr::V4(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        match bind(SocketAddr::new(other, port)).await {
            Ok(second) => listeners.push(second),
            // Somebody else there would get the requests of those who type the other spelling.
            Err(taken) if taken.error.kind() == io::ErrorKind::AddrInUse => return Err(taken),
            Err(NotListening { error, .. }) => {
                tracing::debug!(%error, "this machine has only one loopback family");
            }
        }
    }
    Ok((listeners, port))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, NotListening> {
    TcpListener::bind(address).await.map_err(|error| NotListening { address, error })
}
