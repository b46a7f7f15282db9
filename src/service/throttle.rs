//! Who has to wait (RG-08, TK-16): which limits each step of the protocol is under.
//!
//! A budget for failures is looked at before something is tried and taken from only when it was
//! wrong. So any number of requests that are in order may be under way at once; of wrong ones that
//! are, a few more than the budget may get their answer.

use std::sync::Arc;

use crate::domain::client::{Client, ClientCredential, ClientId};
use crate::domain::limit::{Limited, Network, TooMany, UserKey};
use crate::port::RequestLimits;

/// The limits of the request that is being answered.
#[derive(Clone)]
pub(super) struct Throttle(Arc<dyn RequestLimits>);

impl Throttle {
    pub(super) fn new(limits: Arc<dyn RequestLimits>) -> Self {
        Self(limits)
    }

    /// A registration. The one network's share goes first, so that it can't use up everybody's.
    pub(super) fn registration(&self) -> Result<(), TooMany> {
        self.0.count(&Limited::Registration(Network::current()))?;
        self.0.count(&Limited::AllRegistrations)
    }

    /// A look at a registration, its change or its end.
    pub(super) fn management(&self) -> Result<(), TooMany> {
        self.0.count(&Limited::Registration(Network::current()))
    }

    /// The beginning of an authorization, or a consent form that came back.
    pub(super) fn authorization(&self) -> Result<(), TooMany> {
        self.0.count(&Limited::Authorization(Network::current()))
    }

    /// A login form that came back.
    pub(super) fn login(&self) -> Result<(), TooMany> {
        self.0.count(&Limited::Login(Network::current()))
    }

    /// A password about to be checked.
    pub(super) fn before_password(&self, user: &UserKey) -> Result<(), TooMany> {
        wrong_password(user).iter().try_for_each(|limited| self.0.check(limited))
    }

    /// It was wrong.
    pub(super) fn wrong_password(&self, user: &UserKey) {
        wrong_password(user).iter().for_each(|limited| self.take(limited));
    }

    /// A request for a token, about one or to end one, of anybody.
    pub(super) fn token(&self) -> Result<(), TooMany> {
        self.0.count(&Limited::Token(Network::current()))
    }

    /// A token request of a client that was recognised. The name of a public client proves nothing:
    /// counted by it alone, anybody could keep every user of the client out.
    pub(super) fn token_of(&self, client: &Client) -> Result<(), TooMany> {
        self.0.count(&match client.credential {
            ClientCredential::Public => {
                Limited::TokenOfPublicClient(&client.id, Network::current())
            }
            _ => Limited::TokenOfClient(&client.id),
        })
    }

    /// A client's proof about to be checked.
    pub(super) fn before_secret(&self, client: &ClientId) -> Result<(), TooMany> {
        self.0.check(&Limited::WrongSecret(client, Network::current()))
    }

    /// It was wrong.
    pub(super) fn wrong_secret(&self, client: &ClientId) {
        self.take(&Limited::WrongSecret(client, Network::current()));
    }

    /// A code or refresh token that was not issued to who sent it.
    ///
    /// It is counted afterwards only: the right one, 256 bits that nobody guesses at any speed,
    /// always gets through, whoever else is behind the same address.
    pub(super) fn wrong_grant(&self) -> Result<(), TooMany> {
        self.0.count(&Limited::WrongGrant(Network::current()))
    }

    /// Takes what is left; who comes with nothing left has been told before.
    fn take(&self, failure: &Limited<'_>) {
        let _ = self.0.count(failure);
    }
}

/// The strictest first: it is the one whose delay says most.
fn wrong_password(user: &UserKey) -> [Limited<'_>; 3] {
    let network = Network::current();
    [
        Limited::WrongPassword(user, network),
        Limited::WrongPasswordOfUser(user),
        Limited::WrongPasswordOfNetwork(network),
    ]
}
