//! Being told by the server what changes: by a subscription since revision 2026-07-28, before that
//! unasked, and for resources by one request each.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mcp_oauth_core::domain::tool::CallError;
use rmcp::model::SubscriptionFilter;
use rmcp::service::{ServiceError, Subscription};
use serde_json::json;

use super::connection::{Connection, Outgoing};
use super::ordered::ChangeNotices;

/// Between two attempts to listen.
const AGAIN: Duration = Duration::from_secs(5);

/// Listens for as long as the connection lives. What is heard, the transport hands on.
pub(super) async fn keep_listening(
    connection: Arc<Connection>,
    changes: ChangeNotices,
    limit: Duration,
) {
    let listening = async {
        if connection.modern {
            by_subscription(&connection, &changes).await;
        } else {
            by_requests(&connection, &changes, limit).await;
        }
    };
    tokio::select! {
        () = listening => {}
        () = connection.closed.cancelled() => {}
    }
}

async fn by_subscription(connection: &Connection, changes: &ChangeNotices) {
    let mut version = changes.watches.changes();
    let mut heard_before = false;
    loop {
        version.borrow_and_update();
        let wanted = changes.watches.uris();
        let filter = filter(connection, &wanted);
        if filter == SubscriptionFilter::new() {
            if version.changed().await.is_err() {
                return;
            }
            continue;
        }
        match connection.peer.listen(filter).await {
            Ok(subscription) => {
                if heard_before {
                    changes.stale.mark_all();
                }
                heard_before = true;
                settle(changes, &wanted, &Ok(()));
                tokio::select! {
                    () = ended(subscription) => {}
                    () = others_wanted(&mut version, changes, &wanted) => {
                        // Nothing is missed: the next subscription begins at once.
                        heard_before = false;
                        continue;
                    }
                }
            }
            Err(ServiceError::McpError(error)) => {
                tracing::debug!("an upstream server tells no changes: {}", error.message);
                settle(changes, &wanted, &Err(connection.errors.refused(error)));
                return;
            }
            Err(error) => tracing::debug!("listening to an upstream server failed: {error}"),
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn settle(changes: &ChangeNotices, uris: &[String], outcome: &Result<(), CallError>) {
    for uri in uris {
        changes.watches.settle(uri, outcome.clone());
    }
}

async fn ended(mut subscription: Subscription) {
    while let Ok(Some(_)) = subscription.next().await {}
}

/// Waits until other resources are watched than these.
async fn others_wanted(
    version: &mut tokio::sync::watch::Receiver<u64>,
    changes: &ChangeNotices,
    wanted: &[String],
) {
    while changes.watches.uris() == wanted {
        if version.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

fn filter(connection: &Connection, uris: &[String]) -> SubscriptionFilter {
    let serves = &connection.serves;
    let mut filter = SubscriptionFilter::builder();
    if serves.tools.as_ref().and_then(|it| it.list_changed) == Some(true) {
        filter = filter.tools_list_changed();
    }
    if serves.prompts.as_ref().and_then(|it| it.list_changed) == Some(true) {
        filter = filter.prompts_list_changed();
    }
    let resources = serves.resources.as_ref();
    if resources.and_then(|it| it.list_changed) == Some(true) {
        filter = filter.resources_list_changed();
    }
    if !uris.is_empty() && tells_of_resources(connection) {
        filter = filter.resource_subscriptions(uris.iter().cloned());
    }
    filter.build()
}

/// Whether the server tells what changes in a resource.
pub(super) fn tells_of_resources(connection: &Connection) -> bool {
    connection.serves.resources.as_ref().and_then(|it| it.subscribe) == Some(true)
}

/// Subscribes to what is watched, and unsubscribes from what is not any more.
async fn by_requests(connection: &Connection, changes: &ChangeNotices, limit: Duration) {
    if !tells_of_resources(connection) {
        return;
    }
    let mut version = changes.watches.changes();
    let mut subscribed = BTreeSet::new();
    loop {
        version.borrow_and_update();
        let wanted: BTreeSet<String> = changes.watches.uris().into_iter().collect();
        for uri in wanted.difference(&subscribed) {
            let request = Outgoing::own("resources/subscribe", json!({ "uri": uri }));
            let outcome = connection.ask(request, limit).await.map(drop);
            changes.watches.settle(uri, outcome);
        }
        for uri in subscribed.difference(&wanted) {
            let request = Outgoing::own("resources/unsubscribe", json!({ "uri": uri }));
            let _ = connection.ask(request, limit).await;
        }
        subscribed = wanted;
        if version.changed().await.is_err() {
            return;
        }
    }
}
