//! Tokens of a provider, kept for tools: sealed, with the grant they came with, and refreshed by one at
//! a time (RFC 6749 §6). Nothing of them goes to a client.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::correlation::CurrentRequest;
use crate::domain::grant::GrantId;
use crate::domain::kept_tokens::KeptTokens;
use crate::domain::provider::ProviderName;
use crate::domain::provider_login::ProviderTokens;
use crate::port::{
    CallerTokens, Clock, LoginProvider, ProviderError, ProviderTokenError, ProviderTokenStore,
    Refresh, SealingFailed, SharedRefreshes, StoreUnavailable, TokenOutcome, TokenSealer,
};

/// When to try again after the store could not answer.
const STORE_RETRY: Duration = Duration::from_secs(1);

/// What it takes to keep tokens of providers.
#[derive(Clone)]
pub struct TokenKeeping {
    /// Keeps them.
    pub store: Arc<dyn ProviderTokenStore>,
    /// Encrypts them before.
    pub sealer: Arc<dyn TokenSealer>,
    /// Refreshes them once for all who ask.
    pub refreshes: Arc<dyn SharedRefreshes>,
}

/// Keeps the tokens of those providers whose operator says so.
pub(super) struct TokensForTools {
    pub(super) providers: Vec<LoginProvider>,
    pub(super) keeping: TokenKeeping,
    pub(super) clock: Arc<dyn Clock>,
}

/// Why tokens are not kept.
#[derive(Debug, Error)]
enum NotKept {
    #[error(transparent)]
    Sealing(#[from] SealingFailed),
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
}

/// Those of one grant.
struct OfGrant {
    tokens: Arc<TokensForTools>,
    grant: GrantId,
}

#[async_trait]
impl CallerTokens for OfGrant {
    async fn provider_token(&self) -> TokenOutcome {
        self.tokens.fresh(&self.grant).await
    }
}

impl TokensForTools {
    /// What a tool that is called with a token of `grant` may ask.
    pub(super) fn of(self: &Arc<Self>, grant: GrantId) -> Arc<dyn CallerTokens> {
        Arc::new(OfGrant { tokens: Arc::clone(self), grant })
    }

    /// Keeps the tokens of a login, if those of the provider are kept. The login counts in any case:
    /// tools that need no token work, and the others tell the person to log in again.
    pub(super) async fn keep(
        &self,
        grant: &GrantId,
        provider: &LoginProvider,
        tokens: &ProviderTokens,
    ) {
        if !provider.keeps_tokens {
            return;
        }
        let kept = match self.sealed(grant, &provider.name, tokens) {
            Ok(sealed) => self.keeping.store.keep_tokens(&sealed).await.map_err(NotKept::from),
            Err(error) => Err(error.into()),
        };
        let provider = provider.name.as_str();
        if let Err(error) = kept {
            tracing::warn!(provider, %error, "the tokens of a login are not kept for tools");
        } else if tokens.refresh_token.is_none() && tokens.expires_at.is_some() {
            let scope = "offline_access";
            tracing::warn!(provider, scope, "no refresh token came with a login: is it allowed?");
        }
    }

    fn sealed(
        &self,
        grant: &GrantId,
        provider: &ProviderName,
        tokens: &ProviderTokens,
    ) -> Result<KeptTokens, SealingFailed> {
        Ok(KeptTokens {
            sealed: self.keeping.sealer.seal(grant, provider, &tokens.to_unsealed())?,
            grant: grant.clone(),
            provider: provider.clone(),
            access_expires_at: tokens.expires_at,
        })
    }

    /// An access token of a grant. One that ends soon is refreshed, once for all who ask.
    async fn fresh(self: &Arc<Self>, grant: &GrantId) -> TokenOutcome {
        let Some(kept) = self.find(grant).await? else { return Ok(None) };
        if !kept.end_soon(self.clock.now()) {
            return self.open(&kept).map(|tokens| Some(tokens.for_tools(kept.provider)));
        }
        let (tokens, id) = (Arc::clone(self), grant.clone());
        let refresh = async move { tokens.refresh(&id).await };
        // It may outlive this request, and still belongs to it in the log.
        let refresh: Refresh = match CurrentRequest::current() {
            Some(request) => Box::pin(request.during(Box::pin(refresh))),
            None => Box::pin(refresh),
        };
        self.keeping.refreshes.join(grant, refresh).await
    }

