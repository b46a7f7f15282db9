//! What the shape of the workspace promises, checked from `cargo metadata` and the sources.

#![expect(
    clippy::unwrap_used,
    reason = "a source that can not be read is a failure like any other"
)]

mod dependencies;
mod module_direction;
mod sizes;
mod test_map;
