//! The rules by which an access token of a provider is accepted (RFC 9068 §4, RFC 8725): the one
//! reading of a provider's policy.

use std::time::Duration;

use serde_json::Value;

use super::access_token::{VerifyError, moment, text, verified_email};
use super::client::ClientId;
use super::client_keys::AssertionAlgorithm;
use super::error_text::shortened;
use super::issuer::Issuer;
use super::jwt::JoseHeader;
use super::person::Subject;
use super::principal::{CallerKind, Principal};
use super::provider_account::ProviderIdentity;
use super::provider_claims::{Claims, found};
use super::provider_policy::{AudienceMode, ProviderPolicy, RequiredClaim, TypeRule};
use super::resource::ProtectedResource;
use super::timestamp::Timestamp;

/// The furthest a provider's clock may differ from ours, whatever the policy says.
pub const MOST_SKEW: Duration = Duration::from_secs(60);

/// Claims that only ID tokens have (OpenID Connect Core §3.1.3.6, §3.3.2.11).
const OF_ID_TOKENS: [&str; 2] = ["at_hash", "c_hash"];

/// The rules for access tokens of one provider.
#[derive(Debug, Clone)]
pub struct ProviderTokenRules<'a> {
    /// What the operator and the vendor say of them.
    pub policy: &'a ProviderPolicy,
    /// What the token must be for.
    pub resource: &'a ProtectedResource,
    /// The time of the check.
    pub now: Timestamp,
}

/// A token that is let in.
#[derive(Debug, Clone, PartialEq)]
pub struct AcceptedToken {
    /// Who is calling.
    pub principal: Principal,
    /// What it would have been refused for, did the policy not only observe; belongs in the log.
    pub observed: Option<VerifyError>,
}

