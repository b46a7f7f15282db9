//! What the shape of the workspace promises, checked from `cargo metadata` and the sources.

mod dependencies;
mod module_direction;
mod sizes;
mod test_map;
