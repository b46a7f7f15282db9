//! Which address a request comes from, for limits and for the log. No URL is ever made of it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use thiserror::Error;

/// How much of an IPv6 address names its owner: a network is handed out whole, and whoever has one
/// has 2^64 addresses.
const IPV6_NETWORK_BITS: u32 = 64;

/// The address of whoever sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The address; an IPv4 address in IPv6 clothes (RFC 4291 §2.5.5.2) is the IPv4 address.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The address itself.
    #[must_use]
    pub fn ip(&self) -> IpAddr {
        self.0
    }

    /// What limits count: an IPv4 address, or the first address of an IPv6 /64.
    #[must_use]
    pub fn network(&self) -> Self {
        match self.0 {
            IpAddr::V4(_) => *self,
            IpAddr::V6(address) => {
                let host = u128::MAX >> IPV6_NETWORK_BITS;
                Self(Ipv6Addr::from_bits(address.to_bits() & !host).into())
            }
        }
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a request says about the way it took: the values of each header, in their order.
#[derive(Debug, Clone, Default)]
pub struct ForwardingHeaders<'a> {
    /// `X-Forwarded-For`.
    pub x_forwarded_for: Vec<&'a [u8]>,
    /// `Forwarded` (RFC 7239).
    pub forwarded: Vec<&'a [u8]>,
}

/// The proxies whose word counts. Without any, a request comes from its peer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// Why a text names no proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidProxy {
    /// It is no address and no network.
    #[error("it is neither an IP address nor a network such as 10.0.0.0/8")]
    NotANetwork,
    /// Everybody would be trusted to say who they are.
    #[error("it is every address there is")]
    Everybody,
}

impl TrustedProxies {
    /// Adds an address, or a network in CIDR notation.
    ///
    /// # Errors
    /// [`InvalidProxy`].
    pub fn with(mut self, proxy: &str) -> Result<Self, InvalidProxy> {
        let network = match (proxy.parse::<IpAddr>(), proxy.parse::<IpNet>()) {
            (Ok(address), _) => IpNet::from(address.to_canonical()),
            (_, Ok(network)) if network.prefix_len() == 0 => return Err(InvalidProxy::Everybody),
            (_, Ok(network)) => network,
            _ => return Err(InvalidProxy::NotANetwork),
        };
        self.0.push(network);
        Ok(self)
    }

    /// Whether this peer's word counts.
    #[must_use]
    pub fn trusts(&self, peer: ClientAddress) -> bool {
        self.0.iter().any(|network| network.contains(&peer.0))
    }

    /// Where a request comes from that `peer` delivered.
    ///
    /// What an untrusted peer says about others is not read. A trusted proxy adds the address it
    /// heard the request from at the end of a list; what stands left of the first address that is no
    /// trusted proxy was written by that one, and is not read either. When that address can't be
    /// read, or when the two headers disagree (the proxy keeps one of them, and anybody may have
    /// written the other), it is the peer.
    #[must_use]
    pub fn client(&self, peer: ClientAddress, headers: &ForwardingHeaders<'_>) -> ClientAddress {
        if !self.trusts(peer) {
            return peer;
        }
        let x_forwarded_for = self.sender(&headers.x_forwarded_for, |element| Some(element));
        let forwarded = self.sender(&headers.forwarded, for_parameter);
        match (x_forwarded_for, forwarded) {
            (Hop::Unsaid, Hop::Unsaid) => peer,
            (Hop::From(client), Hop::Unsaid) | (Hop::Unsaid, Hop::From(client)) => client,
            (Hop::From(client), Hop::From(same)) if client == same => client,
            _ => peer,
        }
    }

    /// The last address of a list that is no trusted proxy; when all are, the first.
    fn sender(&self, values: &[&[u8]], node: fn(&str) -> Option<&str>) -> Hop {
        let read = |element| node(str::from_utf8(element).ok()?.trim()).and_then(address);
        let backwards = values.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b','));
        let mut sender = Hop::Unsaid;
        for hop in backwards.map(read) {
            let Some(address) = hop else { return Hop::Illegible };
            sender = Hop::From(address);
            if !self.trusts(address) {
                break;
            }
        }
        sender
    }
}

/// What a header says about who sent the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hop {
    Unsaid,
    From(ClientAddress),
    Illegible,
}

/// The node of a `for=` (RFC 7239 §4), without its quotes. A quoted comma would be that of an
/// obfuscated name, which is no address anyway.
fn for_parameter(element: &str) -> Option<&str> {
    let parameters = element.split(';').filter_map(|parameter| parameter.split_once('='));
    let mut nodes = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    let (_, node) = nodes.next()?;
    let node = node.trim();
    Some(node.strip_prefix('"').and_then(|open| open.strip_suffix('"')).unwrap_or(node))
}

