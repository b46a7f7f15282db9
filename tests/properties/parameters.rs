//! Forms and queries (RFC 6749 §3.1).

use std::collections::BTreeMap;

use mcp_oauth_core::domain::parameters::{MOST_PARAMETERS, ParameterError, Parameters};
use proptest::prelude::*;

use super::texts::config;

const NAMES: [&str; 4] = ["code", "state", "client_id", "resource"];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_the_bytes_a_name_has_at_most_one_value(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let parameters = Parameters::parse(&bytes).unwrap();
        for name in NAMES {
            prop_assert_ne!(parameters.optional(name), Ok(Some("")));
        }
    }

    #[test]
    fn az_01_tk_02_what_was_sent_once_is_found_and_what_was_sent_twice_is_refused(
        sent in prop::collection::vec((prop::sample::select(&NAMES[..]), any::<String>()), 0..8),
    ) {
        let encoded = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&sent).finish();
        let parameters = Parameters::parse(encoded.as_bytes()).unwrap();
        let mut by_name: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, value) in sent.iter().filter(|(_, value)| !value.is_empty()) {
            by_name.entry(name).or_default().push(value);
        }
        for name in NAMES {
            let expected = match by_name.get(name).map(Vec::as_slice) {
                None => Ok(None),
                Some([value]) => Ok(Some(*value)),
                Some(_) => Err(ParameterError::Repeated(name)),
            };
            prop_assert_eq!(parameters.optional(name), expected);
        }
    }

    #[test]
    fn the_number_of_parameters_is_bounded(count in 0..3 * MOST_PARAMETERS) {
        let encoded = vec!["a=b"; count].join("&");
        prop_assert_eq!(Parameters::parse(encoded.as_bytes()).is_ok(), count <= MOST_PARAMETERS);
    }
}