impl ProviderTokenRules<'_> {
    /// Checks the header, before any cryptography, and tells the algorithm to check the signature
    /// with.
    ///
    /// # Errors
    /// [`VerifyError::WrongAlgorithm`] or [`VerifyError::WrongType`].
    pub fn check_header(&self, header: &JoseHeader) -> Result<AssertionAlgorithm, VerifyError> {
        let algorithm = self.policy.algorithm_of(header)?;
        match &self.policy.token_type {
            TypeRule::OneOf(types) if !types.iter().any(|name| header.is_of_type(name)) => {
                Err(VerifyError::WrongType {
                    received: header.typ.as_deref().map(shortened),
                    expected: join(types.iter().map(String::as_str)),
                })
            }
            _ => Ok(algorithm),
        }
    }

    /// Checks the claims of a token whose signature was verified.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn accept(&self, claims: Claims) -> Result<AcceptedToken, VerifyError> {
        if let Some(name) = OF_ID_TOKENS.iter().find(|name| claims.contains_key(**name)) {
            return Err(VerifyError::WrongType {
                received: Some(format!("one with {name}, an ID token")),
                expected: "an access token".to_owned(),
            });
        }
        self.check_presence(&claims)?;
        self.accept_claims(claims)
    }

    /// Tells access tokens from others by the claims that only one of them has.
    fn check_presence(&self, claims: &Claims) -> Result<(), VerifyError> {
        let ProviderPolicy { present, present_any, absent, .. } = self.policy;
        let is_there = |name: &&String| found(claims, name).is_some();
        if let Some(name) = present.iter().find(|name| !is_there(name)) {
            return Err(VerifyError::BadClaim(name.clone().into()));
        }
        if !present_any.is_empty() && !present_any.iter().any(|name| is_there(&name)) {
            return Err(VerifyError::BadClaim(present_any.join(" or ").into()));
        }
        if let Some(name) = absent.iter().find(is_there) {
            return Err(VerifyError::WrongType {
                received: Some(format!("one with {name}")),
                expected: "an access token".to_owned(),
            });
        }
        Ok(())
    }

    /// Checks what the provider said of a token when it was asked. Which claims an access token has
    /// beside the required ones does not matter then; the issuer is the one that was asked unless the
    /// answer says so itself.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn accept_looked_up(&self, mut claims: Claims) -> Result<AcceptedToken, VerifyError> {
        let asked = || Value::String(self.policy.issuer.issuer.as_str().to_owned());
        claims.entry("iss").or_insert_with(asked);
        self.accept_claims(claims)
    }

    fn accept_claims(&self, claims: Claims) -> Result<AcceptedToken, VerifyError> {
        let issuer = self.policy.check_issuer(&claims)?;
        // Worth nothing without the proof of its key, and nobody asks for that here (RFC 9449 §7.1,
        // RFC 8705 §3).
        if claims.contains_key("cnf") {
            return Err(VerifyError::WrongType {
                received: Some("one that is bound to a key (cnf)".to_owned()),
                expected: "a bearer token".to_owned(),
            });
        }
        for required in &self.policy.required {
            required.check(&claims)?;
        }
        let times = self.policy.check_times(&claims, self.now)?;
        let audiences = self.audiences(&claims)?;
        let observed = match self.check_audience(&audiences) {
            Err(refusal) if self.policy.audience.mode != AudienceMode::Observe => {
                return Err(refusal);
            }
            checked => checked.err(),
        };
        let principal = self.principal(issuer, audiences, times, claims)?;
        Ok(AcceptedToken { principal, observed })
    }

    fn principal(
        &self,
        issuer: Issuer,
        audiences: Vec<String>,
        times: Times,
        claims: Claims,
    ) -> Result<Principal, VerifyError> {
        let sources = &self.policy.claims;
        let subject = sources.subject_of(&claims)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let client = sources.client_of(&claims).or_else(|| text("client_id").map(ClientId::new));
        let is_client = client.as_ref().is_some_and(|client| {
            [Some(subject.as_str()), text("sub")].contains(&Some(client.as_str()))
        });
        let is_machine = is_client || self.policy.machines.iter().any(|mark| mark.is_on(&claims));
        let tenant = sources.tenant_of(&claims).or_else(|| sources.organization_of(&claims));
        Ok(Principal {
            issuer,
            kind: if is_machine { CallerKind::Machine } else { CallerKind::User },
            subject: person_or_program(subject.as_str())?,
            client,
            audiences,
            scopes: sources.scopes_of(&claims)?,
            permissions: sources.permissions_of(&claims),
            groups: sources.groups_of(&claims),
            tenant,
            verified_email: verified_email(&claims),
            issued_at: times.issued_at,
            expires_at: times.expires_at,
            token_id: text("jti").map(str::to_owned),
            // A claim of this name is not ours: only own tokens have a grant here.
            grant: None,
            claims,
        })
    }

    /// Every value of every claim that names an audience.
    fn audiences(&self, claims: &Claims) -> Result<Vec<String>, VerifyError> {
        let mut all = Vec::new();
        for name in &self.policy.audience.claims {
            all.extend(audiences(claims, name)?);
        }
        Ok(all)
    }

    fn check_audience(&self, audiences: &[String]) -> Result<(), VerifyError> {
        let rule = &self.policy.audience;
        let is_ours = |audience: &String| {
            self.resource.is_named_by(audience) || rule.accepted.contains(audience)
        };
        let names_nobody = audiences.is_empty() && rule.mode == AudienceMode::Foreign;
        let is_named = names_nobody || audiences.iter().any(is_ours);
        let is_known = |audience: &String| {
            is_ours(audience) || rule.others.as_ref().is_none_or(|others| others.contains(audience))
        };
        if is_named && audiences.iter().all(is_known) {
            return Ok(());
        }
        let ours = [self.resource.canonical().as_str()].into_iter();
        let mut expected = join(ours.chain(rule.accepted.iter().map(String::as_str)));
        if let Some(others) = &rule.others {
            expected =
                format!("{expected}, beside it only {}", join(others.iter().map(String::as_str)));
        }
        let received = audiences.iter().map(|audience| shortened(audience)).collect();
        Err(VerifyError::WrongAudience { received, expected })
    }
}

/// The times of a token that is alive.
struct Times {
    issued_at: Option<Timestamp>,
    expires_at: Timestamp,
}

