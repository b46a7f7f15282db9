//! Clients that this server makes up itself; nobody else may have their identifiers.

/// The client behind the documentation page.
pub const DOCS_CLIENT: &str = "docs";

/// The `client_id` claim of test tokens; it is never registered.
pub const DEV_TOKEN_CLIENT: &str = "dev-token";

/// Whether an identifier is that of such a client.
#[must_use]
pub fn is_own_client(id: &str) -> bool {
    [DOCS_CLIENT, DEV_TOKEN_CLIENT].contains(&id)
}
