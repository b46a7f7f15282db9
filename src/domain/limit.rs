//! How often things may be done: what is counted, for whom, and how much of it is too much.
//!
//! Hosted clients and offices come from few addresses. So what everybody does is limited generously,
//! and strictly only what goes wrong; a request that is in order never counts as a failure.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use super::client::ClientId;
use super::client_address::ClientAddress;
use super::correlation::CurrentRequest;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitedAction {
    /// Registering a client, by network.
    Registration,
    /// Registering a client, by everybody together: registrations are kept.
    AllRegistrations,
    /// Beginning an authorization, or sending a consent form, by network.
    Authorization,
    /// Sending a login form, by network.
    Login,
    /// Asking for a token, about one or to end one, by network.
    Token,
    /// Asking for a token, by client; a client that proves nothing counts by network, since anybody
    /// can use its name.
    TokenOfClient,
    /// Sending the wrong secret of a client, by client and network.
    WrongSecret,
    /// Sending the wrong password of a user, by user and network.
    WrongPassword,
    /// The same from all networks together; loosely, since it is the user who is kept out.
    WrongPasswordOfUser,
    /// The same for all users together, by network: one password tried on many.
    WrongPasswordOfNetwork,
    /// Sending a code or refresh token that was not issued to its sender, by network.
    WrongGrant,
}

impl LimitedAction {
    /// Every action, in the order of the settings.
    pub const ALL: [Self; 11] = [
        Self::Registration,
        Self::AllRegistrations,
        Self::Authorization,
        Self::Login,
        Self::Token,
        Self::TokenOfClient,
        Self::WrongSecret,
        Self::WrongPassword,
        Self::WrongPasswordOfUser,
        Self::WrongPasswordOfNetwork,
        Self::WrongGrant,
    ];

    /// Its name in the settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::AllRegistrations => "all_registrations",
            Self::Authorization => "authorization",
            Self::Login => "login",
            Self::Token => "token",
            Self::TokenOfClient => "token_of_client",
            Self::WrongSecret => "wrong_secret",
            Self::WrongPassword => "wrong_password",
            Self::WrongPasswordOfUser => "wrong_password_of_user",
            Self::WrongPasswordOfNetwork => "wrong_password_of_network",
            Self::WrongGrant => "wrong_grant",
        }
    }

    /// The action of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }

    /// How often it may be done unless the operator decides otherwise.
    const fn default_budget(self) -> Budget {
        let (burst, per_minute) = match self {
            Self::Registration => (30, 60),
            Self::AllRegistrations => (300, 600),
            Self::Authorization => (60, 120),
            Self::Login => (30, 60),
            Self::Token => (600, 1200),
            Self::TokenOfClient => (300, 600),
            Self::WrongSecret => (10, 10),
            Self::WrongPassword => (5, 5),
            Self::WrongPasswordOfUser | Self::WrongPasswordOfNetwork => (50, 30),
            Self::WrongGrant => (60, 60),
        };
        Budget { burst, per_minute }
    }
}

/// How often something may be done: so often at once, and then so often a minute, evenly spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    burst: u32,
    per_minute: u32,
}

/// A budget that lets nothing through, or everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("burst and per_minute are numbers from 1 to {}", Budget::MOST)]
pub struct InvalidBudget;

impl Budget {
    /// The most that can be asked for.
    pub const MOST: u32 = 1_000_000;

    /// A budget.
    ///
    /// # Errors
    /// [`InvalidBudget`] unless both are from 1 to [`Self::MOST`].
    pub fn new(burst: u32, per_minute: u32) -> Result<Self, InvalidBudget> {
        let range = 1..=Self::MOST;
        let fits = range.contains(&burst) && range.contains(&per_minute);
        fits.then_some(Self { burst, per_minute }).ok_or(InvalidBudget)
    }

    /// How often at once; at least 1.
    #[must_use]
    pub fn burst(self) -> u32 {
        self.burst
    }

    /// The time after which once more is free.
    #[must_use]
    pub fn interval(self) -> Duration {
        Duration::from_secs(60) / self.per_minute
    }
}

/// The budget of every action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitPolicy([Budget; LimitedAction::ALL.len()]);

impl Default for LimitPolicy {
    fn default() -> Self {
        Self(LimitedAction::ALL.map(LimitedAction::default_budget))
    }
}

impl LimitPolicy {
    /// The same policy with another budget for one action.
    #[must_use]
    pub fn with(mut self, action: LimitedAction, budget: Budget) -> Self {
        self.0[action as usize] = budget;
        self
    }

    /// The budget of an action.
    #[must_use]
    pub fn budget(&self, action: LimitedAction) -> Budget {
        self.0[action as usize]
    }
}

/// The network a request comes from; requests that came over none are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(Option<ClientAddress>);

impl Network {
    /// The network of an address.
    #[must_use]
    pub fn of(address: Option<ClientAddress>) -> Self {
        Self(address.map(|address| address.network()))
    }

    /// That of the request that is being answered.
    #[must_use]
    pub fn current() -> Self {
        Self::of(CurrentRequest::current().and_then(|request| request.address))
    }
}

