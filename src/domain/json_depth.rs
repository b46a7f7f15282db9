//! How deeply a JSON document nests.

use serde_json::Value;

/// Whether there are more than `most` arrays and objects inside one another.
#[must_use]
pub fn nests_deeper_than(most: usize, value: &Value) -> bool {
    let deeper = |inner: &Value| nests_deeper_than(most - 1, inner);
    match value {
        Value::Array(items) => most == 0 || items.iter().any(deeper),
        Value::Object(members) => most == 0 || members.values().any(deeper),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arrays_and_objects_count_and_what_is_in_them_does_not() {
        for (value, depth) in [
            (json!("x"), 0),
            (json!({}), 1),
            (json!({ "a": 1, "b": [] }), 2),
            (json!([[1], [[2], 3]]), 3),
            (json!({ "a": { "b": { "c": null } } }), 3),
        ] {
            assert!(!nests_deeper_than(depth, &value), "{value}");
            assert!(depth == 0 || nests_deeper_than(depth - 1, &value), "{value}");
        }
    }
}
