//! Every document that clients discover this server by, whole, as committed in `published/`.

use serde_json::Value;

use crate::scenario::Scenario;

/// Asserts that a document is the committed one; a difference shows both.
async fn assert_published(base_url: &'static str, path: &str, committed: &str) {
    let served = Scenario::at(base_url).get(path).send().await.expect(200).json();
    let committed: Value = serde_json::from_str(committed).unwrap();
    assert_eq!(served, committed, "{path} is now:\n{served:#}");
}

macro_rules! published {
    ($($test:ident: $path:literal is $committed:literal;)+) => {
        $(
            #[tokio::test]
            async fn $test() {
                let committed = include_str!(concat!("published/", $committed));
                assert_published("https://mcp.example.com", $path, committed).await;
            }
        )+
    };
}

published! {
    rs_01_the_document_of_the_base_url:
        "/.well-known/oauth-protected-resource" is "protected_resource.json";
    rs_01_the_document_of_the_mcp_url:
        "/.well-known/oauth-protected-resource/mcp" is "protected_resource_mcp.json";
    rs_01_the_document_of_the_sse_url:
        "/.well-known/oauth-protected-resource/mcp/sse" is "protected_resource_sse.json";
    md_01_the_document_of_the_authorization_server:
        "/.well-known/oauth-authorization-server" is "authorization_server.json";
    md_01_the_document_of_the_openid_provider:
        "/.well-known/openid-configuration" is "openid_configuration.json";
}

#[tokio::test]
async fn jv_20_the_shape_of_the_key_set() {
    let mut set = Scenario::new().get("/.well-known/jwks.json").send().await.expect(200).json();
    for member in ["kid", "n", "e"] {
        let value = set["keys"][0][member].take();
        assert!(!value.as_str().unwrap().is_empty(), "{member}");
    }
    let committed: Value = serde_json::from_str(include_str!("published/jwks.json")).unwrap();
    assert_eq!(set, committed, "the set is now:\n{set:#}");
}
