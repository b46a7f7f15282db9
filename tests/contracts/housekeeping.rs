//! The contract of [`Housekeeping`].

use std::sync::Arc;

use mcp_oauth_core::domain::client::{Client, ClientId};
use mcp_oauth_core::domain::grant::GrantSelection;
use mcp_oauth_core::domain::grant::{CodeRecord, Grant};
use mcp_oauth_core::domain::login::LoginSession;
use mcp_oauth_core::domain::mcp_session::McpSession;
use mcp_oauth_core::domain::provider_login::PendingLogin;
use mcp_oauth_core::domain::refresh::RefreshRecord;
use mcp_oauth_core::port::{
    GrantStore, LoginSessions, PendingLogins, SessionBounds, UnusedClients,
};

use crate::samples::{
    MOST, at, begun, client, code, code_hash, grant, key, mcp_session, mcp_session_hash,
    pending_login, public_client, refresh, refresh_hash, refreshable, session, session_hash,
    session_owner, state_hash,
};
use crate::stores::{CALLERS, Store, contract, race};

contract! {
    what_expired_before_the_moment_goes_and_the_rest_stays,
    a_grant_stays_while_a_refresh_token_is_left,
    a_grant_stays_while_a_code_is_left,
    a_grant_given_at_the_moment_or_later_stays,
    clients_and_keys_never_go,
    every_record_that_went_is_counted,
    of_concurrent_runs_one_takes_everything,
    a_run_amid_redemptions_leaves_no_token_without_its_grant,
    a_run_amid_rotations_leaves_no_token_without_its_grant,
    a_run_amid_revocations_disturbs_none,
    rg_08_clients_that_were_never_used_go_a_while_after_they_registered,
    rg_08_clients_go_a_while_after_their_last_use,
    rg_08_clients_of_another_origin_stay_however_unused,
    rg_08_of_concurrent_runs_each_client_is_counted_once,
}

async fn begun_with(store: &dyn Store, grant: Grant, code: CodeRecord) {
    GrantStore::begin(store, &grant, &code).await.unwrap();
}

async fn redeemed(store: &dyn Store, name: &str, refresh: RefreshRecord) {
    store.redeem_code_once(&code_hash(name), at(1), Some(refresh)).await.unwrap();
}

/// Whether the grant's id is taken, seen by trying to take it.
async fn is_kept(store: &dyn Store, name: &str) -> bool {
    let probe = CodeRecord { hash: code_hash(&format!("probe {name}")), ..code(name) };
    GrantStore::begin(store, &grant(name), &probe).await.is_err()
}

async fn what_expired_before_the_moment_goes_and_the_rest_stays(store: Arc<dyn Store>) {
    for (name, expires_at) in [("before", 99), ("then", 100)] {
        let session = LoginSession { expires_at: at(expires_at), ..session(name) };
        store.open(&session).await.unwrap();
        let login = PendingLogin { expires_at: at(expires_at), ..pending_login(name) };
        PendingLogins::begin(&*store, &login).await.unwrap();
        let session = McpSession { expires_at: at(expires_at), ..mcp_session(name, name) };
        let bounds = SessionBounds { total: 9, per_owner: 9 };
        store.open_session(&session, bounds).await.unwrap();
        let code = CodeRecord { expires_at: at(expires_at), ..code(name) };
        begun_with(&*store, grant(name), code).await;
        let token = RefreshRecord { expires_at: at(expires_at), ..refresh(name, name) };
        redeemed(&*store, name, token).await;
    }
    store.forget_expired(at(100)).await.unwrap();
    for (name, stays) in [("before", false), ("then", true)] {
        let session = LoginSessions::find(&*store, &session_hash(name)).await.unwrap();
        assert_eq!(session.is_some(), stays, "session {name}");
        let login = store.take_once(&state_hash(name)).await.unwrap();
        assert_eq!(login.is_some(), stays, "login under way {name}");
        let session = store.find_session(&mcp_session_hash(name), &session_owner(name)).await;
        assert_eq!(session.unwrap().is_some(), stays, "session of MCP {name}");
        let code = store.find_code(&code_hash(name)).await.unwrap();
        assert_eq!(code.is_some(), stays, "code {name}");
        let token = store.find_refresh(&refresh_hash(name)).await.unwrap();
        assert_eq!(token.is_some(), stays, "refresh token {name}");
        assert_eq!(is_kept(&*store, name).await, stays, "grant {name}");
    }
}

