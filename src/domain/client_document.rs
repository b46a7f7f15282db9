//! What a client says of itself at the address that is its identifier
//! (draft-ietf-oauth-client-id-metadata-document §3).

use serde_json::{Map, Value};
use thiserror::Error;
use url::Url;

use super::client::{
    Client, ClientAuthMethod, ClientCredential, ClientId, ClientMetadata, ClientOrigin, GrantType,
    MOST_REDIRECT_URIS,
};
use super::client_document_url::ClientDocumentUrl;
use super::client_keys::{ClientKeySet, ClientKeys, InvalidClientKeys, KeySource};
use super::client_name::presentable;
use super::error_text::shortened;
use super::redirect_uri::RedirectUri;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

/// The longest free text taken from a document, in characters.
const LONGEST_TEXT: usize = 2048;

/// A client metadata document that keeps every rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientDocument {
    url: ClientDocumentUrl,
    credential: ClientCredential,
    metadata: ClientMetadata,
}

/// Why a document describes no client. The texts are for the audit log: they tell of what stands
/// at an address that a stranger named.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidClientDocument {
    /// Not a JSON object in UTF-8.
    #[error("is not a JSON object in UTF-8")]
    NotAnObject,
    /// It belongs to another address.
    #[error("is that of the client {0:?}")]
    OtherClient(String),
    /// A member every document needs is missing or empty.
    #[error("has no {0}")]
    Missing(&'static str),
    /// A member has another type or size than it should.
    #[error("has a malformed {0}")]
    Malformed(&'static str),
    /// Nothing in a public document can be a shared secret.
    #[error("has {0}, which only a client with a shared secret has")]
    SharedSecret(&'static str),
    /// More redirect addresses than one client may have.
    #[error("has more than {MOST_REDIRECT_URIS} redirect_uris")]
    TooManyRedirectUris,
    /// None of the redirect addresses can be redirected to.
    #[error("has no usable redirect_uris")]
    NoRedirectUri,
    /// It never asks for authorization codes.
    #[error("does not use authorization codes")]
    NoCode,
    /// It authenticates only in ways this server does not know.
    #[error("has no authentication method of this server")]
    NoMethod,
    /// Its keys are no good.
    #[error("has unusable keys: {0}")]
    Keys(#[from] InvalidClientKeys),
    /// Its keys are at another origin, whose owner may be somebody else.
    #[error("has a jwks_uri of another origin")]
    ForeignKeys,
}

impl ClientDocument {
    /// Reads what was found at `url`. Unknown members are ignored; `logo_uri` is one of them, since
    /// showing it would tell its host who is being asked for consent.
    ///
    /// # Errors
    /// [`InvalidClientDocument`].
    pub fn parse(url: &ClientDocumentUrl, body: &[u8]) -> Result<Self, InvalidClientDocument> {
        let members = Members::parse(body)?;
        let client = members.required("client_id")?;
        if client != url.as_str() {
            return Err(InvalidClientDocument::OtherClient(shortened(client)));
        }
        for secret in ["client_secret", "client_secret_expires_at"] {
            if members.get(secret).is_some() {
                return Err(InvalidClientDocument::SharedSecret(secret));
            }
        }
        let credential = members.credential(url)?;
        Ok(Self { url: url.clone(), credential, metadata: members.metadata()? })
    }

    /// The client it describes, as known at `now`.
    #[must_use]
    pub fn client(&self, now: Timestamp) -> Client {
        Client {
            id: ClientId::new(self.url.as_str()),
            origin: ClientOrigin::Document,
            credential: self.credential.clone(),
            metadata: self.metadata.clone(),
            registration_token: None,
            may_introspect: false,
            registered_at: now,
            last_used_at: None,
        }
    }
}

/// The members of a document.
struct Members(Map<String, Value>);

impl Members {
    fn parse(body: &[u8]) -> Result<Self, InvalidClientDocument> {
        let text = std::str::from_utf8(body).map_err(|_| InvalidClientDocument::NotAnObject)?;
        serde_json::from_str(text).map(Self).map_err(|_| InvalidClientDocument::NotAnObject)
    }

    /// A member that is there; `null` is not.
    fn get(&self, member: &str) -> Option<&Value> {
        self.0.get(member).filter(|value| !value.is_null())
    }

    fn text(&self, member: &'static str) -> Result<Option<&str>, InvalidClientDocument> {
        let Some(value) = self.get(member) else { return Ok(None) };
        let text = value.as_str().ok_or(InvalidClientDocument::Malformed(member))?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    fn required(&self, member: &'static str) -> Result<&str, InvalidClientDocument> {
        self.text(member)?.ok_or(InvalidClientDocument::Missing(member))
    }

    fn texts(&self, member: &'static str) -> Result<Option<Vec<&str>>, InvalidClientDocument> {
        let Some(value) = self.get(member) else { return Ok(None) };
        let texts = value.as_array().and_then(|values| values.iter().map(Value::as_str).collect());
        texts.map(Some).ok_or(InvalidClientDocument::Malformed(member))
    }

    /// A text that nothing depends on; one that is no good counts as absent.
    fn detail(&self, member: &str) -> Option<String> {
        let text = self.get(member)?.as_str()?;
        let is_decent = !text.is_empty() && text.chars().count() <= LONGEST_TEXT;
        is_decent.then(|| text.to_owned())
    }

    fn metadata(&self) -> Result<ClientMetadata, InvalidClientDocument> {
        let name = presentable(self.required("client_name")?);
        let is_web_page = |text: &String| {
            Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
        };
        let is_known = |kind: &String| matches!(kind.as_str(), "web" | "native");
        Ok(ClientMetadata {
            client_name: Some(name.ok_or(InvalidClientDocument::Missing("client_name"))?),
            client_uri: self.detail("client_uri").filter(is_web_page),
            redirect_uris: self.redirect_uris()?,
            grant_types: self.grant_types()?,
            scope: self.detail("scope").and_then(|scope| ScopeSet::parse(&scope).ok()),
            application_type: self.detail("application_type").filter(is_known),
            software_id: self.detail("software_id"),
            software_version: self.detail("software_version"),
        })
    }

    /// A document is written for every server alike, so an address this one would not redirect to
    /// is left out: it can never be matched. Of them all, one has to be left.
    fn redirect_uris(&self) -> Result<Vec<RedirectUri>, InvalidClientDocument> {
        const MEMBER: &str = "redirect_uris";
        let spelled = self.texts(MEMBER)?.ok_or(InvalidClientDocument::Missing(MEMBER))?;
        if spelled.len() > MOST_REDIRECT_URIS {
            return Err(InvalidClientDocument::TooManyRedirectUris);
        }
        let usable: Vec<_> =
            spelled.into_iter().filter_map(|uri| RedirectUri::parse(uri).ok()).collect();
        if usable.is_empty() { Err(InvalidClientDocument::NoRedirectUri) } else { Ok(usable) }
    }

    fn grant_types(&self) -> Result<Vec<GrantType>, InvalidClientDocument> {
        let codes = self.texts("response_types")?.is_none_or(|types| types.contains(&"code"));
        let mut served = match self.texts("grant_types")? {
            None => vec![GrantType::AuthorizationCode],
            Some(names) => names
                .into_iter()
                .filter_map(GrantType::from_name)
                .filter(|grant| grant.begins_with_consent())
                .collect::<Vec<_>>(),
        };
        served.sort_unstable();
        served.dedup();
        if !codes || !served.contains(&GrantType::AuthorizationCode) {
            return Err(InvalidClientDocument::NoCode);
        }
        Ok(served)
    }

    /// How the client authenticates. Both sides have to come to the same answer without talking:
    /// the method it prefers (`token_endpoint_auth_method`), if it is one of ours, else the
    /// strongest of those it is able to (`token_endpoint_auth_methods_supported`).
    fn credential(
        &self,
        url: &ClientDocumentUrl,
    ) -> Result<ClientCredential, InvalidClientDocument> {
        const PREFERRED: &str = "token_endpoint_auth_method";
        const ABLE: &str = "token_endpoint_auth_methods_supported";
        let preferred = self.text(PREFERRED)?;
        if preferred.is_some_and(|method| method.starts_with("client_secret_")) {
            return Err(InvalidClientDocument::SharedSecret(PREFERRED));
        }
        let able = self.texts(ABLE)?;
        let methods: Vec<_> = match (preferred, able) {
            (None, None) => vec!["none"],
            (preferred, able) => {
                let is_weaker = |name: &&str| *name != ClientAuthMethod::PrivateKeyJwt.as_str();
                let mut able = able.unwrap_or_default();
                able.sort_by_key(is_weaker);
                preferred.into_iter().chain(able).collect()
            }
        };
        let chosen = methods.into_iter().filter_map(ClientAuthMethod::from_name).find(|method| {
            matches!(method, ClientAuthMethod::None | ClientAuthMethod::PrivateKeyJwt)
        });
        match chosen.ok_or(InvalidClientDocument::NoMethod)? {
            ClientAuthMethod::PrivateKeyJwt => self.keys(url).map(ClientCredential::Keys),
            _ => {
                self.refuse_private_keys()?;
                Ok(ClientCredential::Public)
            }
        }
    }

    fn keys(&self, url: &ClientDocumentUrl) -> Result<ClientKeys, InvalidClientDocument> {
        let keys = ClientKeys::from_metadata(&self.0)?;
        match &keys.source {
            KeySource::Published(uri) if uri.url().origin() != url.url().origin() => {
                Err(InvalidClientDocument::ForeignKeys)
            }
            _ => Ok(keys),
        }
    }

    /// Keys nobody will need are not looked at, unless they tell a secret to the world.
    fn refuse_private_keys(&self) -> Result<(), InvalidClientDocument> {
        match self.get("jwks").map(ClientKeySet::from_jwks) {
            Some(Err(why @ InvalidClientKeys::PrivateKey)) => Err(why.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::client_keys::AssertionAlgorithm;
    use crate::domain::secret::base64url;

    const URL: &str = "https://c.example/client.json";

    fn document() -> Value {
        json!({
            "client_id": URL,
            "client_name": "Example",
            "redirect_uris": ["https://c.example/callback", "http://127.0.0.1/callback"],
        })
    }

    fn with(members: &[(&str, Value)]) -> Value {
        let mut document = document();
        for (name, value) in members {
            document[name] = value.clone();
        }
        document
    }

    fn read(document: &Value) -> Result<ClientDocument, InvalidClientDocument> {
        let url = document["client_id"].as_str().unwrap_or(URL);
        let url = ClientDocumentUrl::parse(url).unwrap();
        ClientDocument::parse(&url, document.to_string().as_bytes())
    }

    fn client(document: &Value) -> Client {
        let read = read(document).unwrap_or_else(|why| panic!("{document} {why}"));
        read.client(Timestamp::from_unix(1))
    }

    fn refused(members: &[(&str, Value)]) -> InvalidClientDocument {
        read(&with(members)).expect_err("a refusal")
    }

    fn jwks() -> Value {
        json!({ "keys": [{ "kty": "RSA", "n": base64url(&[0xA5; 256]), "e": "AQAB" }] })
    }

    fn method(members: &[(&str, Value)]) -> &'static str {
        client(&with(members)).credential.method().as_str()
    }

    #[test]
    fn ci_08_three_members_are_enough() {
        let client = client(&document());
        assert_eq!(client.id.as_str(), URL);
        assert_eq!(client.origin, ClientOrigin::Document);
        assert_eq!(client.credential, ClientCredential::Public);
        assert_eq!(client.metadata.client_name.as_deref(), Some("Example"));
        assert_eq!(client.metadata.redirect_uris.len(), 2);
        assert_eq!(client.metadata.grant_types, [GrantType::AuthorizationCode]);
    }

    #[test]
    fn ci_08_each_required_member_is_required() {
        use InvalidClientDocument::{Malformed, Missing, NoRedirectUri};
        for member in ["client_id", "client_name", "redirect_uris"] {
            let mut without = document();
            without.as_object_mut().unwrap().remove(member);
            let url = ClientDocumentUrl::parse(URL).unwrap();
            let read = ClientDocument::parse(&url, without.to_string().as_bytes());
            assert_eq!(read, Err(Missing(member)));
            assert_eq!(refused(&[(member, json!(7))]), Malformed(member));
        }
        assert_eq!(refused(&[("client_name", json!(" \u{202e}"))]), Missing("client_name"));
        assert_eq!(refused(&[("redirect_uris", json!([]))]), NoRedirectUri);
    }

    #[test]
    fn ci_07_the_document_names_its_own_address_byte_for_byte() {
        let url = ClientDocumentUrl::parse(URL).unwrap();
        for other in [
            "https://c.example/client.json/",
            "https://C.example/client.json",
            "https://c.example:443/client.json",
            "https://c.example/client%2Ejson",
            "https://d.example/client.json",
        ] {
            let document = with(&[("client_id", json!(other))]).to_string();
            let why = InvalidClientDocument::OtherClient(other.to_owned());
            assert_eq!(ClientDocument::parse(&url, document.as_bytes()), Err(why));
        }
    }

    #[test]
    fn ci_06_what_is_no_json_object_in_utf_8_is_refused() {
        let url = ClientDocumentUrl::parse(URL).unwrap();
        let latin: &[u8] = b"{\"client_name\":\"\xFC\"}";
        for body in [&b""[..], b"null", b"[]", b"\"text\"", b"{", b"<html>", b"{} {}", latin] {
            let read = ClientDocument::parse(&url, body);
            assert_eq!(read, Err(InvalidClientDocument::NotAnObject));
        }
    }

    #[test]
    fn ci_09_nothing_a_shared_secret_needs_may_stand_in_it() {
        use InvalidClientDocument::{Keys, NoMethod, SharedSecret};
        for member in ["client_secret", "client_secret_expires_at"] {
            for value in [json!(""), json!("s"), json!(0)] {
                assert_eq!(refused(&[(member, value)]), SharedSecret(member));
            }
        }
        const METHOD: &str = "token_endpoint_auth_method";
        for secret in ["client_secret_basic", "client_secret_post", "client_secret_jwt"] {
            assert_eq!(refused(&[(METHOD, json!(secret))]), SharedSecret(METHOD));
            let able = ("token_endpoint_auth_methods_supported", json!([secret]));
            assert_eq!(refused(&[able]), NoMethod);
        }
        let mut leaked = jwks();
        leaked["keys"][0]["d"] = json!("AQAB");
        for preferred in ["none", "private_key_jwt"] {
            let why = refused(&[(METHOD, json!(preferred)), ("jwks", leaked.clone())]);
            assert_eq!(why, Keys(InvalidClientKeys::PrivateKey), "{preferred}");
        }
    }

    #[test]
    fn ci_10_the_method_is_the_preferred_one_or_the_strongest_of_those_it_is_able_to() {
        let preferred = |name: &str| ("token_endpoint_auth_method", json!(name));
        let able = |names: &[&str]| ("token_endpoint_auth_methods_supported", json!(names));
        let keys = ("jwks", jwks());
        for (members, chosen) in [
            (vec![], "none"),
            (vec![preferred("none")], "none"),
            (vec![able(&["none"])], "none"),
            (vec![able(&["client_secret_basic", "none"])], "none"),
            (vec![preferred("tls_client_auth"), able(&["none"])], "none"),
            (vec![preferred("private_key_jwt"), keys.clone()], "private_key_jwt"),
            (vec![able(&["none", "private_key_jwt"]), keys.clone()], "private_key_jwt"),
            (vec![preferred("none"), able(&["none", "private_key_jwt"]), keys.clone()], "none"),
            (vec![preferred("private_key_jwt"), able(&["none"]), keys], "private_key_jwt"),
        ] {
            assert_eq!(method(&members), chosen, "{members:?}");
        }
        let unknown = [preferred("tls_client_auth"), able(&["attest_jwt_client_auth"])];
        assert_eq!(refused(&unknown), InvalidClientDocument::NoMethod);
        assert_eq!(refused(&[able(&[])]), InvalidClientDocument::NoMethod);
    }

    #[test]
    fn ci_10_what_is_unknown_or_served_elsewhere_is_left_out() {
        let client = client(&with(&[
            (
                "grant_types",
                json!([
                    "urn:ietf:params:oauth:grant-type:jwt-bearer",
                    "client_credentials",
                    "refresh_token",
                    "authorization_code"
                ]),
            ),
            ("redirect_uris", json!(["unowned:/callback", "https://c.example/callback"])),
            ("new_member", json!({ "a": [1] })),
            ("logo_uri", json!("https://c.example/logo.png")),
            ("client_uri", json!("javascript:alert(1)")),
            ("scope", json!("a  \"b\"")),
            ("application_type", json!("toaster")),
            ("contacts", json!(7)),
            ("software_id", json!(7)),
        ]));
        // Nobody would have consented to client credentials.
        let served = [GrantType::AuthorizationCode, GrantType::RefreshToken];
        assert_eq!(client.metadata.grant_types, served);
        assert_eq!(client.metadata.redirect_uris.len(), 1);
        let ClientMetadata { client_uri, scope, application_type, software_id, .. } =
            client.metadata;
        assert_eq!((client_uri, scope, application_type, software_id), (None, None, None, None));
    }

    #[test]
    fn a_client_that_never_asks_for_codes_is_no_client_of_this_server() {
        for member in [
            ("grant_types", json!(["client_credentials"])),
            ("grant_types", json!([])),
            ("response_types", json!(["token"])),
        ] {
            assert_eq!(refused(&[member]), InvalidClientDocument::NoCode);
        }
    }

    #[test]
    fn ci_12_the_addresses_to_redirect_to_are_few_and_one_is_usable() {
        let many: Vec<_> =
            (0..=MOST_REDIRECT_URIS).map(|it| format!("https://c.example/{it}")).collect();
        let why = refused(&[("redirect_uris", json!(many))]);
        assert_eq!(why, InvalidClientDocument::TooManyRedirectUris);
        let unusable = json!(["http://c.example/callback", "javascript:alert(1)", "unowned:/cb"]);
        assert_eq!(refused(&[("redirect_uris", unusable)]), InvalidClientDocument::NoRedirectUri);
    }

    #[test]
    fn ci_17_keys_are_inline_or_at_the_origin_of_the_document() {
        let signs = ("token_endpoint_auth_method", json!("private_key_jwt"));
        let at = |uri: &str| [signs.clone(), ("jwks_uri", json!(uri))];
        assert_eq!(method(&at("https://c.example/keys?v=2")), "private_key_jwt");
        for foreign in [
            "https://d.example/keys",
            "https://c.example:8443/keys",
            "https://c.example.evil.example/keys",
        ] {
            assert_eq!(refused(&at(foreign)), InvalidClientDocument::ForeignKeys, "{foreign}");
        }
        let both = [signs.clone(), ("jwks", jwks()), ("jwks_uri", json!("https://c.example/keys"))];
        assert_eq!(refused(&both), InvalidClientDocument::Keys(InvalidClientKeys::Both));
        assert_eq!(refused(&[signs]), InvalidClientDocument::Keys(InvalidClientKeys::Missing));
    }

    #[test]
    fn ci_10_the_documents_of_the_field_are_read() {
        let claude = json!({
            "client_id": "https://claude.ai/oauth/mcp-oauth-client-metadata",
            "client_name": "Claude",
            "client_uri": "https://claude.ai",
            "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"],
            "grant_types": [
                "authorization_code",
                "refresh_token",
                "urn:ietf:params:oauth:grant-type:jwt-bearer",
            ],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        });
        assert_eq!(client(&claude).credential, ClientCredential::Public);

        let claude_code = json!({
            "client_id": "https://claude.ai/oauth/claude-code-client-metadata",
            "client_name": "Claude Code",
            "client_uri": "https://claude.ai",
            "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        });
        let asked = RedirectUri::parse("http://localhost:3118/callback").unwrap();
        assert!(client(&claude_code).metadata.permits_redirect(&asked));

        let chatgpt = json!({
            "client_id": "https://chatgpt.com/oauth/IbUR3zxyNQ16/client.json",
            "client_uri": "https://chatgpt.com/",
            "redirect_uris": ["https://chatgpt.com/connector/oauth/IbUR3zxyNQ16"],
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "client_name": "ChatGPT",
            "token_endpoint_auth_signing_alg": "RS256",
            "jwks_uri": "https://chatgpt.com/oauth/jwks.json",
        });
        let ClientCredential::Keys(keys) = client(&chatgpt).credential else { panic!("no keys") };
        assert_eq!(keys.algorithm, Some(AssertionAlgorithm::Rs256));
    }
}
