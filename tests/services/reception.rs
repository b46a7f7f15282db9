//! Receiving a request: its id, and where it comes from.

use mcp_oauth_core::domain::client_address::ForwardingHeaders;
use mcp_oauth_core::service::reception::Arrival;

use crate::world::World;

/// An arrival that says it was forwarded for somebody, with an id.
fn arrival(peer: Option<&str>) -> Arrival<'static> {
    Arrival {
        peer: peer.map(|peer| peer.parse().unwrap()),
        forwarding: ForwardingHeaders {
            x_forwarded_for: vec![b"198.51.100.7"],
            forwarded: Vec::new(),
        },
        id: Some("given"),
    }
}

#[test]
fn co_03_only_a_trusted_proxy_says_where_a_request_comes_from() {
    let stage = World::new().open();
    let came_from = |peer| {
        let request = stage.use_cases.reception.receive(&arrival(peer));
        request.address.map(|address| address.to_string())
    };
    assert_eq!(came_from(Some("10.1.2.3")).as_deref(), Some("198.51.100.7"));
    assert_eq!(came_from(Some("203.0.113.9")).as_deref(), Some("203.0.113.9"));
    assert_eq!(came_from(Some("::ffff:203.0.113.9")).as_deref(), Some("203.0.113.9"));
    assert_eq!(came_from(None), None);
}

#[test]
fn co_05_only_a_trusted_proxy_gives_ids_and_all_others_are_fresh() {
    let stage = World::new().open();
    let id = |peer| stage.use_cases.reception.receive(&arrival(peer)).id.clone();
    assert_eq!(id(Some("10.1.2.3")).as_str(), "given");
    let fresh = [id(Some("203.0.113.9")), id(Some("203.0.113.9")), id(None)];
    assert_ne!(fresh[0], fresh[1]);
    assert_ne!(fresh[1], fresh[2]);
    assert!(fresh.iter().all(|id| id.as_str() != "given"));
}
