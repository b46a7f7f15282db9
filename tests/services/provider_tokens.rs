//! Tokens of a provider for tools: kept at a login, refreshed once for all who ask, and given up when
//! the provider takes them back.

use std::sync::{Arc, Mutex, mpsc};

use async_trait::async_trait;
use mcp_oauth_core::domain::kept_tokens::{KeptTokens, SealedTokens};
use mcp_oauth_core::domain::provider::ProviderName;
use mcp_oauth_core::domain::provider_login::{ProviderAnswer, ProviderRequest, ProviderTokens};
use mcp_oauth_core::domain::tool::ToolOutput;
use mcp_oauth_core::port::{
    CallContext, CameBack, GrantStore, IdentityProvider, LoginProvider, MockIdentityProvider,
    MockProviderTokenStore, MockRandom, ProviderError, ProviderTokenError, ProviderTokenStore,
    TokenSealer,
};
use mcp_oauth_core::service::TokenKeeping;
use mcp_oauth_issuer::ProviderTokenSealer;
use mcp_oauth_memory::{MemoryStore, RefreshesUnderWay};
use secrecy::{ExposeSecret, SecretString};

use crate::provider_login::{came_back, finish, identity, returning, with_code, work};
use crate::samples::{INSIDE, PROVIDER_TOKEN, WAIT, at, code, grant, store_unavailable};
use crate::tools::{caller, caller_of_grant};
use crate::world::{Stage, World};

/// What tools get.
type Outcome = Result<Option<String>, ProviderTokenError>;

/// A provider that may be asked for new tokens.
struct Refreshing {
    asked: Mutex<Vec<String>>,
    answer: Result<ProviderTokens, ProviderError>,
    /// What another server of the same store does meanwhile.
    meanwhile: Option<(Arc<MemoryStore>, Meanwhile)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Meanwhile {
    RefreshesToo,
    RevokesTheGrant,
}

#[async_trait]
impl IdentityProvider for Refreshing {
    async fn login_address(&self, _: &ProviderRequest) -> Result<String, ProviderError> {
        panic!("nobody logs in")
    }

    async fn who_came_back(&self, _: &ProviderAnswer) -> Result<CameBack, ProviderError> {
        panic!("nobody logs in")
    }

    async fn refresh(&self, token: &SecretString) -> Result<ProviderTokens, ProviderError> {
        self.asked.lock().unwrap().push(token.expose_secret().to_owned());
        tokio::task::yield_now().await;
        match &self.meanwhile {
            Some((store, Meanwhile::RefreshesToo)) => {
                let current = store.find_tokens(&grant().id).await.unwrap().unwrap().sealed;
                let winners = kept(&tokens("the winner's", Some("next"), Some(5000)));
                assert!(store.replace_tokens_if_current(&current, &winners).await.unwrap());
            }
            Some((store, Meanwhile::RevokesTheGrant)) => {
                store.revoke(&grant().id, at(0)).await.unwrap();
            }
            None => {}
        }
        self.answer.clone()
    }
}

fn tokens(access: &str, refresh: Option<&str>, ends: Option<i64>) -> ProviderTokens {
    ProviderTokens {
        access_token: access.into(),
        refresh_token: refresh.map(SecretString::from),
        expires_at: ends.map(at),
    }
}

fn secret(character: char) -> SecretString {
    character.to_string().repeat(32).into()
}

fn sealer(current: char, previous: Option<char>) -> ProviderTokenSealer {
    let (mut random, drawn) = (MockRandom::new(), std::sync::atomic::AtomicU8::new(0));
    random
        .expect_entropy()
        .returning(move || [drawn.fetch_add(1, std::sync::atomic::Ordering::Relaxed); 32]);
    let previous = previous.map(secret);
    ProviderTokenSealer::new(&secret(current), previous.as_ref(), Arc::new(random)).unwrap()
}

fn name() -> ProviderName {
    ProviderName::parse("work").unwrap()
}

/// Tokens of Alice's grant, sealed under the secret before.
fn kept(tokens: &ProviderTokens) -> KeptTokens {
    let sealed = sealer('a', None).seal(&grant().id, &name(), &tokens.to_unsealed()).unwrap();
    let access_expires_at = tokens.expires_at;
    KeptTokens { grant: grant().id, provider: name(), sealed, access_expires_at }
}

fn keeping(store: Arc<dyn ProviderTokenStore>) -> TokenKeeping {
    let sealer = Arc::new(sealer('b', Some('a')));
    TokenKeeping { store, sealer, refreshes: Arc::new(RefreshesUnderWay::default()) }
}

/// A server whose tool asks for the token of whoever calls it.
struct Asked {
    stage: Stage,
    store: Arc<MemoryStore>,
    provider: Arc<Refreshing>,
    contexts: mpsc::Receiver<CallContext>,
}

/// What is kept, and what happens at a refresh.
struct Given {
    kept: Option<ProviderTokens>,
    answer: Result<ProviderTokens, ProviderError>,
    meanwhile: Option<Meanwhile>,
}

impl Given {
    /// Tokens that ended, and a provider that has new ones.
    fn ended() -> Self {
        Self {
            kept: Some(tokens("old", Some("refresh"), Some(-1))),
            answer: Ok(tokens("new", Some("next"), Some(3600))),
            meanwhile: None,
        }
    }

