//! What encrypts keys and tokens in the store, under the operator's secrets.

use std::sync::Arc;

use mcp_oauth_issuer::{CallStateSealer, KeySealer, ProviderTokenSealer, SealError};
use secrecy::SecretString;

use crate::settings::Reader;
use crate::system::SystemRandom;

/// What the secrets make.
#[derive(Debug, Clone)]
pub(crate) struct Sealers {
    /// For signing keys; lets them through as they are when there is no secret.
    pub(crate) keys: Arc<KeySealer>,
    /// For tokens of providers; there is none without a secret.
    pub(crate) tokens: Option<Arc<ProviderTokenSealer>>,
    /// For what calls are to remember; without a secret it opens in this process only.
    pub(crate) states: Arc<CallStateSealer>,
}

impl Sealers {
    fn new(
        current: Option<&SecretString>,
        previous: Option<&SecretString>,
    ) -> Result<Self, SealError> {
        let tokens = current.map(|current| {
            ProviderTokenSealer::new(current, previous, Arc::new(SystemRandom)).map(Arc::new)
        });
        let keys = Arc::new(KeySealer::new(current, previous)?);
        let random = Arc::new(SystemRandom);
        let states = match current {
            Some(current) => CallStateSealer::new(current, previous, random)?,
            None => CallStateSealer::of_this_process(random)?,
        };
        Ok(Self { keys, tokens: tokens.transpose()?, states: Arc::new(states) })
    }
}

impl Reader<'_> {
    pub(crate) fn sealers(&self) -> Option<Sealers> {
        let current = self.secret("encryption_secret")?;
        let previous = self.secret("previous_encryption_secret")?;
        let report = |name: &str, error: SealError| {
            let remedy = "`openssl rand -base64 32` makes one.";
            self.0.problem(name, error.to_string(), remedy);
        };
        for (name, secret) in
            [("encryption_secret", &current), ("previous_encryption_secret", &previous)]
        {
            KeySealer::new(secret.as_ref(), None).map_err(|error| report(name, error)).ok()?;
        }
        Sealers::new(current.as_ref(), previous.as_ref()).ok()
    }
}
