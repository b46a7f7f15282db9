use super::SealingFailed;

/// Encrypts what a call is to remember while it waits for answers, since it travels through the
/// client (MCP 2026-07-28, multi round-trip requests, `requestState`).
///
/// What was sealed opens for as long as its secret is in use, at every server that has the secret;
/// how old it may be, and for whom it is, is looked at by whoever seals.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait StateSealer: Send + Sync {
    /// Seals a state that is about something; no two results are the same bytes.
    ///
    /// # Errors
    /// [`SealingFailed`].
    fn seal(&self, about: &[u8], state: &[u8]) -> Result<Vec<u8>, SealingFailed>;

    /// Opens what was sealed about the same thing, and no byte of it changed. `None` for anything
    /// else: it is what a client sent.
    fn open(&self, about: &[u8], sealed: &[u8]) -> Option<Vec<u8>>;
}