impl ProviderPolicy {
    /// The algorithm of a token, access token or ID token: one of the policy, whatever the token
    /// names (RFC 8725 §3.1). `none` and those with a shared secret are not among them.
    ///
    /// # Errors
    /// [`VerifyError::WrongAlgorithm`].
    pub fn algorithm_of(&self, header: &JoseHeader) -> Result<AssertionAlgorithm, VerifyError> {
        let algorithm = AssertionAlgorithm::from_name(&header.alg);
        let algorithm = algorithm.filter(|algorithm| self.algorithms.contains(algorithm));
        algorithm.ok_or_else(|| VerifyError::WrongAlgorithm {
            received: shortened(&header.alg),
            expected: join(self.algorithms.iter().map(|algorithm| algorithm.as_str())),
        })
    }

    /// Who the claims of an ID token for `client` name whose signature and nonce were verified;
    /// checks issuer, audience and times (OpenID Connect Core §3.1.3.7).
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn identity(
        &self,
        claims: Claims,
        client: &str,
        now: Timestamp,
    ) -> Result<ProviderIdentity, VerifyError> {
        let issuer = self.check_issuer(&claims)?;
        check_made_for(client, &claims)?;
        if self.check_times(&claims, now)?.issued_at.is_none() {
            return Err(VerifyError::BadClaim("iat".into()));
        }
        self.claims.identity_of(issuer, claims)
    }

    fn check_issuer(&self, claims: &Claims) -> Result<Issuer, VerifyError> {
        let issuer = Issuer::new(text(claims, "iss")?);
        if self.issuer.accepts(&issuer) {
            return Ok(issuer);
        }
        Err(VerifyError::WrongIssuer {
            received: shortened(issuer.as_str()),
            expected: self.issuer.spelled_out(),
        })
    }

    fn check_times(&self, claims: &Claims, now: Timestamp) -> Result<Times, VerifyError> {
        let skew = self.clock_skew.min(MOST_SKEW);
        let expires_at = moment(claims, "exp")?.ok_or(VerifyError::BadClaim("exp".into()))?;
        if now >= expires_at.after(skew) {
            let expired_at = expires_at.as_unix();
            return Err(VerifyError::Expired { expired_at, now: now.as_unix() });
        }
        let issued_at = moment(claims, "iat")?;
        for from in [moment(claims, "nbf")?, issued_at].into_iter().flatten() {
            if from > now.after(skew) {
                let valid_from = from.as_unix();
                return Err(VerifyError::NotYetValid { valid_from, now: now.as_unix() });
            }
        }
        let Some(longest) = self.longest_age else { return Ok(Times { issued_at, expires_at }) };
        let issued = issued_at.ok_or(VerifyError::BadClaim("iat".into()))?;
        if now > issued.after(longest).after(skew) {
            return Err(VerifyError::TooOld {
                issued_at: issued.as_unix(),
                longest: longest.as_secs(),
                now: now.as_unix(),
            });
        }
        Ok(Times { issued_at, expires_at })
    }
}

/// An ID token is for us if `aud` names us; if it names others too, or there is an `azp`, that has to
/// be us (OpenID Connect Core §3.1.3.7, steps 3 to 5).
fn check_made_for(client: &str, claims: &Claims) -> Result<(), VerifyError> {
    let audiences = audiences(claims, "aud")?;
    if !audiences.iter().any(|audience| audience == client) {
        let received = audiences.iter().map(|audience| shortened(audience)).collect();
        return Err(VerifyError::WrongAudience { received, expected: client.to_owned() });
    }
    if audiences.len() == 1 && !claims.contains_key("azp") {
        return Ok(());
    }
    RequiredClaim { name: "azp".to_owned(), value: client.to_owned() }.check(claims)
}

/// The values of a claim that is a text or a list of them; none when it is not there.
fn audiences(claims: &Claims, name: &str) -> Result<Vec<String>, VerifyError> {
    let bad = || VerifyError::BadClaim(name.to_owned().into());
    match found(claims, name) {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(several)) => {
            let texts = several.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or_else(bad)
        }
        Some(_) => Err(bad()),
    }
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(" or ")
}