async fn a_grant_stays_while_a_refresh_token_is_left(store: Arc<dyn Store>) {
    begun(&*store, "g").await;
    redeemed(&*store, "g", refresh("r", "g")).await;
    assert_eq!(store.forget_expired(at(100)).await.unwrap(), 1);
    assert_eq!(store.find_code(&code_hash("g")).await.unwrap(), None);
    let found = store.find_refresh(&refresh_hash("r")).await.unwrap();
    assert_eq!(found, Some((refresh("r", "g"), grant("g"))));
}

async fn a_grant_stays_while_a_code_is_left(store: Arc<dyn Store>) {
    let early = Grant { granted_at: at(-100), ..grant("g") };
    begun_with(&*store, early.clone(), code("g")).await;
    assert_eq!(store.forget_expired(at(50)).await.unwrap(), 0);
    assert_eq!(store.find_code(&code_hash("g")).await.unwrap(), Some((code("g"), early)));
}

async fn a_grant_given_at_the_moment_or_later_stays(store: Arc<dyn Store>) {
    for (name, granted_at) in [("before", 99), ("then", 100)] {
        let grant = Grant { granted_at: at(granted_at), ..grant(name) };
        begun_with(&*store, grant, CodeRecord { expires_at: at(0), ..code(name) }).await;
    }
    assert_eq!(store.forget_expired(at(100)).await.unwrap(), 3);
    assert!(!is_kept(&*store, "before").await);
    assert!(is_kept(&*store, "then").await);
}

async fn clients_and_keys_never_go(store: Arc<dyn Store>) {
    store.register(&client("a"), MOST).await.unwrap();
    store.keep_first(key("k")).await.unwrap();
    assert_eq!(store.forget_expired(at(1_000_000_000)).await.unwrap(), 0);
    assert_eq!(store.list().await.unwrap(), [client("a")]);
    assert_eq!(store.keys().await.unwrap().len(), 1);
}

async fn every_record_that_went_is_counted(store: Arc<dyn Store>) {
    store.open(&session("s")).await.unwrap();
    PendingLogins::begin(&*store, &pending_login("l")).await.unwrap();
    let bounds = SessionBounds { total: 9, per_owner: 9 };
    store.open_session(&mcp_session("m", "o"), bounds).await.unwrap();
    begun(&*store, "g").await;
    redeemed(&*store, "g", refresh("r", "g")).await;
    store.rotate_if_current(&refresh_hash("r"), at(2), &refresh("r2", "g")).await.unwrap();
    let gone = store.forget_expired(at(2000)).await.unwrap();
    assert_eq!(gone, 7, "2 sessions, login under way, code, 2 tokens, grant");
    assert_eq!(store.forget_expired(at(2000)).await.unwrap(), 0);
}

async fn of_concurrent_runs_one_takes_everything(store: Arc<dyn Store>) {
    for number in 0..10 {
        begun(&*store, &number.to_string()).await;
    }
    let counts = race(|_| {
        let store = Arc::clone(&store);
        async move { store.forget_expired(at(100)).await.unwrap() }
    })
    .await;
    let mut counts: Vec<_> = counts.into_iter().filter(|count| *count > 0).collect();
    assert_eq!(counts.pop(), Some(20), "ten codes with their grants");
    assert_eq!(counts, [0; 0]);
}

async fn a_run_amid_redemptions_leaves_no_token_without_its_grant(store: Arc<dyn Store>) {
    for number in 0..CALLERS {
        begun(&*store, &number.to_string()).await;
    }
    let outcomes = race(|number| {
        let store = Arc::clone(&store);
        async move {
            let name = number.to_string();
            if number % 8 == 0 {
                store.forget_expired(at(100)).await.unwrap();
            }
            let token = refresh(&name, &name);
            (store.redeem_code_once(&code_hash(&name), at(1), Some(token)).await.is_ok(), name)
        }
    })
    .await;
    for (redeemed, name) in outcomes {
        let token = store.find_refresh(&refresh_hash(&name)).await.unwrap();
        assert_eq!(token.is_some(), redeemed, "{name}");
        assert_eq!(is_kept(&*store, &name).await, redeemed, "{name}");
    }
}

