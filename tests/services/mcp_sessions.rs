//! Keeping the sessions of MCP: what the store is asked, and what nobody may make of its answers.

use std::time::Duration;

use mcp_oauth_core::domain::mcp_session::{McpSession, SessionOwner, SessionSetup, SessionTerms};
use mcp_oauth_core::domain::principal::CallerIdentity;
use mcp_oauth_core::domain::secret::{McpSessionHash, McpSessionId};
use mcp_oauth_core::port::{OpenSessionError, SessionUse, StoreUnavailable};
use mcp_oauth_core::service::mcp_sessions::ChangeSetupError;

use crate::samples::at;
use crate::tools::caller as principal;
use crate::world::World;

fn caller() -> CallerIdentity {
    principal("mcp:tools").identity()
}

fn terms() -> SessionTerms {
    SessionTerms { idle: Duration::from_secs(1800), total: 7, per_owner: 3 }
}

fn setup(text: &str) -> SessionSetup {
    SessionSetup::new(text.as_bytes().to_vec()).unwrap()
}

fn id() -> McpSessionHash {
    McpSessionId::presented("id").hash()
}

fn session(expires_at: i64) -> McpSession {
    McpSession {
        id: id(),
        owner: SessionOwner::of(&caller()),
        setup: setup("first"),
        opened_at: at(-100),
        last_used_at: at(-100),
        expires_at: at(expires_at),
    }
}

#[tokio::test]
async fn a_session_is_opened_for_its_caller_under_a_hash_and_within_the_terms() {
    let mut world = World::new();
    let open = world.mcp_sessions.expect_open_session().times(1);
    open.withf(|session, bounds| {
        session.owner == SessionOwner::of(&caller())
            && session.setup == setup("first")
            && (session.opened_at, session.last_used_at) == (at(0), at(0))
            && session.expires_at == terms().expiry(at(0))
            && (bounds.total, bounds.per_owner) == (7, 3)
    });
    open.returning(|session, _| {
        assert_eq!(session.id.as_str().len(), 43);
        Ok(vec![id(), session.id.clone()])
    });
    let stage = world.open();
    let kept = &stage.use_cases.mcp_sessions;
    let opened = kept.open(&caller(), setup("first"), &terms()).await.unwrap();
    assert_eq!(opened.ended, [id(), opened.id.hash()]);
    assert_eq!(opened.at, at(0));
}

#[tokio::test]
async fn a_full_house_and_an_outage_are_told_apart() {
    let away = OpenSessionError::Unavailable(StoreUnavailable::new("away"));
    for (error, full) in [(OpenSessionError::Full, true), (away, false)] {
        let mut world = World::new();
        world.mcp_sessions.expect_open_session().times(1).return_once(|_, _| Err(error));
        let stage = world.open();
        let kept = &stage.use_cases.mcp_sessions;
        let refused = kept.open(&caller(), setup("first"), &terms()).await.unwrap_err();
        assert_eq!(matches!(refused, OpenSessionError::Full), full, "{refused}");
    }
}

#[tokio::test]
async fn what_has_expired_is_not_found_although_the_store_still_has_it() {
    for (expires_at, is_open) in [(1, true), (0, false), (-1, false)] {
        let mut world = World::new();
        let find = world.mcp_sessions.expect_find_session().times(1);
        find.withf(|asked, owner| *asked == id() && *owner == SessionOwner::of(&caller()))
            .return_once(move |_, _| Ok(Some(session(expires_at))));
        let stage = world.open();
        let found = stage.use_cases.mcp_sessions.find(&id(), &caller()).await.unwrap();
        assert_eq!(found.is_some(), is_open, "{expires_at}");
    }
}

#[tokio::test]
async fn a_use_prolongs_a_session_by_its_idle_time_and_the_store_decides_whether_it_may() {
    for is_open in [true, false] {
        let mut world = World::new();
        let touch = world.mcp_sessions.expect_touch_session().times(1);
        let usage = SessionUse { used_at: at(-5), expires_at: terms().expiry(at(-5)) };
        touch.withf(move |_, _, told| *told == usage).return_once(move |_, _, _| Ok(is_open));
        let stage = world.open();
        let kept = &stage.use_cases.mcp_sessions;
        assert_eq!(kept.used(&id(), &caller(), at(-5), &terms()).await.unwrap(), is_open);
    }
}

#[tokio::test]
async fn a_change_of_the_setup_is_made_again_upon_what_somebody_else_made_of_it() {
    let mut world = World::new();
    let mut found = vec![McpSession { setup: setup("second"), ..session(9) }, session(9)];
    let find = world.mcp_sessions.expect_find_session().times(2);
    find.returning(move |_, _| Ok(found.pop()));
    let replace = world.mcp_sessions.expect_replace_setup_if_current().times(2);
    replace.returning(|_, _, current, next| {
        assert_eq!(next.as_bytes(), [current.as_bytes(), b"!"].concat());
        Ok(current.as_bytes() == b"second")
    });
    let stage = world.open();
    let louder = |setup: &SessionSetup| SessionSetup::new([setup.as_bytes(), b"!"].concat());
    let kept = &stage.use_cases.mcp_sessions;
    kept.change_setup(&id(), &caller(), louder).await.unwrap();
}

#[tokio::test]
async fn a_setup_that_others_change_all_the_time_is_given_up() {
    let mut world = World::new();
    world.mcp_sessions.expect_find_session().returning(|_, _| Ok(Some(session(9))));
    let replace = world.mcp_sessions.expect_replace_setup_if_current().times(8);
    replace.returning(|_, _, _, _| Ok(false));
    let stage = world.open();
    let next = |_: &SessionSetup| Ok(setup("next"));
    let given_up = stage.use_cases.mcp_sessions.change_setup(&id(), &caller(), next).await;
    assert!(matches!(given_up, Err(ChangeSetupError::Contended)));
}

#[tokio::test]
async fn nothing_is_written_when_nothing_changes_or_nobody_has_the_session() {
    for found in [Some(session(9)), None] {
        let mut world = World::new();
        world.mcp_sessions.expect_find_session().times(1).return_once(move |_, _| Ok(found));
        let stage = world.open();
        let same = |setup: &SessionSetup| Ok(setup.clone());
        stage.use_cases.mcp_sessions.change_setup(&id(), &caller(), same).await.unwrap();
    }
}
