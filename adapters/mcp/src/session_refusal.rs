//! Why a request about a session is refused, and with which status.

use std::fmt::Display;

use http::StatusCode;
use mcp_oauth_core::domain::mcp_session::SetupTooLarge;
use mcp_oauth_core::port::StoreUnavailable;
use thiserror::Error;

use crate::json_rpc_error::{Refused, refused_request, try_again, unknown_session};
use crate::seats::NoSeat;

/// Why. The reasons of an outage are in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum SessionRefusal {
    #[error("no such session")]
    Unknown,
    #[error(transparent)]
    NoSeat(#[from] NoSeat),
    #[error(transparent)]
    TooLarge(#[from] SetupTooLarge),
    #[error("sessions are not available at the moment")]
    Unavailable,
}

impl SessionRefusal {
    /// The store can't answer.
    pub(crate) fn unavailable(doing: &'static str, error: &StoreUnavailable) -> Self {
        tracing::warn!(%error, doing, "the store of the sessions does not answer");
        Self::Unavailable
    }

    /// The store knows the session, and here it does not get up.
    pub(crate) fn not_brought_back(error: &dyn Display) -> Self {
        tracing::error!(%error, "a session could not be brought back");
        Self::Unavailable
    }
}

impl From<SessionRefusal> for Refused {
    fn from(refusal: SessionRefusal) -> Self {
        match refusal {
            SessionRefusal::Unknown => unknown_session(),
            SessionRefusal::NoSeat(no_seat) => no_seat.into(),
            SessionRefusal::TooLarge(reason) => {
                refused_request(StatusCode::BAD_REQUEST, &reason.to_string())
            }
            SessionRefusal::Unavailable => {
                try_again(StatusCode::SERVICE_UNAVAILABLE, &refusal.to_string())
            }
        }
    }
}