    async fn refresh(&self, grant: &GrantId) -> TokenOutcome {
        // Read again: another refresh may have ended in between.
        let Some(kept) = self.find(grant).await? else { return Ok(None) };
        let Some(provider) = self.provider(&kept.provider) else { return Ok(None) };
        let tokens = self.open(&kept)?;
        let now = self.clock.now();
        let usable = |tokens: ProviderTokens| Some(tokens.for_tools(kept.provider.clone()));
        if !kept.end_soon(now) {
            return Ok(usable(tokens));
        }
        let Some(refresh_token) = &tokens.refresh_token else {
            let has_ended = tokens.have_ended(now);
            return if has_ended { Err(log_in_again(&kept)) } else { Ok(usable(tokens)) };
        };
        match provider.provider.refresh(refresh_token).await {
            Ok(next) => self.replace(&kept, with_refresh_token_of(tokens, next)).await,
            Err(ProviderError::Refused(reason)) => self.forget(&kept, &reason).await,
            Err(ProviderError::Unavailable { reason, retry_after }) => {
                let provider = provider.name.as_str();
                tracing::warn!(provider, reason, "kept tokens can't be refreshed at the moment");
                if tokens.have_ended(now) {
                    return Err(ProviderTokenError::Unavailable { retry_after });
                }
                Ok(usable(tokens))
            }
        }
    }

    /// Keeps new tokens in the place of those they were refreshed from. Another server of the same
    /// store may have been faster: then its tokens count.
    async fn replace(&self, current: &KeptTokens, next: ProviderTokens) -> TokenOutcome {
        let replaced = match self.sealed(&current.grant, &current.provider, &next) {
            Ok(sealed) => {
                let store = &self.keeping.store;
                let replaced = store.replace_tokens_if_current(&current.sealed, &sealed).await;
                replaced.map_err(NotKept::from)
            }
            Err(error) => Err(error.into()),
        };
        match replaced {
            Ok(true) => {}
            Ok(false) => return self.winners(&current.grant).await,
            Err(error) => {
                let provider = current.provider.as_str();
                tracing::error!(provider, %error, "refreshed tokens are not kept");
            }
        }
        Ok(Some(next.for_tools(current.provider.clone())))
    }

    /// Forgets tokens that the provider does not refresh, unless somebody else has got new ones.
    async fn forget(&self, refused: &KeptTokens, reason: &str) -> TokenOutcome {
        let provider = refused.provider.as_str();
        let (store, grant) = (&self.keeping.store, &refused.grant);
        let forgotten = store.forget_tokens_if_current(grant, &refused.sealed).await;
        if forgotten.map_err(out_of_reach)? {
            tracing::warn!(provider, reason, "kept tokens were refused, and are forgotten");
            return Err(log_in_again(refused));
        }
        self.winners(grant).await
    }

    /// What another server keeps now; nothing, if the grant was revoked.
    async fn winners(&self, grant: &GrantId) -> TokenOutcome {
        let Some(kept) = self.find(grant).await? else { return Ok(None) };
        self.open(&kept).map(|tokens| Some(tokens.for_tools(kept.provider)))
    }

    /// The tokens of a grant, if those of its provider are kept still.
    async fn find(&self, grant: &GrantId) -> Result<Option<KeptTokens>, ProviderTokenError> {
        let kept = self.keeping.store.find_tokens(grant).await.map_err(out_of_reach)?;
        Ok(kept.filter(|kept| self.provider(&kept.provider).is_some()))
    }

    fn provider(&self, name: &ProviderName) -> Option<&LoginProvider> {
        self.providers.iter().find(|provider| provider.keeps_tokens && provider.name == *name)
    }

    /// Opens kept tokens. They stay when they don't open: the operator may find the secret again.
    fn open(&self, kept: &KeptTokens) -> Result<ProviderTokens, ProviderTokenError> {
        let opened = self.keeping.sealer.open(&kept.grant, &kept.provider, &kept.sealed);
        let opened = opened.and_then(|text| {
            let tokens = ProviderTokens::from_unsealed(&text, kept.access_expires_at);
            tokens.ok_or(SealingFailed("what was sealed is no tokens"))
        });
        opened.map_err(|error| {
            let provider = kept.provider.as_str();
            tracing::error!(provider, %error, "kept tokens can't be opened");
            log_in_again(kept)
        })
    }
}

/// A provider that gives no new refresh token means the old one (RFC 6749 §6).
fn with_refresh_token_of(old: ProviderTokens, new: ProviderTokens) -> ProviderTokens {
    ProviderTokens { refresh_token: new.refresh_token.or(old.refresh_token), ..new }
}

fn log_in_again(kept: &KeptTokens) -> ProviderTokenError {
    ProviderTokenError::LogInAgain { provider: kept.provider.clone() }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn out_of_reach(error: StoreUnavailable) -> ProviderTokenError {
    tracing::warn!(%error, "kept tokens are out of reach");
    ProviderTokenError::Unavailable { retry_after: STORE_RETRY }
}
