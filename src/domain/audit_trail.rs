//! Decisions as they are kept: flat, and readable long after the code that made them has changed.

use super::audit::{AuditEvent, Decision};
use super::client::ClientId;
use super::correlation::CurrentRequest;
use super::person::Subject;
use super::timestamp::Timestamp;

/// A decision that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When it was made.
    pub at: Timestamp,
    /// The stable name of what was decided, e.g. `token_issued` or `refused`.
    pub decision: String,
    /// Of a refusal: its stable code, e.g. `refresh_replayed`.
    pub code: Option<String>,
    /// Of a refusal: what was expected and what was received. Of a key: its id. Where grants ended
    /// together: how many.
    pub reason: Option<String>,
    /// For which client.
    pub client: Option<ClientId>,
    /// For which person.
    pub subject: Option<Subject>,
    /// On which grant.
    pub grant: Option<String>,
    /// Names the token without revealing it.
    pub token: Option<String>,
    /// The request it was made for.
    pub request: Option<String>,
    /// Where that came from.
    pub address: Option<String>,
}

/// The longest reason kept, in characters: the rest may be whatever a client sent.
const LONGEST_REASON: usize = 1000;

impl AuditEntry {
    /// An event as it is kept, made for `request`.
    #[must_use]
    pub fn new(event: AuditEvent, request: Option<&CurrentRequest>, at: Timestamp) -> Self {
        let (code, reason) = match &event.decision {
            Decision::Refused { code, reason } => (Some((*code).to_owned()), Some(reason.clone())),
            Decision::KeyRotated { key_id }
            | Decision::KeyRotatedByOperator { key_id }
            | Decision::KeysDiscardedByOperator { key_id } => (None, Some(key_id.clone())),
            Decision::ClientDeletedByOperator { grants }
            | Decision::GrantsRevokedByOperator { grants } => (None, Some(grants.to_string())),
            _ => (None, None),
        };
        Self {
            at,
            decision: event.decision.name().to_owned(),
            code: code.map(storable),
            reason: reason.map(storable),
            client: event.client.map(|client| ClientId::new(storable(client.as_str().to_owned()))),
            subject: event.subject.map(|who| Subject::new(storable(who.as_str().to_owned()))),
            grant: event.grant.map(|grant| grant.as_str().to_owned()),
            token: event.token.map(storable),
            request: request.map(|request| request.id.as_str().to_owned()),
            address: request.and_then(|request| request.address).map(|it| it.to_string()),
        }
    }
}

/// What a client sent may be endless, and may hold a NUL, which not every database can keep.
fn storable(text: String) -> String {
    text.chars().filter(|character| *character != '\0').take(LONGEST_REASON).collect()
}

/// Which entries are wanted: those that fit every member that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// About this client.
    pub client: Option<ClientId>,
    /// About this person.
    pub subject: Option<Subject>,
    /// On this grant.
    pub grant: Option<String>,
    /// Made for this request.
    pub request: Option<String>,
    /// Of this stable name.
    pub decision: Option<String>,
    /// Made at this moment or later.
    pub since: Option<Timestamp>,
    /// Added after the entry of this number.
    pub after: Option<i64>,
}

impl AuditQuery {
    /// Whether the entry of that number is wanted.
    #[must_use]
    pub fn includes(&self, number: i64, entry: &AuditEntry) -> bool {
        let is = |wanted: &Option<String>, is: &Option<String>| wanted.is_none() || wanted == is;
        (self.client.is_none() || self.client == entry.client)
            && (self.subject.is_none() || self.subject == entry.subject)
            && is(&self.grant, &entry.grant)
            && is(&self.request, &entry.request)
            && self.decision.as_ref().is_none_or(|decision| *decision == entry.decision)
            && self.since.is_none_or(|since| entry.at >= since)
            && self.after.is_none_or(|after| number > after)
    }
}
