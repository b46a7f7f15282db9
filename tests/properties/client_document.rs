//! Client metadata documents (draft-ietf-oauth-client-id-metadata-document §3).

use mcp_oauth_core::domain::client::{ClientCredential, GrantType};
use mcp_oauth_core::domain::client_document::ClientDocument;
use mcp_oauth_core::domain::client_document_url::ClientDocumentUrl;
use mcp_oauth_core::domain::timestamp::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json as value};

use super::texts::{config, json};

const ADDRESS: &str = "https://client.example/metadata.json";
const MEMBERS: &[&str] = &[
    "client_id",
    "client_name",
    "redirect_uris",
    "grant_types",
    "response_types",
    "token_endpoint_auth_method",
    "token_endpoint_auth_methods_supported",
    "jwks",
    "jwks_uri",
    "keys",
    "client_secret",
    "scope",
    "kty",
    "d",
    "none",
    "private_key_jwt",
    "client_secret_post",
    "authorization_code",
    "code",
    ADDRESS,
];

fn parse(document: &str) -> Option<ClientDocument> {
    let address = ClientDocumentUrl::parse(ADDRESS).ok()?;
    ClientDocument::parse(&address, document.as_bytes()).ok()
}

/// A good document with some members replaced or added.
fn damaged() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(MEMBERS);
    prop::collection::btree_map(name, json(MEMBERS), 0..4).prop_map(|replaced| {
        let mut document = value!({
            "client_id": ADDRESS,
            "client_name": "Client",
            "redirect_uris": ["https://client.example/callback", "http://localhost/callback"],
        });
        for (name, value) in replaced {
            document[name] = value;
        }
        document
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let url = ClientDocumentUrl::parse(ADDRESS).unwrap();
        prop_assert!(ClientDocument::parse(&url, &bytes).is_err());
    }

    #[test]
    fn ci_07_ci_08_ci_09_an_accepted_document_is_that_of_its_address_and_has_no_secret(document in damaged()) {
        let Some(accepted) = parse(&document.to_string()) else { return Ok(()) };
        prop_assert_eq!(document["client_id"].as_str(), Some(ADDRESS));
        prop_assert!(document.get("client_secret").is_none_or(Value::is_null));
        let client = accepted.client(Timestamp::from_unix(0));
        prop_assert_eq!(client.id.as_str(), ADDRESS);
        prop_assert!(client.metadata.client_name.is_some_and(|name| !name.is_empty()));
        prop_assert!(!client.metadata.redirect_uris.is_empty());
        prop_assert!(client.metadata.grant_types.contains(&GrantType::AuthorizationCode));
        let is_secret = matches!(client.credential, ClientCredential::Secret { .. });
        prop_assert!(!is_secret);
    }

    #[test]
    fn ci_10_members_nobody_knows_change_nothing(extra in json(&["a", "b"])) {
        let plain = parse(&value!({
            "client_id": ADDRESS, "client_name": "C", "redirect_uris": ["https://client.example/cb"],
        }).to_string());
        let with_extra = parse(&value!({
            "client_id": ADDRESS, "client_name": "C", "redirect_uris": ["https://client.example/cb"],
            "logo_uri": extra, "x_unknown": extra,
        }).to_string());
        prop_assert!(plain.is_some());
        prop_assert_eq!(plain, with_extra);
    }
}
