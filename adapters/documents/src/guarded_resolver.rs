//! Resolves names, and hands on only what may be asked. The connection is made to the very addresses
//! that were judged: whoever changes the answer for a second question is never asked one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use crate::reach::Reach;

/// Where names are looked up.
#[async_trait]
pub(crate) trait Lookup: Send + Sync {
    /// Every address of the name; the ports mean nothing.
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>>;
}

/// The resolver of the operating system.
pub(crate) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.collect())
    }
}

/// A resolver that judges every answer.
pub(crate) struct GuardedResolver {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) reach: Reach,
}

/// A name leads where nobody may be asked. One such address among others is enough: which of them
/// is connected to is not ours to choose.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct ForbiddenAddress(pub(crate) String);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, reach) = (Arc::clone(&self.lookup), self.reach);
        Box::pin(async move {
            let addresses = lookup.lookup(name.as_str()).await?;
            let objection =
                addresses.iter().find_map(|address| reach.objection_to_address(address.ip()));
            match objection {
                Some(why) => Err(ForbiddenAddress(why).into()),
                None => Ok(Box::new(addresses.into_iter()) as Addrs),
            }
        })
    }
}