    async fn open(self) -> Asked {
        self.open_with(|_| ()).await
    }

    async fn open_with(self, change: impl FnOnce(&mut LoginProvider)) -> Asked {
        let store = Arc::new(MemoryStore::new());
        GrantStore::begin(&*store, &grant(), &code()).await.unwrap();
        if let Some(tokens) = &self.kept {
            store.keep_tokens(&kept(tokens)).await.unwrap();
        }
        let meanwhile = self.meanwhile.map(|it| (Arc::clone(&store), it));
        let provider = Refreshing { asked: Mutex::default(), answer: self.answer, meanwhile };
        let provider = Arc::new(provider);
        let mut login = work(MockIdentityProvider::new());
        login.provider = Arc::clone(&provider) as _;
        login.keeps_tokens = true;
        change(&mut login);
        let (told, contexts) = mpsc::channel();
        let told = Mutex::new(told);
        let mut world = World::new();
        world.catalog.expect_describe().returning(|_| Some(Arc::default()));
        world.catalog.expect_call().returning(move |_, context| {
            told.lock().unwrap().send(context).unwrap();
            Ok(ToolOutput::text("asked").into())
        });
        world.providers = vec![login];
        world.token_keeping = Some(keeping(Arc::clone(&store) as _));
        Asked { stage: world.open(), store, provider, contexts }
    }
}

impl Asked {
    async fn context(&self) -> CallContext {
        self.context_of(caller_of_grant()).await
    }

    async fn context_of(
        &self,
        caller: mcp_oauth_core::domain::principal::Principal,
    ) -> CallContext {
        self.stage.authorize_and_call(caller, "ask").await.unwrap();
        self.contexts.recv().unwrap()
    }

    async fn token(&self) -> Outcome {
        token(&self.context().await).await
    }

    fn refreshed_with(&self) -> Vec<String> {
        self.provider.asked.lock().unwrap().clone()
    }