/// An address, with or without brackets, with or without a port.
fn address(node: &str) -> Option<ClientAddress> {
    let bare = node.strip_prefix('[').and_then(|open| open.strip_suffix(']'));
    let address = match bare {
        Some(bare) => bare.parse::<Ipv6Addr>().ok().map(IpAddr::from),
        None => node
            .parse::<IpAddr>()
            .or_else(|_| node.parse().map(|socket: SocketAddr| socket.ip()))
            .ok(),
    };
    address.map(ClientAddress::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> ClientAddress {
        ClientAddress::new(text.parse().unwrap())
    }

    fn proxies() -> TrustedProxies {
        let one = TrustedProxies::default().with("10.0.0.0/8").unwrap();
        one.with("192.0.2.1").unwrap().with("fd00::/8").unwrap()
    }

    /// Who sent a request that `peer` delivered with these headers.
    fn client(peer: &str, x_forwarded_for: &[&str], forwarded: &[&str]) -> ClientAddress {
        let headers = ForwardingHeaders {
            x_forwarded_for: x_forwarded_for.iter().map(|value| value.as_bytes()).collect(),
            forwarded: forwarded.iter().map(|value| value.as_bytes()).collect(),
        };
        proxies().client(ip(peer), &headers)
    }

    #[test]
    fn co_03_what_an_untrusted_peer_says_is_not_used() {
        for peer in ["203.0.113.9", "192.0.2.2", "2001:db8::1"] {
            assert_eq!(client(peer, &["198.51.100.1"], &[]), ip(peer));
            assert_eq!(client(peer, &[], &["for=198.51.100.1"]), ip(peer));
        }
        let nobody = TrustedProxies::default();
        let headers =
            ForwardingHeaders { x_forwarded_for: vec![b"198.51.100.1"], forwarded: Vec::new() };
        assert_eq!(nobody.client(ip("127.0.0.1"), &headers), ip("127.0.0.1"));
    }

    #[test]
    fn co_03_of_a_trusted_proxy_the_last_untrusted_address_counts() {
        let sent: [(&[&str], &str); 9] = [
            (&["198.51.100.1"], "198.51.100.1"),
            (&["198.51.100.1, 10.1.1.1"], "198.51.100.1"),
            (&["6.6.6.6, 198.51.100.1,192.0.2.1 , 10.1.1.1"], "198.51.100.1"),
            (&["6.6.6.6", "198.51.100.1", "10.1.1.1"], "198.51.100.1"),
            (&["spoofed nonsense, 198.51.100.1"], "198.51.100.1"),
            (&["10.9.9.9, 10.1.1.1"], "10.9.9.9"),
            (&["198.51.100.1:4711"], "198.51.100.1"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["::ffff:198.51.100.1"], "198.51.100.1"),
        ];
        for (values, expected) in sent {
            assert_eq!(client("10.0.0.1", values, &[]), ip(expected), "{values:?}");
            assert_eq!(client("::ffff:10.0.0.1", values, &[]), ip(expected), "{values:?}");
        }
    }

    #[test]
    fn co_03_forwarded_is_read_as_rfc_7239_has_it() {
        let sent: [(&[&str], &str); 6] = [
            (&["for=198.51.100.1"], "198.51.100.1"),
            (&["For=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17"),
            (&["for=6.6.6.6, proto=https;for=198.51.100.1;by=203.0.113.43"], "198.51.100.1"),
            (&["for=198.51.100.1, for=10.1.1.1"], "198.51.100.1"),
            (&["for=_hidden, for=198.51.100.1"], "198.51.100.1"),
            (&["for=\"_a,b\"", "for=198.51.100.1"], "198.51.100.1"),
        ];
        for (values, expected) in sent {
            assert_eq!(client("10.0.0.1", &[], values), ip(expected), "{values:?}");
        }
    }

    #[test]
    fn co_03_a_header_that_cannot_be_read_leaves_the_proxy() {
        let lists = ["", "unknown", "198.51.100.1,", "198.51.100.1, x", "1.2.3", "[::1", "\u{e9}"];
        for list in lists {
            assert_eq!(client("10.0.0.1", &[list], &[]), ip("10.0.0.1"), "{list}");
        }
        for list in ["for=unknown", "for=_x", "by=198.51.100.1", "198.51.100.1", "for=\"1.2.3.4"] {
            assert_eq!(client("10.0.0.1", &[], &[list]), ip("10.0.0.1"), "{list}");
        }
    }

    #[test]
    fn co_03_headers_that_disagree_leave_the_proxy() {
        let (one, other) = ("198.51.100.1", "for=198.51.100.2");
        assert_eq!(client("10.0.0.1", &[one], &[other]), ip("10.0.0.1"));
        assert_eq!(client("10.0.0.1", &[one], &["for=_x"]), ip("10.0.0.1"));
        assert_eq!(client("10.0.0.1", &[one], &["for=198.51.100.1"]), ip(one));
    }

    #[test]
    fn a_network_is_an_ipv4_address_or_the_64_bits_that_an_owner_has() {
        assert_eq!(ip("198.51.100.1").network(), ip("198.51.100.1"));
        assert_eq!(ip("2001:db8:1:2:3:4:5:6").network(), ip("2001:db8:1:2::"));
        assert_ne!(ip("2001:db8:1:3::1").network(), ip("2001:db8:1:2::1").network());
    }

    #[test]
    fn a_proxy_is_an_address_or_a_network_and_never_everybody() {
        for (text, error) in [
            ("proxy.example", InvalidProxy::NotANetwork),
            ("", InvalidProxy::NotANetwork),
            ("10.0.0.0/33", InvalidProxy::NotANetwork),
            ("0.0.0.0/0", InvalidProxy::Everybody),
            ("::/0", InvalidProxy::Everybody),
        ] {
            assert_eq!(TrustedProxies::default().with(text), Err(error), "{text}");
        }
    }
}
