//! Logging in at a provider: our consent, their login, our code (checklist 4: AZ-18 to AZ-27; 5: UP-01,
//! 08; 2: JV-19).

use mcp_oauth_core::domain::admission::AdmissionPolicy;
use mcp_oauth_core::port::LoginProvider;
use serde_json::{Value, json};

use crate::answer::{Answer, Location, unescaped};
use crate::parameters::Parameters;
use crate::providers::{PROVIDER_TOKEN, code_of, issuer, provider};
use crate::scenario::{LOCAL, Scenario, Setup};
use crate::steps::Client;

/// A provider that lets everybody in.
pub(crate) fn open_to_all(name: &'static str) -> LoginProvider {
    provider(name, AdmissionPolicy::default()).0
}

/// A server whose people log in at these providers.
pub(crate) fn broker(providers: Vec<LoginProvider>) -> Scenario {
    Scenario::of(Setup { providers, ..Setup::at(LOCAL) })
}

/// One whose people log in at `work`.
pub(crate) fn at_work() -> Scenario {
    broker(vec![open_to_all("work")])
}

impl Scenario {
    /// Says yes on the page before the login, and is sent to a provider.
    pub(crate) async fn go_to(&self, page: &Answer, provider: &str) -> Location {
        self.submit(page, &[("provider", provider)]).await.location()
    }

    /// Begins a login at the provider `work`.
    pub(crate) async fn away(&self, client: &Client) -> Location {
        let page = self.authorize(&client.request()).await.expect(200);
        self.go_to(&page, "work").await
    }

    /// Comes back from a provider with these parameters.
    pub(crate) async fn come_back(&self, provider: &str, parameters: &Parameters) -> Answer {
        let callback = self.path(&format!("/callback/{provider}"));
        self.get(&format!("{callback}?{}", parameters.encoded())).in_browser().send().await
    }

    /// Logs in at `work` and comes back.
    pub(crate) async fn logged_in_as(&self, subject: &str, away: &Location) -> Answer {
        self.come_back("work", &answer_for(subject, away)).await
    }

    /// The access token of a login at a provider, from the beginning.
    async fn token_of(&self, provider: &str, subject: &str) -> String {
        self.another_browser();
        let client = self.client().await;
        let page = self.authorize(&client.request()).await.expect(200);
        let away = self.go_to(&page, provider).await;
        let back = self.come_back(provider, &answer_for(subject, &away)).await.location();
        self.redeem(&client, back.query.get("code").unwrap()).await.expect(200).access_token()
    }

    async fn whoami(&self, token: &str) -> Value {
        self.get(&self.path("/userinfo")).bearer(token).send().await.expect(200).json()
    }
}

/// What a provider answers when somebody logged in.
pub(crate) fn answer_for(subject: &str, away: &Location) -> Parameters {
    let state = away.query.get("state").unwrap();
    Parameters::new(&[("state", state), ("code", &code_of(subject, &away.query))])
}

fn header_texts(answer: &Answer) -> String {
    format!("{:?}", answer.headers)
}

