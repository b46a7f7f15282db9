//! Reading the arguments of a call, with refusals a model can act on.

use mcp_oauth_core::domain::tool::CallError;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Reads `arguments`.
///
/// # Errors
/// [`CallError::InvalidArguments`] names the argument and what was expected of it.
pub(crate) fn read<T: DeserializeOwned>(arguments: Map<String, Value>) -> Result<T, CallError> {
    serde_path_to_error::deserialize(Value::Object(arguments)).map_err(|error| {
        let place = error.path().to_string();
        let reason = error.into_inner().to_string().replace("field `", "argument `");
        // At the root the reason itself names the argument that is missing or unknown.
        CallError::InvalidArguments(match place.as_str() {
            "." => reason,
            _ if reason.contains(&format!("`{place}`")) => reason,
            _ => format!("argument `{place}`: {reason}"),
        })
    })
}