/// No provider names a subject as this server names clients.
fn person_or_program(subject: &str) -> Result<Subject, VerifyError> {
    let subject = Subject::new(subject);
    if subject.is_client() { Err(VerifyError::BadClaim("sub".into())) } else { Ok(subject) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::provider::IssuerRule;
    use super::super::provider_policy::MachineMark;
    use super::super::resource::{ResourceDocument, ResourceUri};
    use super::super::scope::ScopeSet;
    use super::*;

    const NOW: i64 = 1_000_000;
    const ISSUER: &str = "https://tenant.auth0.com/";
    const RESOURCE: &str = "https://mcp.example/mcp";

    fn policy(change: impl FnOnce(&mut ProviderPolicy)) -> ProviderPolicy {
        let mut policy = ProviderPolicy::standard(IssuerRule::exactly(Issuer::new(ISSUER)));
        change(&mut policy);
        policy
    }

    fn standard() -> ProviderPolicy {
        policy(|_| {})
    }

    fn with_rules<T>(
        policy: &ProviderPolicy,
        check: impl FnOnce(ProviderTokenRules<'_>) -> T,
    ) -> T {
        let spellings = [RESOURCE, "https://mcp.example"];
        let spellings = spellings.map(|it| (it.to_owned(), ResourceDocument::StreamableHttp));
        let canonical = ResourceUri::parse(RESOURCE).unwrap();
        let resource = ProtectedResource::new(canonical, BTreeMap::from(spellings));
        let now = Timestamp::from_unix(NOW);
        check(ProviderTokenRules { policy, resource: &resource, now })
    }

    /// Good claims but for those named; `null` takes one out.
    fn claims(changes: Value) -> Claims {
        let mut claims = json!({
            "iss": ISSUER, "sub": "auth0|1", "aud": RESOURCE, "client_id": "client",
            "scope": "read write", "iat": NOW - 10, "exp": NOW + 100, "jti": "t1",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let claims = claims.as_object().unwrap().clone();
        claims.into_iter().filter(|(_, value)| !value.is_null()).collect()
    }

    fn accept(policy: &ProviderPolicy, changes: Value) -> Result<AcceptedToken, VerifyError> {
        with_rules(policy, |rules| rules.accept(claims(changes)))
    }

    fn refusal(policy: &ProviderPolicy, changes: Value) -> VerifyError {
        accept(policy, changes).unwrap_err()
    }

    fn header(alg: &str, typ: Option<&str>) -> JoseHeader {
        serde_json::from_value(json!({ "alg": alg, "typ": typ, "kid": "k" })).unwrap()
    }

    fn check_header(
        policy: &ProviderPolicy,
        header: &JoseHeader,
    ) -> Result<AssertionAlgorithm, VerifyError> {
        with_rules(policy, |rules| rules.check_header(header))
    }

    #[test]
    fn a_good_token_tells_who_calls() {
        let accepted = accept(&standard(), json!({ "grant_id": "g", "org_id": "org" })).unwrap();
        assert_eq!(accepted.observed, None);
        let principal = accepted.principal;
        assert_eq!(principal.subject, Subject::new("auth0|1"));
        assert_eq!(principal.client, Some(ClientId::new("client")));
        assert_eq!(principal.scopes, ScopeSet::parse("read write").unwrap());
        assert_eq!(principal.kind, CallerKind::User);
        assert_eq!(principal.tenant.as_deref(), Some("org"));
        assert_eq!(principal.expires_at, Timestamp::from_unix(NOW + 100));
        assert_eq!(principal.grant, None, "a grant of this server is nothing a provider can name");
    }

    #[test]
    fn jv_01_only_algorithms_of_the_policy_are_tried() {
        let only_rs256 = policy(|it| it.algorithms = vec![AssertionAlgorithm::Rs256]);
        for alg in ["none", "HS256", "HS512", "RS384", "ES256", "rs256", ""] {
            let refused = check_header(&only_rs256, &header(alg, Some("at+jwt")));
            assert!(matches!(refused, Err(VerifyError::WrongAlgorithm { .. })), "{alg}");
        }
        let accepted = check_header(&only_rs256, &header("RS256", Some("at+jwt")));
        assert_eq!(accepted, Ok(AssertionAlgorithm::Rs256));
    }

    #[test]
    fn jv_04_the_issuer_is_compared_byte_for_byte() {
        for iss in ["https://tenant.auth0.com", "HTTPS://tenant.auth0.com/", "https://other/"] {
            let refused = refusal(&standard(), json!({ "iss": iss }));
            assert!(matches!(refused, VerifyError::WrongIssuer { .. }), "{iss}");
        }
        assert_eq!(
            refusal(&standard(), json!({ "iss": null })),
            VerifyError::BadClaim("iss".into())
        );
    }

    #[test]
    fn jv_05_the_audience_is_a_text_or_a_list_that_has_ours() {
        for aud in [json!(RESOURCE), json!([RESOURCE]), json!(["https://a/", RESOURCE])] {
            assert!(accept(&standard(), json!({ "aud": aud })).is_ok(), "{aud}");
        }
        for aud in [json!(null), json!([]), json!(["https://a/"]), json!("https://mcp.example/m")] {
            let refused = refusal(&standard(), json!({ "aud": aud }));
            assert!(matches!(refused, VerifyError::WrongAudience { .. }), "{aud}");
        }
        for aud in [json!(7), json!({}), json!([RESOURCE, 7])] {
            let refused = refusal(&standard(), json!({ "aud": aud }));
            assert_eq!(refused, VerifyError::BadClaim("aud".into()));
        }
    }

    #[test]
    fn jv_05_a_client_id_can_be_the_audience_where_the_policy_says_so() {
        let entra = policy(|it| it.audience.accepted = vec!["api-client".into()]);
        assert!(accept(&entra, json!({ "aud": "api-client" })).is_ok());
        assert!(accept(&standard(), json!({ "aud": "api-client" })).is_err());
        let cognito = policy(|it| {
            it.audience.claims = vec!["aud".into(), "client_id".into()];
            it.audience.accepted = vec!["client".into()];
        });
        assert!(accept(&cognito, json!({ "aud": null })).is_ok());
        assert!(accept(&cognito, json!({ "aud": null, "client_id": "other" })).is_err());
    }

    #[test]
    fn jv_06_a_foreign_audience_may_only_stand_beside_ours_if_it_is_listed() {
        let userinfo = format!("{ISSUER}userinfo");
        let auth0 = policy(|it| it.audience.others = Some(vec![userinfo.clone()]));
        assert!(accept(&auth0, json!({ "aud": [RESOURCE, userinfo] })).is_ok());
        for aud in [json!([RESOURCE, "https://foreign/"]), json!([userinfo])] {
            let refused = refusal(&auth0, json!({ "aud": aud }));
            assert!(matches!(refused, VerifyError::WrongAudience { .. }), "{aud}");
        }
    }

    #[test]
    fn jv_05_what_a_weaker_mode_lets_in_is_told() {
        let foreign = policy(|it| it.audience.mode = AudienceMode::Foreign);
        assert!(accept(&foreign, json!({ "aud": null })).is_ok());
        assert!(accept(&foreign, json!({ "aud": "https://foreign/" })).is_err());
        let observe = policy(|it| it.audience.mode = AudienceMode::Observe);
        for aud in [json!(null), json!("https://foreign/")] {
            let observed = accept(&observe, json!({ "aud": aud })).unwrap().observed;
            assert!(matches!(observed, Some(VerifyError::WrongAudience { .. })), "{aud}");
        }
        assert_eq!(accept(&observe, json!({})).unwrap().observed, None);
    }

    #[test]
    fn jv_07_a_token_ends_and_60_seconds_are_the_most_skew() {
        let generous = policy(|it| it.clock_skew = Duration::from_secs(3600));
        for (exp, is_alive) in [(NOW - 59, true), (NOW - 60, false), (NOW - 61, false)] {
            assert_eq!(accept(&generous, json!({ "exp": exp })).is_ok(), is_alive, "{exp}");
        }
        let refused = refusal(&standard(), json!({ "exp": NOW - 30 }));
        assert_eq!(refused, VerifyError::Expired { expired_at: NOW - 30, now: NOW });
        for exp in [json!(null), json!("soon")] {
            let refused = refusal(&standard(), json!({ "exp": exp }));
            assert_eq!(refused, VerifyError::BadClaim("exp".into()));
        }
    }

    #[test]
    fn jv_08_jv_09_a_token_of_the_future_is_refused() {
        for name in ["nbf", "iat"] {
            assert!(accept(&standard(), json!({ name: NOW + 30 })).is_ok());
            let refused = refusal(&standard(), json!({ name: NOW + 120 }));
            assert_eq!(refused, VerifyError::NotYetValid { valid_from: NOW + 120, now: NOW });
        }
    }

    #[test]
    fn jv_09_an_old_token_is_refused_whatever_its_end() {
        let young = policy(|it| it.longest_age = Some(Duration::from_secs(300)));
        assert!(accept(&young, json!({ "iat": NOW - 330 })).is_ok());
        let refused = refusal(&young, json!({ "iat": NOW - 331 }));
        assert_eq!(refused, VerifyError::TooOld { issued_at: NOW - 331, longest: 300, now: NOW });
        assert_eq!(refusal(&young, json!({ "iat": null })), VerifyError::BadClaim("iat".into()));
        assert!(accept(&standard(), json!({ "iat": null })).is_ok());
    }

    #[test]
    fn jv_10_an_id_token_is_refused_by_its_type() {
        for typ in [None, Some("JWT"), Some("jwt"), Some("id+jwt")] {
            let refused = check_header(&standard(), &header("RS256", typ));
            assert!(matches!(refused, Err(VerifyError::WrongType { .. })), "{typ:?}");
        }
        for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
            assert!(check_header(&standard(), &header("RS256", Some(typ))).is_ok(), "{typ}");
        }
    }

    #[test]
    fn jv_10_where_types_are_all_alike_something_else_tells_an_id_token() {
        let any = policy(|it| it.token_type = TypeRule::Any);
        assert!(check_header(&any, &header("RS256", None)).is_ok());
        for name in ["at_hash", "c_hash"] {
            let refused = refusal(&any, json!({ name: "x" }));
            assert!(matches!(refused, VerifyError::WrongType { .. }));
        }
        let claim = RequiredClaim { name: "token_use".into(), value: "access".into() };
        let cognito = policy(|it| it.required = vec![claim]);
        assert!(accept(&cognito, json!({ "token_use": "access" })).is_ok());
        for value in [json!("id"), json!(null), json!(["access"])] {
            let refused = refusal(&cognito, json!({ "token_use": value }));
            assert!(matches!(refused, VerifyError::WrongClaim { .. }), "{value}");
        }
        let okta = policy(|it| it.present = vec!["cid".into()]);
        assert!(accept(&okta, json!({ "cid": "c" })).is_ok());
        assert_eq!(refusal(&okta, json!({})), VerifyError::BadClaim("cid".into()));
    }

    #[test]
    fn jv_10_the_claims_that_only_one_kind_of_token_has_tell_them_apart() {
        let policy = policy(|policy| {
            policy.present_any = vec!["azp".to_owned(), "appid".to_owned()];
            policy.absent = vec!["nonce".to_owned()];
        });
        assert!(accept(&policy, json!({ "appid": "c" })).is_ok());
        let neither = refusal(&policy, json!({}));
        assert_eq!(neither, VerifyError::BadClaim("azp or appid".into()));
        let id_token = refusal(&policy, json!({ "azp": "c", "nonce": "n" }));
        assert!(matches!(id_token, VerifyError::WrongType { .. }));
    }

    #[test]
    fn ex_07_a_token_bound_to_a_key_is_worth_nothing_without_its_proof() {
        let bound = json!({ "cnf": { "jkt": "thumbprint" } });
        assert!(matches!(refusal(&standard(), bound.clone()), VerifyError::WrongType { .. }));
        let policy = standard();
        let looked_up = with_rules(&policy, |rules| rules.accept_looked_up(claims(bound)));
        assert!(matches!(looked_up, Err(VerifyError::WrongType { .. })));
    }

    #[test]
    fn jv_19_no_provider_names_a_person_as_clients_are_named_here() {
        let named = refusal(&standard(), json!({ "sub": "client:someone" }));
        assert_eq!(named, VerifyError::BadClaim("sub".into()));
    }

    #[test]
    fn jv_17_a_token_looked_up_keeps_the_same_rules() {
        let looked_up = |changes: Value| {
            let policy = policy(|it| it.present = vec!["cid".into()]);
            with_rules(&policy, |rules| rules.accept_looked_up(claims(changes)))
        };
        assert!(looked_up(json!({})).is_ok());
        assert!(looked_up(json!({ "iss": null })).is_ok());
        for changes in [
            json!({ "iss": "https://other/" }),
            json!({ "aud": "https://foreign/" }),
            json!({ "exp": NOW - 31 }),
            json!({ "exp": null }),
            json!({ "sub": null }),
        ] {
            assert!(looked_up(changes.clone()).is_err(), "{changes}");
        }
    }

    #[test]
    fn jv_19_a_token_that_names_nobody_is_refused() {
        for sub in [json!(null), json!(""), json!(7), json!("a\nb")] {
            let refused = refusal(&standard(), json!({ "sub": sub }));
            assert_eq!(refused, VerifyError::BadClaim("sub".into()));
        }
    }

    #[test]
    fn a_program_is_told_from_a_person() {
        let kind = |policy: &ProviderPolicy, changes: Value| {
            accept(policy, changes).unwrap().principal.kind
        };
        assert_eq!(kind(&standard(), json!({ "sub": "client" })), CallerKind::Machine);
        let says = RequiredClaim { name: "gty".into(), value: "client-credentials".into() };
        let auth0 = policy(|it| it.machines = vec![MachineMark::Says(says)]);
        assert_eq!(kind(&auth0, json!({ "gty": "client-credentials" })), CallerKind::Machine);
        assert_eq!(kind(&auth0, json!({ "gty": "password" })), CallerKind::User);
        let entra = policy(|it| it.machines = vec![MachineMark::Lacks("scp".into())]);
        assert_eq!(kind(&entra, json!({})), CallerKind::Machine);
        assert_eq!(kind(&entra, json!({ "scp": "a" })), CallerKind::User);
    }

    #[test]
    fn jv_18_a_refusal_repeats_only_the_beginning_of_what_a_stranger_wrote() {
        let long = "x".repeat(5000);
        for changes in [json!({ "iss": long }), json!({ "aud": long })] {
            assert!(refusal(&standard(), changes).to_string().len() < 1000);
        }
    }

    #[test]
    fn up_02_an_identity_is_of_the_issuer_and_alive() {
        let identity =
            |changes| standard().identity(claims(changes), RESOURCE, Timestamp::from_unix(NOW));
        assert_eq!(identity(json!({})).unwrap().subject.as_str(), "auth0|1");
        assert!(identity(json!({ "aud": ["other", RESOURCE], "azp": RESOURCE })).is_ok());
        for changes in [
            json!({ "iss": "https://tenant.auth0.com" }),
            json!({ "exp": NOW - 30 }),
            json!({ "exp": null }),
            json!({ "iat": NOW + 60 }),
            json!({ "iat": null }),
            json!({ "nbf": NOW + 60 }),
            json!({ "sub": null }),
            json!({ "aud": "other" }),
            json!({ "aud": null }),
            json!({ "aud": ["other", RESOURCE] }),
            json!({ "aud": ["other", RESOURCE], "azp": "other" }),
            json!({ "azp": "other" }),
        ] {
            assert!(identity(changes.clone()).is_err(), "{changes}");
        }
    }
}
