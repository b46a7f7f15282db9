//! Who can log in, until they leave or their provider can't be asked.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use mcp_oauth_core::domain::login::PasswordAnswer;
use mcp_oauth_core::domain::person::{Person, Subject};
use mcp_oauth_core::port::{LoginRefused, PasswordLogin};
use mcp_oauth_identity::{DevUser, DevUsers};

/// Alice and Bob.
pub(crate) struct People {
    users: DevUsers,
    gone: Mutex<BTreeSet<Subject>>,
    out_of_reach: AtomicBool,
}

impl Default for People {
    fn default() -> Self {
        let user = |person: Person| DevUser {
            username: person.subject.as_str().to_owned(),
            password: "password".into(),
            person,
        };
        let users = DevUsers::new(vec![user(alice()), user(bob())]);
        Self { users, gone: Mutex::default(), out_of_reach: AtomicBool::new(false) }
    }
}

impl People {
    /// From now on this person can't log in any more.
    pub(crate) fn leave(&self, subject: &str) {
        self.gone.lock().unwrap().insert(Subject::new(subject));
    }

    /// From now on they can again.
    pub(crate) fn return_of(&self, subject: &str) {
        self.gone.lock().unwrap().remove(&Subject::new(subject));
    }

    /// Whether anybody can be asked about them.
    pub(crate) fn put_out_of_reach(&self, out_of_reach: bool) {
        self.out_of_reach.store(out_of_reach, Ordering::Relaxed);
    }

    fn reach(&self) -> Result<&DevUsers, LoginRefused> {
        if self.out_of_reach.load(Ordering::Relaxed) {
            let reason = "10.0.0.8 does not answer".to_owned();
            return Err(LoginRefused::Unavailable { reason, retry_after: Duration::from_secs(9) });
        }
        Ok(&self.users)
    }

    fn is_gone(&self, subject: &Subject) -> bool {
        self.gone.lock().unwrap().contains(subject)
    }
}

#[async_trait]
impl PasswordLogin for People {
    async fn check_password(&self, answer: &PasswordAnswer) -> Result<Person, LoginRefused> {
        let person = self.reach()?.check_password(answer).await?;
        if self.is_gone(&person.subject) { Err(LoginRefused::WrongCredentials) } else { Ok(person) }
    }

    async fn still_admits(&self, subject: &Subject) -> Result<bool, LoginRefused> {
        Ok(self.reach()?.still_admits(subject).await? && !self.is_gone(subject))
    }
}

/// Whom most scenarios are about.
pub(crate) fn alice() -> Person {
    Person {
        subject: Subject::new("alice"),
        name: Some("Alice Example".to_owned()),
        verified_email: Some("alice@example.com".to_owned()),
        account: None,
    }
}

fn bob() -> Person {
    Person { subject: Subject::new("bob"), name: None, verified_email: None, account: None }
}
