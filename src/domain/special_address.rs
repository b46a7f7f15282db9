//! IP addresses that no public server has: nothing a stranger names is fetched from there.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// The special-purpose blocks of RFC 6890 and the IANA IPv4 registry, multicast (RFC 5771) and the
/// one public address at which a cloud answers its guests.
const SPECIAL_V4: [Ipv4Net; 18] = [
    Ipv4Net::new_assert(Ipv4Addr::new(0, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10),
    Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(168, 63, 129, 16), 32),
    Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(172, 16, 0, 0), 12),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 0, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 31, 196, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 52, 193, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 88, 99, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 168, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(192, 175, 48, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 0, 0), 15),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 51, 100, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, reserved and broadcast.
    Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// Global unicast addresses; every other IPv6 address is special, v4-mapped, NAT64, unique local,
/// link-local and multicast ones among them.
const GLOBAL_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is special within [`GLOBAL_V6`] (IANA IPv6 registry): protocol assignments with Teredo,
/// documentation, 6to4, AS112.
const SPECIAL_V6: [Ipv6Net; 5] = [
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    Ipv6Net::new_assert(Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48),
    Ipv6Net::new_assert(Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is of special use, so that no public server can have it.
#[must_use]
pub fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => SPECIAL_V4.iter().any(|block| block.contains(&address)),
        IpAddr::V6(address) => {
            !GLOBAL_V6.contains(&address) || SPECIAL_V6.iter().any(|block| block.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_special(addresses: &str) {
        for text in addresses.split_whitespace() {
            assert!(is_special(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn ci_04_ipv4_addresses_of_special_use_are_known_to_their_edges() {
        assert_special(
            "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 \
             127.255.255.255 168.63.129.16 169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 \
             172.31.255.255 192.0.0.0 192.0.0.192 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 \
             192.168.0.0 192.168.255.255 192.175.48.1 198.18.0.0 198.19.255.255 198.51.100.1 \
             203.0.113.255 224.0.0.0 239.255.255.255 240.0.0.1 255.255.255.255",
        );
    }

    #[test]
    fn ci_04_ipv6_addresses_of_special_use_are_known_to_their_edges() {
        assert_special(
            ":: ::1 ::ffff:10.0.0.1 ::ffff:93.184.215.14 ::10.0.0.1 64:ff9b::a00:1 \
             64:ff9b::5db8:d70e 64:ff9b:1::a00:1 100::1 2001::1 \
             2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:10::1 2001:1ff::1 2001:db8::1 \
             2002:a00:1::1 2002:5db8:d70e::1 2620:4f:8000::1 3fff::1 3fff:fff::1 4000::1 5f00::1 \
             fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1",
        );
    }

    #[test]
    fn ci_04_public_addresses_are_not() {
        let public = "1.0.0.0 1.1.1.1 9.255.255.255 11.0.0.0 93.184.215.14 100.63.255.255 100.128.0.0 \
             126.255.255.255 128.0.0.0 168.63.129.17 169.253.255.255 169.255.0.0 \
             172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.167.255.255 \
             192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 2001:200::1 \
             2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1 2003::1 2606:4700:4700::1111 \
             2a00:1450::1 3ffe::1 3fff:1000::1";
        for text in public.split_whitespace() {
            assert!(!is_special(text.parse().unwrap()), "{text}");
        }
    }
}
