//! What a person allowed a client before, so that they need not be asked again.

use std::time::Duration;

use super::authorization::AwaitingConsent;
use super::client::{ClientId, ConsentDigest};
use super::person::Subject;
use super::redirect_uri::RedirectUri;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

/// Whose consent, to which client, for a return to where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConsentKey {
    /// Who consented.
    pub subject: Subject,
    /// To which client.
    pub client: ClientId,
    /// Where the client received the answer.
    pub redirect_uri: RedirectUri,
}

/// A consent that counts for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedConsent {
    /// Whose, and to whom.
    pub key: ConsentKey,
    /// To what; anything less is covered.
    pub scope: ScopeSet,
    /// What the client said of itself then: when that changes, the person is asked again.
    pub client_digest: ConsentDigest,
    /// When it stops to count.
    pub expires_at: Timestamp,
}

impl RememberedConsent {
    /// The consent that an approval is worth remembering as, for `keep`.
    #[must_use]
    pub fn of(approved: &AwaitingConsent, keep: Duration, now: Timestamp) -> Option<Self> {
        let request = approved.request();
        let key = Self::key_of(approved)?;
        Some(Self {
            key,
            scope: request.scope.clone(),
            client_digest: request.client.consent_digest(),
            expires_at: now.after(keep),
        })
    }

    /// Under which key a consent to this request would be remembered; `None` if it never is, since
    /// another program than the one that was consented to may wait for the answer.
    #[must_use]
    pub fn key_of(awaiting: &AwaitingConsent) -> Option<ConsentKey> {
        let redirect_uri = awaiting.request().return_address.redirect_uri();
        redirect_uri.is_web().then(|| ConsentKey {
            subject: awaiting.person().subject.clone(),
            client: awaiting.client().clone(),
            redirect_uri: redirect_uri.clone(),
        })
    }

    /// Whether the person need not be asked this once more.
    #[must_use]
    pub fn covers(&self, awaiting: &AwaitingConsent, now: Timestamp) -> bool {
        let request = awaiting.request();
        now < self.expires_at
            && request.scope.is_subset(&self.scope)
            && request.client.consent_digest() == self.client_digest
    }
}