    async fn sealed(&self) -> Option<SealedTokens> {
        self.store.find_tokens(&grant().id).await.unwrap().map(|kept| kept.sealed)
    }
}

async fn token(context: &CallContext) -> Outcome {
    let token = context.provider_token().await?;
    Ok(token.map(|token| {
        assert_eq!(token.provider, name());
        token.access_token.expose_secret().to_owned()
    }))
}

fn some(token: &str) -> Outcome {
    Ok(Some(token.to_owned()))
}

fn log_in_again() -> Outcome {
    Err(ProviderTokenError::LogInAgain { provider: name() })
}

fn unavailable() -> ProviderError {
    ProviderError::Unavailable { reason: INSIDE.to_owned(), retry_after: WAIT }
}

#[tokio::test]
async fn up_08_a_token_that_lives_is_given_and_the_provider_is_not_asked() {
    for ends in [Some(61), None] {
        let kept = Some(tokens("alive", Some("refresh"), ends));
        let asked = Given { kept, ..Given::ended() }.open().await;
        assert_eq!(asked.token().await, some("alive"));
        assert_eq!(asked.refreshed_with(), [""; 0]);
    }
}

#[tokio::test]
async fn up_08_of_many_who_ask_at_once_one_refreshes() {
    let asked = Given::ended().open().await;
    let mut asking = Vec::new();
    for _ in 0..32 {
        let context = asked.context().await;
        asking.push(tokio::spawn(async move { token(&context).await }));
    }
    for answer in asking {
        assert_eq!(answer.await.unwrap(), some("new"));
    }
    assert_eq!(asked.refreshed_with(), ["refresh"]);
    assert_eq!(asked.token().await, some("new"));
    assert_eq!(asked.refreshed_with(), ["refresh"]);
}

#[tokio::test]
async fn up_07_refreshed_tokens_are_sealed_under_the_secret_of_today() {
    let answer = Ok(tokens("new", None, Some(3600)));
    let asked = Given { answer, ..Given::ended() }.open().await;
    assert_eq!(asked.token().await, some("new"));
    let sealed = asked.sealed().await.unwrap();
    let opened = sealer('b', None).open(&grant().id, &name(), &sealed).unwrap();
    let opened = ProviderTokens::from_unsealed(&opened, None).unwrap();
    assert_eq!(opened.access_token.expose_secret(), "new");
    // The provider gave no other one.
    assert_eq!(opened.refresh_token.unwrap().expose_secret(), "refresh");
}

#[tokio::test]
async fn up_08_of_two_servers_the_slower_one_takes_over_what_the_faster_one_kept() {
    for answer in [Ok(tokens("new", None, None)), Err(ProviderError::Refused(INSIDE.to_owned()))] {
        let meanwhile = Some(Meanwhile::RefreshesToo);
        let asked = Given { answer, meanwhile, ..Given::ended() }.open().await;
        assert_eq!(asked.token().await, some("the winner's"));
        assert_eq!(asked.token().await, some("the winner's"));
        assert_eq!(asked.refreshed_with(), ["refresh"]);
    }
}

#[tokio::test]
async fn up_08_tokens_that_the_provider_refuses_are_forgotten() {
    let answer = Err(ProviderError::Refused(INSIDE.to_owned()));
    let asked = Given { answer, ..Given::ended() }.open().await;
    let refused = asked.token().await;
    assert_eq!(refused, log_in_again());
    let told = refused.unwrap_err().to_string();
    assert!(told.contains("log in again") && !told.contains(INSIDE), "{told}");
    assert_eq!(asked.sealed().await, None);
    assert_eq!(asked.token().await, Ok(None));
    assert_eq!(asked.refreshed_with(), ["refresh"]);
}

#[tokio::test]
async fn up_08_while_the_provider_is_out_of_reach_tokens_stay_and_a_living_one_is_given() {
    for (ends, expected) in
        [(0, Err(ProviderTokenError::Unavailable { retry_after: WAIT })), (1, some("old"))]
    {
        let kept = Some(tokens("old", Some("refresh"), Some(ends)));
        let asked = Given { kept, answer: Err(unavailable()), ..Given::ended() }.open().await;
        let before = asked.sealed().await;
        assert_eq!(asked.token().await, expected);
        assert_eq!(asked.sealed().await, before);
    }
    let told = ProviderTokenError::Unavailable { retry_after: WAIT }.to_string();
    assert!(told.contains("try again"), "{told}");
}

#[tokio::test]
async fn a_token_that_nothing_refreshes_is_given_to_its_end() {
    for (ends, expected) in [(0, log_in_again()), (1, some("old"))] {
        let kept = Some(tokens("old", None, Some(ends)));
        let asked = Given { kept, ..Given::ended() }.open().await;
        assert_eq!(asked.token().await, expected);
        assert_eq!(asked.refreshed_with(), [""; 0]);
    }
}

#[tokio::test]
async fn up_07_the_tokens_of_a_revoked_grant_are_nobodys() {
    let asked = Given::ended().open().await;
    asked.store.revoke(&grant().id, at(0)).await.unwrap();
    assert_eq!(asked.token().await, Ok(None));
    assert_eq!(asked.refreshed_with(), [""; 0]);
    let meanwhile = Some(Meanwhile::RevokesTheGrant);
    let asked = Given { meanwhile, ..Given::ended() }.open().await;
    assert_eq!(asked.token().await, Ok(None));
}

#[tokio::test]
async fn up_07_tokens_that_do_not_open_stay_for_the_operator_to_find_the_secret() {
    let asked = Given { kept: None, ..Given::ended() }.open().await;
    let foreign = sealer('z', None);
    let foreign = foreign.seal(&grant().id, &name(), &tokens("t", None, None).to_unsealed());
    let kept = KeptTokens { sealed: foreign.unwrap(), ..kept(&tokens("t", None, Some(-1))) };
    asked.store.keep_tokens(&kept).await.unwrap();
    assert_eq!(asked.token().await, log_in_again());
    assert_eq!(asked.sealed().await, Some(kept.sealed));
}

#[tokio::test]
async fn up_07_nothing_is_given_where_nothing_is_kept() {
    let without = Given { kept: None, ..Given::ended() }.open().await;
    assert_eq!(without.token().await, Ok(None));
    let off = Given::ended().open_with(|provider| provider.keeps_tokens = false).await;
    assert_eq!(off.token().await, Ok(None));
    assert_eq!(off.refreshed_with(), [""; 0]);
    let of_no_grant = Given::ended().open().await;
    let context = of_no_grant.context_of(caller("mcp:tools")).await;
    assert_eq!(token(&context).await, Ok(None));
}

#[tokio::test]
async fn jv_18_the_context_of_a_call_shows_who_calls_and_nothing_else() {
    let asked = Given::ended().open().await;
    let printed = format!("{:?}", asked.context().await);
    assert!(printed.contains("alice") && !printed.contains("okens"), "{printed}");
}

#[tokio::test]
async fn a_store_that_fails_is_worth_another_try() {
    let mut store = MockProviderTokenStore::new();
    store.expect_find_tokens().times(1).return_once(|_| Err(store_unavailable()));
    let mut world = World::new();
    let (told, contexts) = mpsc::channel();
    world.catalog.expect_describe().return_once(|_| Some(Arc::default()));
    world.catalog.expect_call().times(1).return_once(move |_, context| {
        told.send(context).unwrap();
        Ok(ToolOutput::text("asked").into())
    });
    world.providers =
        vec![LoginProvider { keeps_tokens: true, ..work(MockIdentityProvider::new()) }];
    world.token_keeping = Some(keeping(Arc::new(store)));
    world.open().authorize_and_call(caller_of_grant(), "ask").await.unwrap();
    let answer = token(&contexts.recv().unwrap()).await;
    assert!(matches!(answer, Err(ProviderTokenError::Unavailable { .. })), "{answer:?}");
}

/// A login at the provider, whose tokens are kept if it says so; with what the store is asked.
fn logging_in(keeps_tokens: bool, store: MockProviderTokenStore) -> World {
    let mut world = returning(Ok(came_back(identity())));
    world.sessions.expect_open().times(1).return_once(|_| Ok(()));
    world.grants.expect_begin().times(1).return_once(|_, _| Ok(()));
    world.providers[0].keeps_tokens = keeps_tokens;
    world.token_keeping = Some(keeping(Arc::new(store)));
    world
}

#[tokio::test]
async fn up_07_the_tokens_of_a_login_are_kept_sealed_if_the_operator_says_so() {
    let mut store = MockProviderTokenStore::new();
    store.expect_keep_tokens().times(1).returning(|kept| {
        let opened = sealer('b', None).open(&kept.grant, &kept.provider, &kept.sealed).unwrap();
        let opened = ProviderTokens::from_unsealed(&opened, None).unwrap();
        assert_eq!(opened.access_token.expose_secret(), PROVIDER_TOKEN);
        Ok(())
    });
    let stage = logging_in(true, store).open();
    finish(&stage, with_code()).await.unwrap();
    // By default the store is not even asked.
    finish(&logging_in(false, MockProviderTokenStore::new()).open(), with_code()).await.unwrap();
}

#[tokio::test]
async fn up_07_a_login_counts_also_when_its_tokens_cannot_be_kept() {
    let mut store = MockProviderTokenStore::new();
    store.expect_keep_tokens().times(1).returning(|_| Err(store_unavailable()));
    let stage = logging_in(true, store).open();
    finish(&stage, with_code()).await.unwrap();
    assert_eq!(stage.decisions(), ["logged_in", "consent_given"]);
}
