//! x
use mcp_oauth_core::port::MockGrantStore;
#[test]
fn a() { let _ = MockGrantStore::new(); }
