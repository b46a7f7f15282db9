//! What a token endpoint's failure means. Its own words stay out: they could repeat the code, the
//! secret, or anything else.

use mcp_oauth_core::port::ProviderError;
use openidconnect::core::CoreErrorResponseType;
use openidconnect::{RequestTokenError, StandardErrorResponse};
use serde_json::Value;

use crate::oidc_provider::{refused, unavailable};
use crate::provider_http::NoAnswer;

/// The longest error code repeated; the registered ones are shorter (RFC 6749 §5.2).
const LONGEST_CODE: usize = 64;

pub(crate) fn token_endpoint_error(
    error: RequestTokenError<NoAnswer, StandardErrorResponse<CoreErrorResponseType>>,
) -> ProviderError {
    match error {
        RequestTokenError::ServerResponse(response) => {
            refused(format!("its token endpoint says {}", code(response.error().as_ref())))
        }
        RequestTokenError::Request(why) => unavailable(why),
        RequestTokenError::Parse(_, body) if has_both_tokens(&body) => {
            refused("its ID token can't be read".to_owned())
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => unavailable(NoAnswer {
            address: "the token endpoint".to_owned(),
            reason: "answers with something else than RFC 6749 §5 wants".to_owned(),
        }),
    }
}

/// Whether an answer the library can't read is one of RFC 6749 §5.1, so that its ID token is to blame.
fn has_both_tokens(body: &[u8]) -> bool {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    answer["access_token"].is_string() && answer["id_token"].is_string()
}

fn code(code: &str) -> &str {
    let is_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let is_plain = !code.is_empty() && code.len() <= LONGEST_CODE && code.chars().all(is_code);
    if is_plain { code } else { "an error without a plain code" }
}