/// One action of somebody: what is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limited<'a> {
    /// [`LimitedAction::Registration`].
    Registration(Network),
    /// [`LimitedAction::AllRegistrations`].
    AllRegistrations,
    /// [`LimitedAction::Authorization`].
    Authorization(Network),
    /// [`LimitedAction::Login`].
    Login(Network),
    /// [`LimitedAction::Token`].
    Token(Network),
    /// [`LimitedAction::TokenOfClient`] of a client that proved who it is.
    TokenOfClient(&'a ClientId),
    /// [`LimitedAction::TokenOfClient`] of one that did not.
    TokenOfPublicClient(&'a ClientId, Network),
    /// [`LimitedAction::WrongSecret`].
    WrongSecret(&'a ClientId, Network),
    /// [`LimitedAction::WrongPassword`].
    WrongPassword(&'a UserKey, Network),
    /// [`LimitedAction::WrongPasswordOfUser`].
    WrongPasswordOfUser(&'a UserKey),
    /// [`LimitedAction::WrongPasswordOfNetwork`].
    WrongPasswordOfNetwork(Network),
    /// [`LimitedAction::WrongGrant`].
    WrongGrant(Network),
}

impl Limited<'_> {
    /// What is done.
    #[must_use]
    pub fn action(&self) -> LimitedAction {
        match self {
            Self::Registration(_) => LimitedAction::Registration,
            Self::AllRegistrations => LimitedAction::AllRegistrations,
            Self::Authorization(_) => LimitedAction::Authorization,
            Self::Login(_) => LimitedAction::Login,
            Self::Token(_) => LimitedAction::Token,
            Self::TokenOfClient(_) | Self::TokenOfPublicClient(..) => LimitedAction::TokenOfClient,
            Self::WrongSecret(..) => LimitedAction::WrongSecret,
            Self::WrongPassword(..) => LimitedAction::WrongPassword,
            Self::WrongPasswordOfUser(_) => LimitedAction::WrongPasswordOfUser,
            Self::WrongPasswordOfNetwork(_) => LimitedAction::WrongPasswordOfNetwork,
            Self::WrongGrant(_) => LimitedAction::WrongGrant,
        }
    }
}

/// A user name as failures are counted: other spellings that a provider may take for the same user
/// are no further guesses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserKey(String);

impl UserKey {
    /// The key of what somebody typed.
    #[must_use]
    pub fn typed(username: &str) -> Self {
        Self(username.trim().to_lowercase())
    }
}

/// Something was done too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("too many {action}: try again in {} seconds", .retry_after.as_secs())]
pub struct TooMany {
    /// What.
    pub action: LimitedAction,
    /// When once more is free, in whole seconds and at least one.
    pub retry_after: Duration,
}

impl TooMany {
    /// With the time that is left, rounded up.
    #[must_use]
    pub fn until(action: LimitedAction, left: Duration) -> Self {
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        Self { action, retry_after: Duration::from_secs(seconds.max(1)) }
    }
}

impl fmt::Display for LimitedAction {
    /// What there were too many of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Registration => "registrations from this network",
            Self::AllRegistrations => "registrations",
            Self::Authorization => "authorization requests from this network",
            Self::Login => "logins from this network",
            Self::Token => "token requests from this network",
            Self::TokenOfClient => "token requests of this client",
            Self::WrongSecret => "wrong secrets of this client",
            Self::WrongPassword | Self::WrongPasswordOfUser => "wrong passwords of this user",
            Self::WrongPasswordOfNetwork => "wrong passwords from this network",
            Self::WrongGrant => "wrong codes and refresh tokens from this network",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_has_a_name_of_its_own_and_its_place_in_the_policy() {
        let names: BTreeSet<_> = LimitedAction::ALL.map(LimitedAction::name).into();
        assert_eq!(names.len(), LimitedAction::ALL.len());
        for action in LimitedAction::ALL {
            assert_eq!(LimitedAction::from_name(action.name()), Some(action));
            let budget = Budget::new(7, 7).unwrap();
            let policy = LimitPolicy::default().with(action, budget);
            assert_eq!(policy.budget(action), budget);
            let others = LimitedAction::ALL.into_iter().filter(|other| *other != action);
            others.for_each(|other| {
                assert_eq!(policy.budget(other), LimitPolicy::default().budget(other));
            });
        }
        assert_eq!(LimitedAction::from_name("x"), None);
    }

    #[test]
    fn rg_08_tk_16_failures_are_limited_more_strictly_than_what_everybody_does() {
        let policy = LimitPolicy::default();
        let interval = |action| policy.budget(action).interval();
        for (failure, usual) in [
            (LimitedAction::WrongSecret, LimitedAction::Token),
            (LimitedAction::WrongGrant, LimitedAction::Token),
            (LimitedAction::WrongPassword, LimitedAction::WrongPasswordOfUser),
            (LimitedAction::WrongPasswordOfNetwork, LimitedAction::Login),
        ] {
            assert!(interval(failure) > interval(usual), "{failure:?}");
        }
    }

    #[test]
    fn a_budget_lets_something_through_and_not_everything() {
        for (burst, per_minute) in [(0, 1), (1, 0), (Budget::MOST + 1, 1), (1, Budget::MOST + 1)] {
            assert_eq!(Budget::new(burst, per_minute), Err(InvalidBudget));
        }
        assert_eq!(Budget::new(3, 120).unwrap().interval(), Duration::from_millis(500));
        assert!(!Budget::new(1, Budget::MOST).unwrap().interval().is_zero());
    }

    #[test]
    fn what_is_left_to_wait_is_rounded_up() {
        for (left, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
            let too_many = TooMany::until(LimitedAction::Login, Duration::from_millis(left));
            assert_eq!(too_many.retry_after, Duration::from_secs(seconds), "{left}");
        }
    }

    #[test]
    fn spellings_of_one_user_are_counted_together() {
        assert_eq!(UserKey::typed(" Alice@Example.com "), UserKey::typed("alice@example.com"));
        assert_ne!(UserKey::typed("alice"), UserKey::typed("bob"));
    }
}
