//! Whether somebody who logged in before still may.

use crate::domain::person::Person;
use crate::port::{LoginMethods, LoginRefused};

/// Knows who is let in today.
#[derive(Clone)]
pub(super) struct People {
    pub(super) methods: LoginMethods,
}

impl People {
    /// Whether `person` would be let in if they logged in now, as far as that can be told without
    /// them: a provider is not asked, but the operator's lists of today count.
    pub(super) async fn still_admits(&self, person: &Person) -> Result<bool, LoginRefused> {
        match &self.methods {
            LoginMethods::Password(people) => {
                if person.account.is_some() {
                    return Ok(false);
                }
                people.still_admits(&person.subject).await
            }
            LoginMethods::Providers(providers) => {
                let Some(account) = &person.account else { return Ok(false) };
                let provider = providers.iter().find(|it| it.name == account.provider);
                Ok(provider.is_some_and(|provider| {
                    provider.issuer.accepts(&account.issuer)
                        && provider.admission.check(person).is_ok()
                }))
            }
        }
    }

    /// Whether `person` logs in for every grant anew: the tokens of their provider are kept, and come
    /// with a login only.
    pub(super) fn log_in_for_each_grant(&self, person: &Person) -> bool {
        let (LoginMethods::Providers(providers), Some(account)) = (&self.methods, &person.account)
        else {
            return false;
        };
        providers.iter().any(|it| it.keeps_tokens && it.name == account.provider)
    }
}
