//! JSON Web Tokens before their signature is checked (RFC 7515 §7.1).

use mcp_oauth_core::domain::jwt::{LONGEST_TOKEN, MalformedJwt, UnverifiedJwt};
use mcp_oauth_core::domain::secret::base64url;
use proptest::prelude::*;

use super::texts::{config, json};

const MEMBERS: &[&str] =
    &["alg", "typ", "kid", "crit", "b64", "jwk", "RS256", "none", "at+jwt", "exp", "aud"];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_text_makes_the_reader_panic_and_what_it_accepts_has_three_parts(text in "[A-Za-z0-9_.=-]{0,80}|.{0,40}") {
        if let Ok(jwt) = UnverifiedJwt::parse(&text) {
            prop_assert_eq!(format!("{}.{}", jwt.signed_part(), jwt.signature()), text.as_str());
            prop_assert_eq!(text.matches('.').count(), 2);
        }
    }

    #[test]
    fn jv_11_a_header_with_a_critical_extension_is_never_accepted(header in json(MEMBERS), claims in json(MEMBERS)) {
        let token = format!(
            "{}.{}.c2ln", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()),
        );
        if let Ok(jwt) = UnverifiedJwt::parse(&token) {
            prop_assert!(header.get("crit").is_none() && header.get("b64").is_none());
            prop_assert_eq!(header["alg"].as_str(), Some(jwt.header().alg.as_str()));
            prop_assert_eq!(header.get("kid").and_then(|kid| kid.as_str()), jwt.header().kid.as_deref());
            prop_assert_eq!(jwt.claims().is_ok(), claims.is_object());
        }
    }

    #[test]
    fn jv_16_a_token_too_long_is_refused_before_it_is_read(excess in 1usize..4096, filler in "[a-z.]") {
        let token = filler.repeat(LONGEST_TOKEN + excess);
        prop_assert_eq!(UnverifiedJwt::parse(&token).unwrap_err(), MalformedJwt::TooLong);
    }
}
