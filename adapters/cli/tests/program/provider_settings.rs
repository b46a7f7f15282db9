//! Which providers log people in, and what is wrong with what is said of them: everything at once,
//! each with its place and remedy.

use crate::process::Program;

const SECRET: &str = "kept-to-itself-4711";

/// A start with a file, on a free port, with nothing kept.
fn start(file: &str) -> Program {
    Program::new().config(file).flags(&["--port", "0", "--store", "memory"])
}

/// Checks that a file is refused for one reason.
#[track_caller]
fn refuses(file: &str, words: &[&str]) {
    let explanation = start(file).refusal();
    for word in words {
        assert!(explanation.contains(word), "{word:?} is not in\n{explanation}");
    }
    assert_eq!(explanation.matches(" (from ").count(), 1, "{explanation}");
}

/// A complete table, with `more` lines.
fn oidc(more: &str) -> String {
    format!(
        "provider = \"oidc\"\n[identity.oidc]\nissuer = \"https://id.example\"\nclient_id = \"c\"\nclient_secret = \"{SECRET}\"\n{more}\n"
    )
}

/// The same for tokens that the provider issues.
fn issuing(more: &str) -> String {
    format!("authorization_server = \"provider\"\n{}", oidc(more))
}

#[test]
fn everything_that_a_provider_needs_is_asked_for_at_once() {
    let explanation = Program::new().flags(&["--port", "0", "--provider", "clerk"]).refusal();
    for key in ["issuer", "client_id", "client_secret"] {
        let told = format!("identity.clerk.{key} (from the flag --provider): it is missing");
        assert!(explanation.contains(&told), "{told}: {explanation}");
    }
    assert!(explanation.contains("CLERK_ISSUER: https://verb-noun-00"), "{explanation}");
}

#[test]
fn a_choice_of_providers_that_is_none_is_refused() {
    refuses("provider = \"clrk\"\n", &["provider (from", "\"clrk\" is not supported", "clerk?"]);
    refuses("provider = \"work\"\n", &["no [identity.work] describes it"]);
    refuses("provider = \"Work\"\n", &["is no name of a provider"]);
    refuses("providers = [\"dev\", \"clerk\"]\n", &["providers (from", "Leave dev out"]);
    refuses("providers = [\"clerk\", \"clerk\"]\n", &["is there twice"]);
    refuses("provider = \"clerk\"\nproviders = [\"auth0\"]\n", &["Set one of the two"]);
    refuses("authorization_server = \"provider\"\n", &["the dev provider issues no tokens"]);
    refuses("[identity.dev]\nissuer = \"x\"\n", &["identity.dev", "dev_users"]);
}

#[test]
fn what_is_said_of_a_provider_and_means_nothing_is_refused() {
    refuses(
        &oidc("isuer = \"x\""),
        &["identity.oidc.isuer", "no such key", "Did you mean issuer?"],
    );
    refuses(&oidc("kind = \"x\""), &["the kind in [identity.oidc] is not supported"]);
    refuses(&oidc("allowed_domains = [\"@example.com\"]"), &["is no domain"]);
    refuses(&oidc("allowed_emails = [\"bob\"]"), &["is no e-mail address"]);
    refuses(&oidc("allowed_tenants = [\"t\"]"), &["nobody could log in", "tenant_claim"]);
    refuses(&oidc("claims = [\"sub\"]"), &["\"sub\" has a meaning of its own"]);
    refuses(&oidc("authorize_parameters = { state = \"x\" }"), &["state is set by this server"]);
    refuses(&oidc("public_client = true"), &["there is a secret as well"]);
    refuses(&oidc("client_secret_file = \"nowhere\""), &["client_secret is set as well"]);
    refuses(&oidc("keep_tokens = true"), &["keep_tokens", "there is no encryption_secret"]);
    refuses(&issuing("keep_tokens = true"), &["keep_tokens", "nobody logs in here"]);
    refuses(&issuing("audience_mode = \"none\""), &["require or foreign or observe"]);
    refuses(&issuing("secret_key = \"sk_1\""), &["it is for Clerk alone"]);
    refuses(&issuing("allowed_groups = [\"g\"]"), &["nobody is refused by this list"]);
}

#[test]
fn up_04_an_issuer_that_cannot_be_one_is_refused() {
    let with = |kind: &str, issuer: &str| {
        let rest = "client_id = \"c\"\npublic_client = true\n";
        format!("provider = \"{kind}\"\n[identity.{kind}]\nissuer = \"{issuer}\"\n{rest}")
    };
    refuses(&with("auth0", "https://t.auth0.com"), &["end with a slash", "https://t.auth0.com/."]);
    refuses(&with("clerk", "https://c.example/"), &["no slash", "Write https://c.example."]);
    refuses(&with("oidc", "http://id.example"), &["plain http"]);
    refuses(&with("entra", "https://login.microsoftonline.com/common/v2.0"), &["allowed_tenants"]);
}

