//! Identity providers: who logs people in.

mod dev_users;

pub use dev_users::{DevUser, DevUsers};
