//! Which client a refused request says it comes from: whoever asks why a client was refused has to
//! find it under the client's name, though the client has proven nothing.

use super::client_authentication::basic;
use crate::domain::client::{ClientId, LONGEST_CLIENT_ID};
use crate::domain::parameters::Parameters;

/// The client that the request names, from the values of every Authorization header and the form.
pub(super) fn claimed_client(authorization: &[&str], form: &Parameters) -> Option<ClientId> {
    let by_header = match authorization {
        [header] => basic(header).map(|(id, _)| id),
        _ => None,
    };
    by_header.filter(is_decent).or_else(|| named_client(form))
}

/// The client that a query or a form names.
pub(super) fn named_client(parameters: &Parameters) -> Option<ClientId> {
    parameters.optional("client_id").ok().flatten().map(ClientId::new).filter(is_decent)
}

fn is_decent(id: &ClientId) -> bool {
    id.as_str().len() <= LONGEST_CLIENT_ID
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_named_by_its_header_or_else_in_the_form() {
        let form = Parameters::parse(b"client_id=form").unwrap();
        let named = |headers: &[&str]| claimed_client(headers, &form).map(|id| id.to_string());
        // `header:secret`.
        assert_eq!(named(&["Basic aGVhZGVyOnNlY3JldA=="]).as_deref(), Some("header"));
        for headers in [&[][..], &["Basic !"], &["Basic a", "Basic b"]] {
            assert_eq!(named(headers).as_deref(), Some("form"));
        }
    }

    #[test]
    fn nobody_is_named_by_nothing_by_two_names_or_by_an_endless_one() {
        let endless = format!("client_id={}", "x".repeat(LONGEST_CLIENT_ID + 1));
        for form in ["", "client_id=a&client_id=b", &endless] {
            let form = Parameters::parse(form.as_bytes()).unwrap();
            assert_eq!(claimed_client(&[], &form), None);
        }
    }
}
