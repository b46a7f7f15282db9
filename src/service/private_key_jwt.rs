//! Recognising a client by its signature (`private_key_jwt`, RFC 7523 §3).

use std::sync::Arc;

use super::client_authentication::ClientAuthenticationError;
use super::client_directory::ClientDirectory;
use crate::domain::client_assertion::ClientAssertion;
use crate::domain::client_keys::{ClientKeySet, ClientKeys, JwksUri, KeySource};
use crate::domain::public_address::PublicAddress;
use crate::port::{AssertionSignatures, Clock, SpentTokenIds, WantedKeys};

/// Checks client assertions.
pub(super) struct PrivateKeyJwt {
    pub(super) clients: Arc<ClientDirectory>,
    pub(super) signatures: Arc<dyn AssertionSignatures>,
    pub(super) spent: Arc<dyn SpentTokenIds>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) address: Arc<PublicAddress>,
}

impl PrivateKeyJwt {
    /// Lets an assertion of the client with these keys through, once.
    pub(super) async fn check(
        &self,
        assertion: &ClientAssertion<'_>,
        keys: &ClientKeys,
    ) -> Result<(), ClientAuthenticationError> {
        let used = assertion.check(self.address.issuer(), self.clock.now())?;
        if !keys.permits(assertion.signed().algorithm) {
            return Err(ClientAuthenticationError::WrongSignature);
        }
        self.check_signature(assertion, keys).await?;
        // Last, so that nobody else can use up an id of the client.
        if self.spent.record_once(&used.id, used.until).await? {
            Ok(())
        } else {
            Err(ClientAuthenticationError::AssertionReplayed)
        }
    }

    async fn check_signature(
        &self,
        assertion: &ClientAssertion<'_>,
        keys: &ClientKeys,
    ) -> Result<(), ClientAuthenticationError> {
        let signed = match &keys.source {
            KeySource::Inline(set) => self.is_signed(assertion, set),
            KeySource::Published(uri) => self.is_signed_with_published(assertion, uri).await?,
        };
        if signed { Ok(()) } else { Err(ClientAuthenticationError::WrongSignature) }
    }

    async fn is_signed_with_published(
        &self,
        assertion: &ClientAssertion<'_>,
        uri: &JwksUri,
    ) -> Result<bool, ClientAuthenticationError> {
        let known = self.clients.keys_at(uri, WantedKeys::Any).await?;
        if self.is_signed(assertion, &known) {
            return Ok(true);
        }
        if !may_be_newer(assertion, &known) {
            return Ok(false);
        }
        let latest = self.clients.keys_at(uri, WantedKeys::Latest).await?;
        Ok(self.is_signed(assertion, &latest))
    }

    fn is_signed(&self, assertion: &ClientAssertion<'_>, set: &ClientKeySet) -> bool {
        let signed = assertion.signed();
        set.candidates(assertion.key_id(), signed.algorithm)
            .any(|key| self.signatures.is_signed(signed, key.public()))
    }
}

/// Whether the assertion may be signed with a key that has been published since.
fn may_be_newer(assertion: &ClientAssertion<'_>, known: &ClientKeySet) -> bool {
    let algorithm = assertion.signed().algorithm;
    let is_known = |key_id| known.candidates(Some(key_id), algorithm).next().is_some();
    assertion.key_id().is_none_or(|key_id| !is_known(key_id))
}