#[test]
fn jv_18_a_secret_is_never_repeated() {
    for wrong in ["client_secret = 4711", "client_secret = [\"4711\"]", "clientsecret = \"4711\""] {
        let file = format!("provider = \"oidc\"\n[identity.oidc]\n{wrong}\n");
        let explanation = start(&file).refusal();
        assert!(!explanation.contains("4711"), "{explanation}");
    }
    let running = start(&oidc("")).flags(&["--log-level", "trace"]).serve();
    let banner = running.banner.clone();
    let (_, log) = running.stop("-TERM");
    assert!(!format!("{banner}{log}").contains(SECRET), "{banner}{log}");
}

#[test]
fn the_start_says_where_people_log_in_and_what_to_register_there() {
    let running = start(&oidc("title = \"Work\"")).serve();
    let port = running.port();
    assert!(
        running.banner.contains("Log in at       Work, https://id.example"),
        "{}",
        running.banner
    );
    let callback = format!("http://localhost:{port}/callback/oidc");
    assert!(running.banner.contains(&callback), "{}", running.banner);
    assert!(!running.banner.contains("Dev user"), "{}", running.banner);
    assert_eq!(running.status("/dev/token"), 404);
    let resource = running.get("/.well-known/oauth-protected-resource/mcp");
    assert!(resource.contains(&format!("\"http://localhost:{port}\"")), "{resource}");
}

#[test]
fn a_provider_that_is_down_does_not_stop_the_start() {
    // Nobody listens on port 1.
    let file = oidc("").replace("https://id.example", "http://127.0.0.1:1");
    let running = start(&file).serve();
    assert_eq!(running.status("/health/live"), 200);
    assert_eq!(running.status("/mcp"), 401);
}

#[test]
fn one_setting_makes_the_provider_the_authorization_server() {
    let running = start(&issuing("")).serve();
    assert!(running.banner.contains("Tokens from     "), "{}", running.banner);
    let resource = running.get("/.well-known/oauth-protected-resource/mcp");
    assert!(resource.contains("\"authorization_servers\":[\"https://id.example\"]"), "{resource}");
    assert_eq!(running.status("/authorize"), 404);
}

#[test]
fn jv_19_the_start_warns_of_an_audience_that_is_not_required() {
    for (mode, word) in [("foreign", "names no audience"), ("observe", "every token")] {
        let more = format!("audience_mode = \"{mode}\"");
        let (_, log) = start(&issuing(&more)).serve().stop("-TERM");
        assert!(log.contains("identity.oidc.audience_mode is"), "{log}");
        assert!(log.contains(mode) && log.contains(word), "{log}");
    }
    let (_, log) = start(&issuing("")).serve().stop("-TERM");
    assert!(!log.contains("audience_mode"), "{log}");
}

#[test]
fn jv_19_opaque_tokens_of_clerk_need_a_word_about_their_audience() {
    let clerk = |more: &str| {
        format!(
            "authorization_server = \"provider\"\n{}secret_key = \"sk_1\"\n{more}\n",
            oidc("").replace("oidc", "clerk")
        )
    };
    let word = "names no audience, so that every one of them is refused";
    refuses(&clerk("token_format = \"opaque\""), &[word, "audience_mode = \"foreign\""]);
    for (more, warned) in [
        ("", true),
        ("token_format = \"jwt\"", false),
        ("audience_mode = \"require\"", false),
        ("audience_mode = \"foreign\"\ntoken_format = \"opaque\"", false),
    ] {
        let (_, log) = start(&clerk(more)).serve().stop("-TERM");
        assert_eq!(log.contains(word), warned, "{more}: {log}");
    }
}

#[test]
fn the_demonstrations_client_secret_is_that_of_the_one_provider() {
    let without = oidc("").replace(&format!("client_secret = \"{SECRET}\"\n"), "");
    refuses(&without, &["client_secret (from", "it is missing"]);
    let log_of = |file: &str, variable: Option<&str>| {
        let start = start(file).variable("CLIENT_SECRET", "old");
        let start = variable.into_iter().fold(start, |it, name| it.variable(name, SECRET));
        start.serve().stop("-TERM").1
    };
    assert!(!log_of(&without, None).contains("not used"));
    let log = log_of(&without, Some("OIDC_CLIENT_SECRET"));
    assert!(log.contains("CLIENT_SECRET is set and not used: OIDC_CLIENT_SECRET is set"), "{log}");
    let public = without.replace("client_id", "public_client = true\nclient_id");
    let log = log_of(&public, None);
    assert!(log.contains("not used: identity.oidc.public_client is set"), "{log}");
    let log = log_of("port = 0\n", None);
    assert!(log.contains("CLIENT_SECRET is set and not used"), "{log}");
}

