//! The `dev` provider: people from the configuration, for trying things out on one machine.

use std::fmt;

use async_trait::async_trait;
use mcp_oauth_core::domain::login::PasswordAnswer;
use mcp_oauth_core::domain::person::{Person, Subject};
use mcp_oauth_core::domain::secret::{same_bytes, sha256};
use mcp_oauth_core::port::{LoginRefused, PasswordLogin};
use secrecy::{ExposeSecret, SecretString};

/// Somebody who can log in.
#[derive(Clone)]
pub struct DevUser {
    /// What they type.
    pub username: String,
    /// What proves it.
    pub password: SecretString,
    /// Who they are then.
    pub person: Person,
}

impl fmt::Debug for DevUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevUser").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Everybody who can log in.
#[derive(Debug, Clone)]
pub struct DevUsers(Vec<DevUser>);

impl DevUsers {
    /// The users of the configuration.
    #[must_use]
    pub fn new(users: Vec<DevUser>) -> Self {
        Self(users)
    }
}

#[async_trait]
impl PasswordLogin for DevUsers {
    /// Compares with every user, so that the time taken does not tell which names exist.
    async fn check_password(&self, answer: &PasswordAnswer) -> Result<Person, LoginRefused> {
        let mut found = None;
        for user in &self.0 {
            let same_name = same_text(&user.username, &answer.username);
            let same_password =
                same_text(user.password.expose_secret(), answer.password.expose_secret());
            if same_name & same_password {
                found = Some(&user.person);
            }
        }
        found.cloned().ok_or(LoginRefused::WrongCredentials)
    }

    async fn still_admits(&self, subject: &Subject) -> Result<bool, LoginRefused> {
        Ok(self.0.iter().any(|user| user.person.subject == *subject))
    }
}

/// Compares digests, so that not even the length shows in the time taken.
fn same_text(left: &str, right: &str) -> bool {
    same_bytes(&sha256(&[left.as_bytes()]), &sha256(&[right.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use mcp_oauth_core::domain::person::Subject;

    use super::*;

    fn users() -> DevUsers {
        let user = |name: &str, password: &str| DevUser {
            username: name.into(),
            password: password.into(),
            person: Person {
                subject: Subject::new(name),
                name: None,
                verified_email: None,
                account: None,
            },
        };
        DevUsers::new(vec![user("alice", "password"), user("bob", "secret")])
    }

    async fn answer(username: &str, password: &str) -> Result<Person, LoginRefused> {
        let answer = PasswordAnswer { username: username.into(), password: password.into() };
        users().check_password(&answer).await
    }

    #[tokio::test]
    async fn a_user_logs_in_with_their_own_password_only() {
        assert_eq!(answer("bob", "secret").await.unwrap().subject, Subject::new("bob"));
        for (name, password) in
            [("bob", "password"), ("alice", ""), ("", ""), ("carol", "secret"), ("Bob", "secret")]
        {
            assert_eq!(answer(name, password).await, Err(LoginRefused::WrongCredentials));
        }
    }

    #[test]
    fn jv_18_a_password_cannot_be_printed() {
        assert!(!format!("{:?}", users()).contains("secret"));
    }
}