async fn a_run_amid_rotations_leaves_no_token_without_its_grant(store: Arc<dyn Store>) {
    for number in 0..CALLERS {
        refreshable(&*store, &number.to_string()).await;
    }
    // Every token there is has expired; their successors have not.
    let outcomes = race(|number| {
        let store = Arc::clone(&store);
        async move {
            let name = number.to_string();
            if number % 8 == 0 {
                store.forget_expired(at(1001)).await.unwrap();
            }
            let next = format!("{name} next");
            let successor = RefreshRecord { expires_at: at(5000), ..refresh(&next, &name) };
            let rotated = store.rotate_if_current(&refresh_hash(&name), at(3), &successor).await;
            (rotated.is_ok(), name, next)
        }
    })
    .await;
    for (rotated, name, next) in outcomes {
        let token = store.find_refresh(&refresh_hash(&next)).await.unwrap();
        assert_eq!(token.is_some(), rotated, "{name}");
        assert_eq!(is_kept(&*store, &name).await, rotated, "{name}");
    }
}

/// Runs and revocations come upon the same grants in different orders.
async fn a_run_amid_revocations_disturbs_none(store: Arc<dyn Store>) {
    for number in 0..CALLERS {
        let kept = Grant { granted_at: at(200), ..grant(&format!("kept {number}")) };
        store.begin_without_code(&kept).await.unwrap();
        store.begin_without_code(&grant(&number.to_string())).await.unwrap();
    }
    let gone = race(|number| {
        let store = Arc::clone(&store);
        async move {
            if number % 2 == 0 {
                return store.forget_expired(at(100)).await.unwrap();
            }
            store.revoke_all(&GrantSelection::default(), at(8)).await.unwrap();
            0
        }
    })
    .await;
    let left_behind = store.forget_expired(at(100)).await.unwrap();
    assert_eq!(gone.iter().sum::<u64>() + left_behind, CALLERS as u64);
    let left = store.list_grants(&GrantSelection::default(), 1000).await.unwrap();
    assert_eq!(left.len(), CALLERS);
    assert!(left.iter().all(|grant| grant.revoked_at == Some(at(8))));
}

async fn registered(store: &dyn Store, client: Client) {
    store.register(&client, MOST).await.unwrap();
}

async fn clients_left(store: &dyn Store) -> Vec<String> {
    let clients = store.list().await.unwrap();
    clients.into_iter().map(|client| client.id.as_str().to_owned()).collect()
}

async fn rg_08_clients_that_were_never_used_go_a_while_after_they_registered(
    store: Arc<dyn Store>,
) {
    for (id, registered_at) in [("before", 99), ("then", 100)] {
        registered(&*store, Client { registered_at: at(registered_at), ..client(id) }).await;
    }
    let unused = UnusedClients { never_since: at(100), last_before: at(1000) };
    assert_eq!(store.forget_clients(unused).await.unwrap(), 1);
    assert_eq!(clients_left(&*store).await, ["then"]);
    store.touch(&ClientId::new("then"), at(2000)).await.unwrap();
    let later = UnusedClients { never_since: at(1000), last_before: at(1000) };
    assert_eq!(store.forget_clients(later).await.unwrap(), 0);
}

async fn rg_08_clients_go_a_while_after_their_last_use(store: Arc<dyn Store>) {
    for (id, used_at) in [("before", 99), ("then", 100)] {
        registered(&*store, client(id)).await;
        store.touch(&ClientId::new(id), at(used_at)).await.unwrap();
    }
    let unused = UnusedClients { never_since: at(1000), last_before: at(100) };
    assert_eq!(store.forget_clients(unused).await.unwrap(), 1);
    assert_eq!(clients_left(&*store).await, ["then"]);
}

async fn rg_08_clients_of_another_origin_stay_however_unused(store: Arc<dyn Store>) {
    registered(&*store, public_client("used long ago")).await;
    registered(&*store, Client { last_used_at: None, ..public_client("never used") }).await;
    let unused = UnusedClients { never_since: at(1000), last_before: at(1000) };
    assert_eq!(store.forget_clients(unused).await.unwrap(), 0);
    assert_eq!(clients_left(&*store).await, ["never used", "used long ago"]);
}

async fn rg_08_of_concurrent_runs_each_client_is_counted_once(store: Arc<dyn Store>) {
    for number in 0..20 {
        registered(&*store, client(&number.to_string())).await;
    }
    let unused = UnusedClients { never_since: at(100), last_before: at(100) };
    let counts = race(|_| {
        let store = Arc::clone(&store);
        async move { store.forget_clients(unused).await.unwrap() }
    })
    .await;
    assert_eq!(counts.iter().sum::<u64>(), 20, "{counts:?}");
    assert_eq!(clients_left(&*store).await, [""; 0]);
}
