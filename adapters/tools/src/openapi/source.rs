//! Reading a document: from where it is, no longer than agreed, as JSON or as YAML.

use std::path::Path;

use serde_json::Value;
use tokio::io::AsyncReadExt;
use url::Url;

use super::config::{OpenApiConfig, Source};
use super::http_client::{HttpClient, ReadError};
use super::problem::OpenApiProblem;

/// How deep a document may nest; serde_json's own limit for JSON.
const DEEPEST: usize = 128;

/// The text of the document.
pub(super) async fn read(
    config: &OpenApiConfig,
    client: &HttpClient,
) -> Result<Vec<u8>, OpenApiProblem> {
    let most = config.limits.max_document_bytes;
    let read = match &config.document {
        Source::File(path) => read_file(path, most).await,
        Source::Url(url) => read_url(url, client, config).await,
    };
    read.map_err(|reason| OpenApiProblem::Unreadable {
        name: config.name.clone(),
        document: config.document.to_string(),
        reason,
    })
}

async fn read_file(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let file = tokio::fs::File::open(path).await.map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    let read = file.take(most as u64 + 1).read_to_end(&mut text).await;
    read.map_err(|error| error.to_string())?;
    if text.len() > most { Err(too_long(most)) } else { Ok(text) }
}

async fn read_url(
    url: &Url,
    client: &HttpClient,
    config: &OpenApiConfig,
) -> Result<Vec<u8>, String> {
    let most = config.limits.max_document_bytes;
    let fetched = tokio::time::timeout(config.limits.timeout, async {
        let response = client.get(url).await.map_err(|error| error.sentence())?;
        let status = response.status();
        if status.is_redirection() {
            return Err(format!(
                "it answers {status}, and redirects are not followed: write where it really is"
            ));
        }
        if !status.is_success() {
            return Err(format!("it answers {status}"));
        }
        match HttpClient::body(response, most).await {
            Ok(text) => Ok(text),
            Err(ReadError::TooLong) => Err(too_long(most)),
            Err(ReadError::Broken(reason)) => Err(reason),
        }
    });
    let limit = config.limits.timeout.as_secs();
    fetched.await.unwrap_or_else(|_| Err(format!("it took more than {limit} seconds")))
}

fn too_long(most: usize) -> String {
    format!("it is longer than {most} bytes")
}

/// The document in the text. What begins with a brace is JSON.
pub(super) fn parse(text: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(text).map_err(|error| format!("it is no UTF-8: {error}"))?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"));
    }
    let bytes = text.len();
    // Every node takes a byte or more; aliases have limits of their own.
    let budget = serde_saphyr::budget! {
        max_events: bytes.saturating_mul(2).max(1_000),
        max_nodes: bytes.max(1_000),
        max_depth: DEEPEST,
        max_documents: 1,
    };
    let options = serde_saphyr::options! { budget: budget, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| format!("it is no YAML: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_and_yaml_say_the_same() {
        let expected = json!({"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {
            "description": "yes"}}}}}});
        let yaml = "openapi: 3.1.0\npaths:\n  /a:\n    get:\n      responses:\n        200:\n          \
                    description: 'yes'\n";
        assert_eq!(parse(yaml.as_bytes()), Ok(expected.clone()));
        let json = format!("\u{feff} {expected}");
        assert_eq!(parse(json.as_bytes()), Ok(expected));
    }

    #[test]
    fn what_is_neither_is_refused_with_its_place() {
        let refusal = parse(b"{\"openapi\": \"3.1.0\",\n \"paths\": }").unwrap_err();
        assert!(refusal.contains("line 2"), "{refusal}");
        let refusal = parse(b"openapi: 3.1.0\npaths: [\n").unwrap_err();
        assert!(refusal.contains("line"), "{refusal}");
        assert!(parse(&[0xff, 0xfe]).unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn a_document_that_multiplies_itself_is_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert!(parse(bomb.as_bytes()).is_err());
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    }
}