#[test]
fn up_03_two_providers_that_vouch_as_one_issuer_are_refused() {
    let table = |name: &str, kind: &str, issuer: &str| {
        format!(
            "[identity.{name}]\nkind = \"{kind}\"\nissuer = \"{issuer}\"\nclient_id = \"c\"\npublic_client = true\n"
        )
    };
    let two =
        |first: String, second: String| format!("providers = [\"a\", \"b\"]\n{first}{second}");
    let tenant = table("a", "entra", "https://login.microsoftonline.com/t1/v2.0");
    let same = table("b", "oidc", "https://login.microsoftonline.com/t1/v2.0");
    refuses(&two(tenant.clone(), same), &["identity.b.issuer", "a has the same"]);
    let older = table("b", "oidc", "https://sts.windows.net/t1/");
    refuses(&two(tenant.clone(), older), &["identity.b.issuer", "one of the same issuers"]);
    let many = |tenant: &str| {
        let many = table("b", "entra", "https://login.microsoftonline.com/organizations/v2.0");
        format!("{many}allowed_tenants = [\"{tenant}\"]\n")
    };
    refuses(&two(tenant.clone(), many("t1")), &["identity.b.issuer", "one of the same issuers"]);
    start(&two(tenant, many("t2"))).serve().stop("-TERM");
}

#[test]
fn variables_of_the_family_describe_the_chosen_provider_and_win_over_a_file() {
    let file = "provider = \"clerk\"\n[identity.clerk]\nissuer = \"https://file.example\"\n";
    let described = start(file)
        .variable("CLERK_ISSUER", "https://variable.example")
        .variable("CLERK_CLIENT_ID", "c")
        .file("secret", SECRET)
        .variable("CLERK_CLIENT_SECRET_FILE", "secret");
    let running = described.serve();
    assert!(running.banner.contains("https://variable.example"), "{}", running.banner);
    let domain = Program::new().flags(&["--port", "0", "--store", "memory", "--provider", "auth0"]);
    let domain = domain.variable("AUTH0_DOMAIN", "t.auth0.com").variable("AUTH0_CLIENT_ID", "c");
    let running = domain.variable("AUTH0_CLIENT_SECRET", SECRET).serve();
    assert!(running.banner.contains("https://t.auth0.com/\n"), "{}", running.banner);
}

#[test]
fn variables_of_a_provider_that_is_not_chosen_are_warned_of() {
    let start = Program::new().variable("CLERK_ISSUER", "https://c.example");
    let start = start.variable("CLERK_PUBLISHABLE_KEY", "pk").variable("AUTH0_DOMAIN", "x");
    let (_, log) = start.serve_briefly().stop("-TERM");
    assert!(log.contains("CLERK_ISSUER is set and not used: clerk is not among"), "{log}");
    assert!(log.contains("AUTH0_DOMAIN is set and not used"), "{log}");
    assert!(!log.contains("CLERK_PUBLISHABLE_KEY"), "{log}");
}

#[test]
fn variables_that_could_be_meant_for_two_providers_are_refused() {
    let table = |name: &str, kind: &str| {
        format!(
            "[identity.{name}]\nkind = \"{kind}\"\nissuer = \"https://{name}.example\"\nclient_id = \"c\"\nclient_secret = \"s\"\n"
        )
    };
    let two = format!("providers = [\"a\", \"b\"]\n{}{}", table("a", "oidc"), table("b", "oidc"));
    let explanation = start(&two).variable("OIDC_CLIENT_ID", "c").refusal();
    assert!(explanation.contains("OIDC_CLIENT_ID (from the environment)"), "{explanation}");
    let running = start(&two).serve();
    for name in ["a", "b"] {
        assert!(running.banner.contains(&format!("/callback/{name}\n")), "{}", running.banner);
    }
}

#[test]
fn with_a_provider_a_public_address_is_allowed() {
    let file = format!("base_url = \"https://mcp.example\"\nhost = \"0.0.0.0\"\n{}", oidc(""));
    let running = start(&file).serve();
    let callback = "  Register there  https://mcp.example/callback/oidc\n";
    assert!(running.banner.contains(callback), "{}", running.banner);
    refuses(
        &format!("base_url = \"http://mcp.example\"\n{}", oidc("")),
        &["base_url", "plain http", "Use https://HOST"],
    );
}
