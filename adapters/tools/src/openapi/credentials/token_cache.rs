//! Tokens kept until shortly before their end, each asked for once however many wait for it.

use std::convert::Infallible;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use http::header::HeaderValue;
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::Clock;
use quick_cache::sync::Cache;

use super::token_request::{Issued, TokenRefusal};

/// How long before its end a token is no longer used.
const AHEAD: Duration = Duration::from_secs(30);

/// How long a refusal is remembered, so that a thousand callers are one question.
const REFUSED_FOR: Duration = Duration::from_secs(1);

/// The tokens of as many as fit; who was not seen longest goes first.
pub(super) struct TokenCache<K> {
    kept: Cache<K, Arc<Kept>>,
    clock: Arc<dyn Clock>,
}

struct Kept {
    outcome: Result<HeaderValue, TokenRefusal>,
    until: Timestamp,
}

impl<K: Hash + Eq + Clone> TokenCache<K> {
    pub(super) fn new(most: usize, clock: Arc<dyn Clock>) -> Self {
        Self { kept: Cache::new(most), clock }
    }

    /// The token of `key`, asked for when none is kept that lives long enough. Whoever gives up
    /// while asking leaves the question to the next who waits.
    pub(super) async fn get(
        &self,
        key: &K,
        ask: impl Future<Output = Result<Issued, TokenRefusal>>,
    ) -> Result<HeaderValue, TokenRefusal> {
        let now = self.clock.now();
        self.kept.remove_if(key, |kept| kept.until <= now);
        let asked = async {
            let asked = ask.await;
            Ok::<_, Infallible>(Arc::new(self.kept(asked)))
        };
        match self.kept.get_or_insert_async(key, asked).await {
            Ok(kept) => kept.outcome.clone(),
            Err(never) => match never {},
        }
    }

    /// Forgets the token of `key`, unless it is another one by now.
    pub(super) fn forget(&self, key: &K, used: &HeaderValue) {
        self.kept.remove_if(key, |kept| kept.outcome.as_ref() == Ok(used));
    }

    fn kept(&self, asked: Result<Issued, TokenRefusal>) -> Kept {
        let now = self.clock.now();
        match asked {
            Ok(Issued { authorization, lifetime }) => {
                // A token that lives shorter than the margin is used for half its life.
                let ahead = AHEAD.min(lifetime / 2);
                Kept { outcome: Ok(authorization), until: now.after(lifetime - ahead) }
            }
            Err(refusal) => Kept { outcome: Err(refusal), until: now.after(REFUSED_FOR) },
        }
    }
}
