//! Making access tokens (RFC 9068).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::domain::access_token::AccessTokenClaims;
use crate::domain::client::ClientId;
use crate::domain::grant::GrantId;
use crate::domain::person::Person;
use crate::domain::public_address::PublicAddress;
use crate::domain::scope::ScopeSet;
use crate::domain::secret::identifier;
use crate::port::{Clock, Random, SigningKeys, SigningUnavailable};

/// Makes access tokens.
pub(super) struct Mint {
    pub(super) keys: Arc<dyn SigningKeys>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) address: Arc<PublicAddress>,
}

/// What a token is to say.
pub(super) struct Minting {
    pub(super) person: Person,
    pub(super) client: ClientId,
    pub(super) audience: String,
    pub(super) scope: ScopeSet,
    pub(super) lifetime: Duration,
    /// The grant it ends with; `None` for a token nobody granted.
    pub(super) grant: Option<GrantId>,
}

/// A signed access token.
#[derive(Clone)]
pub struct MintedToken {
    token: SecretString,
    /// Its `jti`.
    pub token_id: String,
    /// What it allows.
    pub scope: ScopeSet,
    /// How long it lives.
    pub expires_in: Duration,
}

impl MintedToken {
    /// The compact JWS, for the client that is to receive it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.token.expose_secret()
    }
}

impl fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedToken").field("token_id", &self.token_id).finish_non_exhaustive()
    }
}

impl Mint {
    pub(super) async fn mint(&self, minting: Minting) -> Result<MintedToken, SigningUnavailable> {
        let now = self.clock.now();
        let claims = AccessTokenClaims {
            issuer: self.address.issuer().clone(),
            person: minting.person,
            client: minting.client,
            audience: minting.audience,
            scope: minting.scope,
            issued_at: now,
            expires_at: now.after(minting.lifetime),
            token_id: identifier(self.random.entropy()),
            grant: minting.grant,
        };
        let token = self.keys.sign(&claims).await?;
        Ok(MintedToken {
            token: token.into(),
            token_id: claims.token_id,
            scope: claims.scope,
            expires_in: minting.lifetime,
        })
    }
}
