//! Where requests go: what the operator says, or the first server of the document.

use oas3::spec::Server;
use serde_json::Value;
use url::Url;

use super::config::{OpenApiConfig, Source};
use super::document::{Document, Found};
use super::parameter::typed;

/// The server of the operations, or why the document does not say it.
pub(super) fn of_document(config: &OpenApiConfig, document: &Document) -> Result<Url, String> {
    if let Some(base) = &config.base_url {
        return usable(base.clone());
    }
    match document.member("servers").and_then(Value::as_array).and_then(|it| it.first()) {
        Some(server) => of_server(config, server),
        // OpenAPI 3.1 §4.8.1.1: without servers it is `/`.
        None => absolute(config, "/"),
    }
}

/// The server of one operation, if it has one of its own.
///
/// # Errors
/// When it is at another origin, which is given no credentials that were meant for the document's.
pub(super) fn of_operation(
    config: &OpenApiConfig,
    found: &Found<'_>,
    base: &Url,
) -> Result<Url, String> {
    let own = [found.operation, found.item].into_iter().find_map(|object| {
        object.get("servers").and_then(Value::as_array).and_then(|servers| servers.first())
    });
    let Some(own) = own.filter(|_| config.base_url.is_none()) else { return Ok(base.clone()) };
    let own = of_server(config, own)?;
    if own.origin() != base.origin() {
        let origin = own.origin().ascii_serialization();
        return Err(format!(
            "it is at another server, {origin}: give it a [tools] section of its own with that \
             `base_url`"
        ));
    }
    Ok(own)
}

fn of_server(config: &OpenApiConfig, server: &Value) -> Result<Url, String> {
    let server: Server = typed(server, "its server")?;
    let mut address = server.url;
    for (name, variable) in &server.variables {
        address = address.replace(&format!("{{{name}}}"), &variable.default);
    }
    if address.contains('{') {
        return Err(format!("its server {address:?} has a variable that nothing fills"));
    }
    absolute(config, &address)
}

fn absolute(config: &OpenApiConfig, address: &str) -> Result<Url, String> {
    let url = match (Url::parse(address), &config.document) {
        (Ok(url), _) => url,
        (Err(_), Source::Url(document)) => document
            .join(address)
            .map_err(|error| format!("its server {address:?} is no URL: {error}"))?,
        (Err(_), Source::File(_)) => {
            return Err(format!("its server is {address:?}, which is relative to nothing"));
        }
    };
    usable(url)
}

/// A URL that a path can follow.
pub(super) fn usable(mut url: Url) -> Result<Url, String> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{:?} is neither http nor https", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("there is a user name in it; use `credentials`".to_owned());
    }
    url.set_query(None);
    url.set_fragment(None);
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn base(config: &OpenApiConfig, root: Value) -> Result<String, String> {
        let document = Document::new(root)?;
        of_document(config, &document).map(|url| url.to_string())
    }

    fn from(source: &str) -> OpenApiConfig {
        OpenApiConfig::new("t", Source::parse(source))
    }

    #[test]
    fn the_first_server_with_its_variables_is_where_requests_go() {
        let root = json!({"openapi": "3.0.0", "servers": [
            {"url": "https://{region}.a.example/v{v}/",
             "variables": {"region": {"default": "eu"}, "v": {"default": "2"}}},
            {"url": "https://other.example"}]});
        assert_eq!(base(&from("a.json"), root.clone()), Ok("https://eu.a.example/v2".to_owned()));
        let mut config = from("a.json");
        config.base_url = Url::parse("http://127.0.0.1:8080/x/?q#f").ok();
        assert_eq!(base(&config, root), Ok("http://127.0.0.1:8080/x".to_owned()));
    }

    #[test]
    fn a_relative_server_is_one_of_the_document() {
        let root = json!({"openapi": "3.0.0", "servers": [{"url": "/v1"}]});
        let web = from("https://a.example/docs/openapi.json");
        assert_eq!(base(&web, root.clone()), Ok("https://a.example/v1".to_owned()));
        assert!(base(&from("a.json"), root).unwrap_err().contains("relative to nothing"));
        let bare = json!({"openapi": "3.0.0"});
        assert_eq!(base(&web, bare), Ok("https://a.example/".to_owned()));
    }

    #[test]
    fn an_operation_at_another_origin_is_refused_unless_the_operator_says_where() {
        let root = json!({"openapi": "3.0.0", "paths": {
            "/a": {"get": {"servers": [{"url": "https://up.example"}]}},
            "/b": {"get": {"servers": [{"url": "https://a.example/v2"}]}}}});
        let document = Document::new(root).unwrap_or_else(|reason| panic!("{reason}"));
        let found = document.operations();
        let here = Url::parse("https://a.example/").unwrap();
        let mut config = from("a.json");
        let refusal = of_operation(&config, &found[0], &here).unwrap_err();
        assert!(refusal.contains("https://up.example"), "{refusal}");
        assert_eq!(of_operation(&config, &found[1], &here).unwrap().path(), "/v2");
        config.base_url = Some(here.clone());
        assert_eq!(of_operation(&config, &found[0], &here), Ok(here));
    }
}
