//! What is learned of a token that says nothing by itself, as the claims it would have.

use serde_json::{Value, json};

use super::access_token::VerifyError;
use super::error_text::shortened;
use super::provider_claims::Claims;
use super::provider_policy::AudienceMode;

/// The claims of an introspection response (RFC 7662 §2.2). Refresh tokens are active, too: where the
/// audience does not tell, the provider has to say that it is a bearer token.
///
/// # Errors
/// [`VerifyError::Inactive`] unless `active` is true; [`VerifyError::WrongClaim`] for a token that
/// is no bearer token.
pub fn introspected(answer: Claims, audience: AudienceMode) -> Result<Claims, VerifyError> {
    if answer.get("active") != Some(&Value::Bool(true)) {
        return Err(VerifyError::Inactive);
    }
    let token_type = answer.get("token_type").map(|it| it.as_str().unwrap_or_default());
    let is_bearer = match token_type {
        Some(received) => received.eq_ignore_ascii_case("bearer"),
        None => audience == AudienceMode::Require,
    };
    if is_bearer {
        return Ok(answer);
    }
    Err(VerifyError::WrongClaim {
        name: "token_type".to_owned(),
        received: token_type.map(shortened),
        expected: "Bearer".to_owned(),
    })
}

/// Larger numbers are no seconds since 1970 before the year 5138, but milliseconds.
const MOST_SECONDS: i64 = 100_000_000_000;

/// The claims of an answer of Clerk's own endpoint. Its documentation shows times in seconds, its
/// libraries have them in milliseconds; both are understood.
///
/// # Errors
/// [`VerifyError::Revoked`], or [`VerifyError::Inactive`] for one that Clerk calls expired.
pub fn verified_by_clerk(answer: &Claims) -> Result<Claims, VerifyError> {
    let is = |name: &str| answer.get(name).and_then(Value::as_bool);
    if is("revoked") != Some(false) {
        return Err(VerifyError::Revoked);
    }
    if is("expired") != Some(false) {
        return Err(VerifyError::Inactive);
    }
    let mut claims = Claims::new();
    let names = [("subject", "sub"), ("client_id", "client_id"), ("id", "jti"), ("aud", "aud")];
    for (theirs, name) in names {
        if let Some(value) = answer.get(theirs) {
            claims.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(scopes) = answer.get("scopes").and_then(Value::as_array) {
        let scopes: Vec<_> = scopes.iter().filter_map(Value::as_str).collect();
        claims.insert("scope".to_owned(), json!(scopes.join(" ")));
    }
    for (theirs, name) in [("expiration", "exp"), ("created_at", "iat")] {
        if let Some(time) = answer.get(theirs).and_then(Value::as_i64) {
            let seconds = if time > MOST_SECONDS { time / 1000 } else { time };
            claims.insert(name.to_owned(), json!(seconds));
        }
    }
    Ok(claims)
}

/// The claims of an answer of Google's tokeninfo, which spells numbers and truths as texts.
#[must_use]
pub fn told_by_google(mut answer: Claims) -> Claims {
    let seconds = answer.get("exp").and_then(Value::as_str).and_then(|it| it.parse::<i64>().ok());
    if let Some(seconds) = seconds {
        answer.insert("exp".to_owned(), json!(seconds));
    }
    if answer.get("email_verified").is_some_and(|it| it == "true") {
        answer.insert("email_verified".to_owned(), json!(true));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(value: Value) -> Claims {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn jv_17_only_active_true_is_active() {
        for answer in [
            json!({}),
            json!({ "active": false }),
            json!({ "active": "true" }),
            json!({ "active": 1 }),
            json!({ "active": null, "sub": "u" }),
        ] {
            assert_eq!(
                introspected(claims(answer), AudienceMode::Require),
                Err(VerifyError::Inactive)
            );
        }
        assert!(introspected(claims(json!({ "active": true })), AudienceMode::Require).is_ok());
    }

    #[test]
    fn jv_17_a_token_of_another_type_is_refused() {
        for token_type in [json!("DPoP"), json!("refresh_token"), json!(7)] {
            let answer = claims(json!({ "active": true, "token_type": token_type }));
            assert!(matches!(
                introspected(answer, AudienceMode::Require),
                Err(VerifyError::WrongClaim { .. })
            ));
        }
        let answer = claims(json!({ "active": true, "token_type": "bearer" }));
        assert!(introspected(answer, AudienceMode::Foreign).is_ok());
    }

    #[test]
    fn jv_17_where_the_audience_does_not_tell_the_provider_has_to_say_bearer() {
        for mode in [AudienceMode::Foreign, AudienceMode::Observe] {
            let refused = introspected(claims(json!({ "active": true })), mode);
            assert!(matches!(refused, Err(VerifyError::WrongClaim { .. })), "{mode:?}");
        }
    }

    #[test]
    fn jv_17_clerk_says_revoked_and_expired_and_counts_in_seconds_or_milliseconds() {
        let answer = json!({
            "id": "oat_1", "client_id": "c", "subject": "user_1", "scopes": ["email", "profile"],
            "revoked": false, "expired": false, "expiration": 1_700_000_500_999_i64, "created_at": 1_700_000_000,
        });
        let expected = json!({
            "jti": "oat_1", "client_id": "c", "sub": "user_1", "scope": "email profile",
            "exp": 1_700_000_500, "iat": 1_700_000_000,
        });
        assert_eq!(verified_by_clerk(&claims(answer.clone())), Ok(claims(expected)));
        for (name, error) in [("revoked", VerifyError::Revoked), ("expired", VerifyError::Inactive)]
        {
            for value in [json!(true), json!(null), json!("false")] {
                let mut answer = claims(answer.clone());
                answer.insert(name.to_owned(), value);
                assert_eq!(verified_by_clerk(&answer), Err(error.clone()));
            }
        }
    }

    #[test]
    fn jv_17_google_spells_numbers_as_texts() {
        let answer = claims(json!({ "exp": "1700000000", "email_verified": "true", "sub": "1" }));
        let expected = claims(json!({ "exp": 1_700_000_000, "email_verified": true, "sub": "1" }));
        assert_eq!(told_by_google(answer), expected);
        let unverified = told_by_google(claims(json!({ "email_verified": "false" })));
        assert_eq!(unverified["email_verified"], "false");
    }
}
