//! Client identifiers that are addresses of metadata documents
//! (draft-ietf-oauth-client-id-metadata-document §2).

use mcp_oauth_core::domain::client_document_url::ClientDocumentUrl;
use proptest::prelude::*;
use url::Url;

use super::texts::{address, config};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn ci_01_ci_02_ci_07_what_is_accepted_is_https_with_a_path_and_fetched_as_it_is_spelled(text in address()) {
        if let Ok(accepted) = ClientDocumentUrl::parse(&text) {
            let url = Url::parse(&text).unwrap();
            prop_assert_eq!(url.as_str(), &text, "parsers agree about it");
            prop_assert_eq!(accepted.as_str(), &text);
            prop_assert_eq!(accepted.url(), &url);
            prop_assert_eq!(url.scheme(), "https");
            prop_assert!(url.path().len() > 1);
            prop_assert!(url.query().is_none() && url.fragment().is_none());
            prop_assert!(url.username().is_empty() && url.password().is_none());
            prop_assert!(!url.path().to_ascii_lowercase().replace("%2e", ".").split('/').any(|s| s == "." || s == ".."));
        }
    }

    #[test]
    fn an_ordinary_address_is_accepted(host in "[a-z]{1,10}[.]example", path in "(/[a-z0-9_-]{1,8}){1,4}") {
        let text = format!("https://{host}{path}");
        prop_assert!(ClientDocumentUrl::parse(&text).is_ok(), "{}", text);
    }
}