#[tokio::test]
async fn az_18_consent_then_the_provider_then_a_code_that_works() {
    let (login, fake) = provider("work", AdmissionPolicy::default());
    let scenario = broker(vec![login]);
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await.expect(200);
    let away = scenario.go_to(&page, "work").await;
    assert_eq!(away.address, "https://work.example/authorize");
    let answer = scenario.logged_in_as("alice", &away).await;
    assert!(!header_texts(&answer).contains(PROVIDER_TOKEN));
    let back = answer.location();
    assert_eq!(back.address, client.redirect_uri);
    assert_eq!(back.query.names(), ["code", "state", "iss"]);
    assert_eq!(back.query.get("state"), Some("a state"));
    assert_eq!(fake.redeemed().len(), 1);
    assert_ne!(back.query.get("code"), Some(&*fake.redeemed()[0]));
    let code = back.query.get("code").unwrap();
    let tokens = scenario.redeem(&client, code).await.expect(200).tokens();
    scenario.hello(&tokens.access).await.expect(200);
    scenario.refresh(&client, &tokens.refresh).await.expect(200);
    let told = scenario.whoami(&tokens.access).await;
    let expected = json!({
        "sub": "https://work.example|alice",
        "name": "alice of work",
        "email": "alice@work.example",
        "email_verified": true,
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn az_18_nobody_is_sent_to_a_provider_before_they_said_yes() {
    let scenario = at_work();
    let client = scenario.client().await;
    for path in ["/authorize", "/consent"] {
        let query = client.request().encoded();
        let page = scenario.get(&format!("{path}?{query}")).in_browser().send().await.expect(200);
        assert_eq!(page.header("location"), None);
        assert!(!page.page().contains("https://work.example"), "{}", page.body);
    }
    assert_eq!(scenario.store.writes(), ["register"]);
}

#[tokio::test]
async fn az_19_the_page_says_who_asks_for_what_and_where_it_leads() {
    let scenario = at_work();
    let metadata =
        json!({ "client_name": "Claude & <Co>", "redirect_uris": ["http://localhost/cb"] });
    let client = scenario.client_like(metadata).await;
    let page = scenario.authorize(&client.request()).await.expect(200);
    assert!(!page.page().contains("<Co>"));
    let page = unescaped(page.page());
    for text in [
        "Claude & <Co>",
        "Use the tools of this server on your behalf",
        "mcp:tools",
        "http://localhost/cb",
        "any program here could have asked",
        "Allow and continue with Example & work",
    ] {
        assert!(page.contains(text), "{text} is not on the page");
    }
}

#[tokio::test]
async fn several_providers_are_several_buttons() {
    let scenario = broker(vec![open_to_all("work"), open_to_all("home")]);
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await.expect(200);
    let buttons = page.page().split("name=\"provider\" value=\"").skip(1);
    let names: Vec<_> = buttons.map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(names, ["work", "home"]);
    for name in names {
        assert_eq!(
            scenario.go_to(&page, name).await.address,
            format!("{}/authorize", issuer(name))
        );
    }
}

#[tokio::test]
async fn jv_19_one_name_at_two_providers_is_two_people() {
    let scenario = broker(vec![open_to_all("work"), open_to_all("home")]);
    let work = scenario.token_of("work", "alice").await;
    let home = scenario.token_of("home", "alice").await;
    let subject = |told: Value| told["sub"].as_str().unwrap().to_owned();
    assert_eq!(subject(scenario.whoami(&work).await), "https://work.example|alice");
    assert_eq!(subject(scenario.whoami(&home).await), "https://home.example|alice");
}

#[tokio::test]
async fn selected_claims_of_the_provider_reach_the_tool_and_none_replaces_ours() {
    let scenario = at_work();
    let token = scenario.token_of("work", "alice").await;
    let payload = token.split('.').nth(1).unwrap();
    let payload = mcp_oauth_core::domain::secret::from_base64url(payload).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(claims["sub"], "https://work.example|alice");
    assert_eq!(claims["scope"], "mcp:tools");
    assert_eq!(claims["org_id"], "org-1");
    assert_eq!(claims["groups"], json!(["staff"]));
    assert_eq!(claims["permissions"], json!(["read:all"]));
    assert_eq!(claims.get("not_selected"), None);
    let header = format!("Bearer {token}");
    let bearer = scenario.use_cases.access.authenticate(&[header.as_bytes()]).await.unwrap();
    assert_eq!(bearer.groups, ["staff".to_owned()].into());
    assert_eq!(bearer.permissions, ["read:all".to_owned()].into());
    assert_eq!(bearer.tenant.as_deref(), Some("org-1"));
}

#[tokio::test]
async fn up_01_nothing_that_goes_to_the_provider_is_the_clients() {
    let scenario = at_work();
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await.expect(200);
    let first = scenario.go_to(&page, "work").await;
    let second = scenario.go_to(&page, "work").await;
    for name in ["state", "nonce", "code_challenge"] {
        let (first, second) = (first.query.get(name).unwrap(), second.query.get(name).unwrap());
        assert_eq!(first.len(), 43, "{name}");
        assert_ne!(first, second, "{name}");
        assert_ne!(Some(first), client.request().get(name), "{name}");
    }
    assert_eq!(first.query.get("redirect_uri"), Some("http://localhost:8000/callback/work"));
    let sent = first.query.encoded();
    for of_client in [&*client.id, "33418", "a+state", "resource"] {
        assert!(!sent.contains(of_client), "{sent}");
    }
}

#[tokio::test]
async fn az_25_az_26_the_cookie_of_a_login_comes_with_the_yes_and_not_before() {
    let scenario = Scenario::of(Setup {
        providers: vec![open_to_all("work")],
        ..Setup::at("https://mcp.example.com")
    });
    let client = scenario.client().await;
    let page = scenario.authorize(&client.request()).await.expect(200);
    assert!(page.header("set-cookie").unwrap().starts_with("__Host-mcp-browser="));
    let denied = scenario.deny(&page).await;
    assert_eq!(denied.header("set-cookie"), None);
    let sent = scenario.submit(&page, &[("provider", "work")]).await;
    let cookie = sent.header("set-cookie").unwrap();
    let (pair, attributes) = cookie.split_once(';').unwrap();
    assert!(pair.starts_with("__Host-mcp-login=") && pair.len() >= 43, "{pair}");
    assert_eq!(attributes, " HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=600");
    assert_eq!(sent.header("cache-control"), Some("no-store"));
    let back = scenario.logged_in_as("alice", &sent.location()).await;
    let cookie = back.header("set-cookie").unwrap();
    let (pair, attributes) = cookie.split_once(';').unwrap();
    assert!(pair.starts_with("__Host-mcp-session="), "{pair}");
    assert_eq!(attributes, " HttpOnly; SameSite=Lax; Secure; Path=/");
}

#[tokio::test]
async fn az_21_tabs_do_not_disturb_each_other() {
    let scenario = at_work();
    let (one, two) = (scenario.client().await, scenario.client().await);
    let first_page = scenario.authorize(&one.request()).await.expect(200);
    let second_page = scenario.authorize(&two.request()).await.expect(200);
    let first = scenario.go_to(&first_page, "work").await;
    let second = scenario.go_to(&second_page, "work").await;
    let third = scenario.go_to(&first_page, "work").await;
    for (client, away) in [(&two, second), (&one, first), (&one, third)] {
        let back = scenario.logged_in_as("alice", &away).await.location();
        scenario.redeem(client, back.query.get("code").unwrap()).await.expect(200);
    }
}

#[tokio::test]
async fn who_is_logged_in_is_asked_by_name_and_not_sent_away_again() {
    let scenario = at_work();
    let client = scenario.client().await;
    let away = scenario.away(&client).await;
    scenario.logged_in_as("alice", &away).await.location();
    let page = scenario.authorize(&client.request()).await.expect(200);
    assert!(page.page().contains("You are logged in as <strong>alice of work</strong>"));
    assert!(!page.page().contains("name=\"provider\""));
    assert!(scenario.approve(&page).await.location().query.get("code").is_some());
    let again = scenario.authorize(&client.request().with("prompt", "login")).await.expect(200);
    let away = scenario.go_to(&again, "work").await;
    assert_eq!(away.query.get("prompt"), Some("login"));
    assert!(scenario.logged_in_as("alice", &away).await.location().query.get("code").is_some());
}

#[tokio::test]
async fn az_32_without_a_session_there_is_nothing_to_do_in_the_background() {
    let scenario = at_work();
    let client = scenario.client().await;
    let silent = client.request().with("prompt", "none");
    let told = |answer: Answer| answer.location().query.get("error").unwrap().to_owned();
    assert_eq!(told(scenario.authorize(&silent).await), "login_required");
    let away = scenario.away(&client).await;
    scenario.logged_in_as("alice", &away).await.location();
    assert_eq!(told(scenario.authorize(&silent).await), "consent_required");
}

#[tokio::test]
async fn az_24_a_consent_before_the_login_is_remembered_for_the_session() {
    let scenario = Scenario::of(Setup {
        providers: vec![open_to_all("work")],
        decided: |policy| policy.consent_lifetime = std::time::Duration::from_secs(3600),
        ..Setup::at(LOCAL)
    });
    let client = scenario.client_like(json!({ "redirect_uris": ["https://c.example/cb"] })).await;
    let page = scenario.authorize(&client.request()).await.expect(200);
    assert!(page.page().contains("you will not be asked again for 60 minutes"), "{}", page.body);
    let away = scenario.go_to(&page, "work").await;
    scenario.logged_in_as("alice", &away).await.location();
    let path = format!("/authorize?{}", client.request().encoded());
    let own = scenario.get(&path).header("sec-fetch-site", "none").in_browser().send().await;
    assert!(own.location().query.get("code").is_some());
    scenario.another_browser();
    let page = scenario.get(&path).header("sec-fetch-site", "none").in_browser().send().await;
    assert!(page.expect(200).page().contains("name=\"provider\""));
}

#[tokio::test]
async fn who_logs_out_has_to_go_to_their_provider_again() {
    let scenario = at_work();
    let client = scenario.client().await;
    let away = scenario.away(&client).await;
    scenario.logged_in_as("alice", &away).await.location();
    let page = scenario.get("/logout").in_browser().send().await.expect(200);
    assert!(page.page().contains("alice of work"));
    scenario.submit(&page, &[]).await.expect(200);
    let page = scenario.authorize(&client.request()).await.expect(200);
    assert!(page.page().contains("name=\"provider\""));
}

#[tokio::test]
async fn below_a_base_path_everything_is_where_the_provider_was_told() {
    let scenario = Scenario::of(Setup {
        providers: vec![open_to_all("work")],
        ..Setup::at("https://example.com/mcp-server")
    });
    let client = scenario.client().await;
    let away = scenario.away(&client).await;
    let callback = away.query.get("redirect_uri").unwrap();
    assert_eq!(callback, "https://example.com/mcp-server/callback/work");
    let path = format!("/mcp-server/callback/work?{}", answer_for("alice", &away).encoded());
    let back = scenario.get(&path).in_browser().send().await.location();
    assert!(back.query.get("code").is_some());
}

#[tokio::test]
async fn there_is_one_way_to_log_in() {
    let with_provider = at_work();
    let form = Parameters::new(&[("username", "alice"), ("password", "password")]);
    with_provider.post("/login").form(&form).send().await.refused(404, "not_found");
    with_provider.post("/callback/work").form(&form).send().await.expect(405);
    let with_passwords = Scenario::new();
    with_passwords.get("/callback/work?code=a&state=b").send().await.refused(404, "not_found");
    let client = with_passwords.client().await;
    let page = with_passwords.ask(&client.request()).await;
    let typed = [("before_login", "yes"), ("provider", "work")];
    let back = with_passwords.submit(&page, &typed).await.location();
    assert_eq!(back.query.get("error"), Some("access_denied"));
}
