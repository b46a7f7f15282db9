//! The operator's view of grants: what ends is ended for good, counted, and recorded as the
//! operator's doing.

use mcp_oauth_core::domain::audit::Decision;
use mcp_oauth_core::domain::grant::{Grant, GrantId, GrantSelection};
use mcp_oauth_core::domain::person::Subject;
use mcp_oauth_core::service::grant_administration::{GrantsOf, RevokeGrantError};
use mockall::Sequence;

use crate::samples::{alice, at, client, grant, revoked_grant, store_unavailable};
use crate::world::World;

fn of_client() -> GrantSelection {
    GrantSelection { client: Some(client().id), ..GrantSelection::default() }
}

fn of_alice() -> GrantSelection {
    GrantSelection { subject: Some(alice().subject), ..GrantSelection::default() }
}

fn of_alice_to_client() -> GrantSelection {
    GrantSelection { client: Some(client().id), ..of_alice() }
}

/// A world in which the grant is found.
fn with_grant(found: Option<Grant>) -> World {
    let mut world = World::new();
    let find = world.directory.expect_find_grant().times(1).withf(|id| *id == grant().id);
    find.return_once(|_| Ok(found));
    world
}

#[tokio::test]
async fn a_list_that_is_cut_says_so() {
    for (found, is_cut) in [(2, false), (3, true)] {
        let mut world = World::new();
        let list = world.directory.expect_list_grants().times(1);
        list.withf(|asked, most| *asked == of_client() && *most == 3)
            .return_once(move |_, _| Ok(vec![grant(); found]));
        let stage = world.open();
        let listed = stage.use_cases.grant_administration.list(&of_client(), 2).await.unwrap();
        assert_eq!((listed.grants, listed.is_cut), (vec![grant(); 2], is_cut));
    }
}

#[tokio::test]
async fn rv_01_one_grant_ends_after_what_its_person_allowed_its_client_is_forgotten() {
    let mut world = with_grant(Some(grant()));
    let mut order = Sequence::new();
    let forget = world.consents.expect_forget_consents().times(1).in_sequence(&mut order);
    forget.withf(|asked| *asked == of_alice_to_client()).return_once(|_| Ok(1));
    let revoke = world.grants.expect_revoke().times(1).in_sequence(&mut order);
    revoke.withf(|id, now| *id == grant().id && *now == at(0)).return_once(|_, _| Ok(()));
    let stage = world.open();
    assert!(stage.use_cases.grant_administration.revoke(&grant().id).await.unwrap());
    let event = stage.only_event();
    assert_eq!(event.decision, Decision::GrantsRevokedByOperator { grants: 1 });
    assert_eq!((event.client, event.subject), (Some(client().id), Some(alice().subject)));
    assert_eq!(event.grant, Some(grant().id));
}

#[tokio::test]
async fn a_grant_that_ended_before_is_left_alone() {
    let stage = with_grant(Some(revoked_grant())).open();
    assert!(!stage.use_cases.grant_administration.revoke(&grant().id).await.unwrap());
    assert!(stage.audited().is_empty());
}

#[tokio::test]
async fn a_grant_that_there_is_not_is_told_from_one_that_ended() {
    let stage = with_grant(None).open();
    let revoked = stage.use_cases.grant_administration.revoke(&GrantId::new("grant-1")).await;
    assert!(matches!(revoked.unwrap_err(), RevokeGrantError::Unknown));
    assert!(stage.audited().is_empty());
}

#[tokio::test]
async fn rv_01_the_grants_of_a_client_or_a_person_end_together_and_are_counted() {
    let (id, subject) = (client().id, alice().subject);
    for (of, meant) in [
        (GrantsOf::Client(id.clone()), of_client()),
        (GrantsOf::Person(subject.clone()), of_alice()),
        (GrantsOf::PersonAtClient(subject, id), of_alice_to_client()),
    ] {
        let mut world = World::new();
        let mut order = Sequence::new();
        let (forgotten, ended) = (meant.clone(), meant.clone());
        let forget = world.consents.expect_forget_consents().times(1).in_sequence(&mut order);
        forget.withf(move |asked| *asked == forgotten).return_once(|_| Ok(1));
        let revoke = world.directory.expect_revoke_all().times(1).in_sequence(&mut order);
        revoke.withf(move |asked, now| *asked == ended && *now == at(0)).return_once(|_, _| Ok(7));
        let stage = world.open();
        assert_eq!(stage.use_cases.grant_administration.revoke_all(&of).await.unwrap(), 7);
        let event = stage.only_event();
        assert_eq!(event.decision, Decision::GrantsRevokedByOperator { grants: 7 });
        assert_eq!((event.client, event.subject), (meant.client, meant.subject));
    }
}

#[tokio::test]
async fn nothing_is_recorded_that_the_store_did_not_do() {
    let mut world = World::new();
    world.consents.expect_forget_consents().times(1).return_once(|_| Ok(0));
    world.directory.expect_revoke_all().times(1).return_once(|_, _| Err(store_unavailable()));
    let stage = world.open();
    let of = GrantsOf::Person(Subject::new("alice"));
    assert!(stage.use_cases.grant_administration.revoke_all(&of).await.is_err());
    assert!(stage.audited().is_empty());
}
