//! Decisions worth remembering: enough to answer "why was I refused" from the log alone.

use super::client::ClientId;
use super::grant::GrantId;
use super::person::Subject;

/// The code of a refusal that is no event: every client begins without credentials, and is told so.
pub const NO_CREDENTIALS: &str = "no_credentials";

/// One decision. Which request it was made for, [`CurrentRequest::current`] says.
///
/// [`CurrentRequest::current`]: super::correlation::CurrentRequest::current
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// What was decided.
    pub decision: Decision,
    /// For which client, if it is known; of a refusal, perhaps only the one that was named.
    pub client: Option<ClientId>,
    /// For which person, if they are known.
    pub subject: Option<Subject>,
    /// On which grant, if there is one.
    pub grant: Option<GrantId>,
    /// Names the token without revealing it: its `jti`, or its hash.
    pub token: Option<String>,
}

impl AuditEvent {
    /// A decision about nobody in particular yet.
    #[must_use]
    pub fn new(decision: Decision) -> Self {
        Self { decision, client: None, subject: None, grant: None, token: None }
    }

    /// …for a client.
    #[must_use]
    pub fn client(mut self, client: &ClientId) -> Self {
        self.client = Some(client.clone());
        self
    }

    /// …for a person.
    #[must_use]
    pub fn subject(mut self, subject: &Subject) -> Self {
        self.subject = Some(subject.clone());
        self
    }

    /// …on a grant.
    #[must_use]
    pub fn grant(mut self, grant: &GrantId) -> Self {
        self.grant = Some(grant.clone());
        self
    }

    /// …about a token.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A client registered itself.
    ClientRegistered,
    /// A client changed its registration.
    ClientChanged,
    /// A registration ended, with every grant of the client.
    ClientDeleted,
    /// The operator added a client.
    ClientAddedByOperator,
    /// The operator gave a client another secret in place of the one it had.
    ClientSecretReplacedByOperator,
    /// The operator ended a client, with every grant of it.
    ClientDeletedByOperator {
        /// How many grants.
        grants: u64,
    },
    /// Somebody logged in.
    LoggedIn,
    /// Somebody logged out.
    LoggedOut,
    /// A person approved a client.
    ConsentGiven,
    /// A person need not be asked: they approved the client before.
    ConsentRemembered,
    /// A person denied a client.
    ConsentDenied,
    /// A code was exchanged for tokens.
    TokenIssued,
    /// A refresh token was exchanged for its successor.
    TokenRefreshed,
    /// A used code or refresh token came again: its grant was revoked.
    GrantReplayed,
    /// A grant was ended, with every token of it.
    GrantRevoked,
    /// The operator ended grants: the one of the event, or those of its client and person.
    GrantsRevokedByOperator {
        /// How many.
        grants: u64,
    },
    /// An access token was ended; its grant goes on.
    TokenRevoked,
    /// A new signing key was made, since the one before had become old.
    KeyRotated {
        /// Its id.
        key_id: String,
    },
    /// The operator had a new signing key made.
    KeyRotatedByOperator {
        /// Its id.
        key_id: String,
    },
    /// The operator had a new signing key made, and every other one discarded.
    KeysDiscardedByOperator {
        /// The id of the new one.
        key_id: String,
    },
    /// A test token was made by `/dev/token`.
    DevTokenIssued,
    /// A request was refused.
    Refused {
        /// The stable code of the refusal, from the one table of refusals.
        code: &'static str,
        /// What was expected and what was received.
        reason: String,
    },
}

impl Decision {
    /// Whether it is made all the time and tells an operator nothing.
    #[must_use]
    pub fn is_routine(&self) -> bool {
        matches!(self, Self::Refused { code: NO_CREDENTIALS, .. })
    }

    /// A stable name for logs and metrics.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClientRegistered => "client_registered",
            Self::ClientChanged => "client_changed",
            Self::ClientDeleted => "client_deleted",
            Self::ClientAddedByOperator => "client_added_by_operator",
            Self::ClientSecretReplacedByOperator => "client_secret_replaced_by_operator",
            Self::ClientDeletedByOperator { .. } => "client_deleted_by_operator",
            Self::LoggedIn => "logged_in",
            Self::LoggedOut => "logged_out",
            Self::ConsentGiven => "consent_given",
            Self::ConsentRemembered => "consent_remembered",
            Self::ConsentDenied => "consent_denied",
            Self::TokenIssued => "token_issued",
            Self::TokenRefreshed => "token_refreshed",
            Self::GrantReplayed => "grant_replayed",
            Self::GrantRevoked => "grant_revoked",
            Self::GrantsRevokedByOperator { .. } => "grants_revoked_by_operator",
            Self::TokenRevoked => "token_revoked",
            Self::KeyRotated { .. } => "key_rotated",
            Self::KeyRotatedByOperator { .. } => "key_rotated_by_operator",
            Self::KeysDiscardedByOperator { .. } => "keys_discarded_by_operator",
            Self::DevTokenIssued => "dev_token_issued",
            Self::Refused { .. } => "refused",
        }
    }
}
