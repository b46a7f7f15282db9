//! Whether a person proved anew at their provider who they are, when they were asked to.

use super::access_token::{VerifyError, moment};
use super::provider_claims::Claims;
use super::provider_login::LONGEST_LOGIN;
use super::provider_policy::ProviderPolicy;
use super::provider_token::MOST_SKEW;
use super::timestamp::Timestamp;

impl ProviderPolicy {
    /// Checks `auth_time` in the claims of a validated ID token, after a request with `prompt=login`
    /// and `max_age=0` (OpenID Connect Core §3.1.2.1, §3.1.3.7 step 13). The login has to be younger
    /// than the request, and that is [`LONGEST_LOGIN`] old at most.
    ///
    /// A token without `auth_time` is let pass: the specification has it in every answer to
    /// `max_age`, but many vendors leave it out, and nobody could log in there.
    ///
    /// # Errors
    /// [`VerifyError::OldLogin`], or [`VerifyError::BadClaim`] when it is no time.
    pub fn check_logged_in_anew(&self, claims: &Claims, now: Timestamp) -> Result<(), VerifyError> {
        let Some(logged_in) = moment(claims, "auth_time")? else { return Ok(()) };
        let skew = self.clock_skew.min(MOST_SKEW);
        if now > logged_in.after(LONGEST_LOGIN).after(skew) {
            return Err(VerifyError::OldLogin {
                logged_in_at: logged_in.as_unix(),
                longest: LONGEST_LOGIN.as_secs(),
                now: now.as_unix(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::issuer::Issuer;
    use super::super::provider::IssuerRule;
    use super::*;

    const NOW: i64 = 1_000_000;

    fn check(auth_time: Value) -> Result<(), VerifyError> {
        let issuer = IssuerRule::exactly(Issuer::new("https://id.example"));
        let claims = json!({ "auth_time": auth_time }).as_object().unwrap().clone();
        ProviderPolicy::standard(issuer).check_logged_in_anew(&claims, Timestamp::from_unix(NOW))
    }

    #[test]
    fn up_02_an_old_login_is_none_for_whoever_had_to_log_in_anew() {
        // 600 s for the login, 30 s for the clock.
        for recent in [NOW, NOW - 630, NOW + 5] {
            assert_eq!(check(json!(recent)), Ok(()), "{recent}");
        }
        for old in [NOW - 631, 0] {
            let refused = VerifyError::OldLogin { logged_in_at: old, longest: 600, now: NOW };
            assert_eq!(check(json!(old)), Err(refused));
        }
        for no_time in [json!("yesterday"), json!(null)] {
            assert_eq!(check(no_time), Err(VerifyError::BadClaim("auth_time".into())));
        }
    }

    #[test]
    fn a_provider_that_does_not_say_when_somebody_logged_in_is_believed() {
        let policy =
            ProviderPolicy::standard(IssuerRule::exactly(Issuer::new("https://id.example")));
        let now = Timestamp::from_unix(NOW);
        assert_eq!(policy.check_logged_in_anew(&Claims::new(), now), Ok(()));
    }
}
