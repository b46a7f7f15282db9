//! The mock of a catalog, apart from its port: `automock` would demand expectations also for what a
//! catalog need not have.

use std::sync::Arc;

use async_trait::async_trait;

use super::{CallContext, ToolCatalog};
use crate::domain::tool::{CallError, Reply, ToolCall, ToolDescription, ToolOutput};

mockall::mock! {
    /// Only tools: what a catalog need not have, this one has not.
    pub ToolCatalog {}

    #[async_trait]
    impl ToolCatalog for ToolCatalog {
        async fn list(&self) -> Vec<Arc<ToolDescription>>;
        async fn describe(&self, name: &str) -> Option<Arc<ToolDescription>>;
        async fn call(
            &self,
            call: ToolCall,
            context: CallContext,
        ) -> Result<Reply<ToolOutput>, CallError>;
    }
}
