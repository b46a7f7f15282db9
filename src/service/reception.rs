//! The beginning of every request: it gets an id, and it is found out where it comes from, by network
//! and by browser.

use std::net::IpAddr;
use std::sync::Arc;

use super::policy::Policy;
use crate::domain::client_address::{ClientAddress, ForwardingHeaders};
use crate::domain::correlation::{CurrentRequest, RequestId};
use crate::domain::secret::BrowserToken;
use crate::port::Random;

/// Receives requests.
pub struct Reception {
    pub(super) random: Arc<dyn Random>,
    pub(super) policy: Arc<Policy>,
}

/// A request as it arrived.
#[derive(Debug, Clone, Default)]
pub struct Arrival<'a> {
    /// The other end of the connection.
    pub peer: Option<IpAddr>,
    /// What it says about who sent the request.
    pub forwarding: ForwardingHeaders<'a>,
    /// The id it gave the request.
    pub id: Option<&'a str>,
}

impl Reception {
    /// The request to answer. The word of a peer counts only when the operator trusts it, both for
    /// the address and for the id.
    #[must_use]
    pub fn receive(&self, arrival: &Arrival<'_>) -> Arc<CurrentRequest> {
        let proxies = &self.policy.trusted_proxies;
        let peer = arrival.peer.map(ClientAddress::new);
        let trusted = peer.is_some_and(|peer| proxies.trusts(peer));
        let given = arrival.id.filter(|_| trusted).and_then(RequestId::given);
        Arc::new(CurrentRequest {
            id: given.unwrap_or_else(|| RequestId::from_entropy(self.random.entropy())),
            address: peer.map(|peer| proxies.client(peer, &arrival.forwarding)),
        })
    }

    /// A token for a browser that has none.
    #[must_use]
    pub fn fresh_browser(&self) -> BrowserToken {
        BrowserToken::from_entropy(self.random.entropy())
    }
}
