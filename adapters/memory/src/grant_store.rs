use async_trait::async_trait;
use mcp_oauth_core::domain::grant::{CodeRecord, Grant, GrantId};
use mcp_oauth_core::domain::refresh::{RefreshRecord, Rotation};
use mcp_oauth_core::domain::secret::{CodeHash, RefreshTokenHash};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{GrantStore, RedeemError, RotateError, StoreUnavailable};

use crate::{MemoryStore, Records, Taken};

#[async_trait]
impl GrantStore for MemoryStore {
    async fn begin(&self, grant: &Grant, code: &CodeRecord) -> Result<(), StoreUnavailable> {
        let mut records = self.records();
        if records.grants.contains_key(&grant.id) {
            return Err(StoreUnavailable::new(Taken("id of the grant")));
        }
        if records.codes.contains_key(&code.hash) {
            return Err(StoreUnavailable::new(Taken("hash of the code")));
        }
        records.grants.insert(grant.id.clone(), grant.clone());
        records.codes.insert(code.hash.clone(), code.clone());
        Ok(())
    }

    async fn find_code(
        &self,
        code: &CodeHash,
    ) -> Result<Option<(CodeRecord, Grant)>, StoreUnavailable> {
        let records = self.records();
        let found = records.codes.get(code);
        Ok(found.and_then(|code| Some((code.clone(), records.grants.get(&code.grant)?.clone()))))
    }

    async fn redeem_code_once(
        &self,
        code: &CodeHash,
        at: Timestamp,
        refresh: Option<RefreshRecord>,
    ) -> Result<(), RedeemError> {
        let mut records = self.records();
        let found = records.codes.get(code).ok_or(RedeemError::Gone)?;
        if !records.is_alive(&found.grant) {
            return Err(RedeemError::Gone);
        }
        if found.redeemed_at.is_some() {
            return Err(RedeemError::AlreadyRedeemed);
        }
        if let Some(refresh) = &refresh {
            records.check_new(refresh)?;
        }
        if let Some(code) = records.codes.get_mut(code) {
            code.redeemed_at = Some(at);
        }
        records.refresh_tokens.extend(refresh.map(|refresh| (refresh.hash.clone(), refresh)));
        Ok(())
    }

    async fn find_refresh(
        &self,
        token: &RefreshTokenHash,
    ) -> Result<Option<(RefreshRecord, Grant)>, StoreUnavailable> {
        let records = self.records();
        let found = records.refresh_tokens.get(token);
        Ok(found.and_then(|token| Some((token.clone(), records.grants.get(&token.grant)?.clone()))))
    }

    async fn rotate_if_current(
        &self,
        token: &RefreshTokenHash,
        at: Timestamp,
        successor: &RefreshRecord,
    ) -> Result<(), RotateError> {
        let mut records = self.records();
        let found = records.refresh_tokens.get(token).ok_or(RotateError::Gone)?;
        if !records.is_alive(&found.grant) {
            return Err(RotateError::Gone);
        }
        if found.rotation.is_some() {
            return Err(RotateError::NotCurrent);
        }
        records.check_new(successor)?;
        if let Some(token) = records.refresh_tokens.get_mut(token) {
            token.rotation = Some(Rotation { at, grace_uses: 0 });
        }
        records.refresh_tokens.insert(successor.hash.clone(), successor.clone());
        Ok(())
    }

    async fn count_grace_use(
        &self,
        token: &RefreshTokenHash,
        successor: &RefreshTokenHash,
        most: u32,
    ) -> Result<bool, StoreUnavailable> {
        let mut records = self.records();
        let current = records.refresh_tokens.get(successor);
        let Some(family) = current.filter(|token| token.rotation.is_none()) else {
            return Ok(false);
        };
        let family = family.grant.clone();
        if !records.is_alive(&family) {
            return Ok(false);
        }
        let found = records.refresh_tokens.get_mut(token).filter(|token| token.grant == family);
        let rotation = found.and_then(|token| token.rotation.as_mut());
        let Some(rotation) = rotation.filter(|rotation| rotation.grace_uses < most) else {
            return Ok(false);
        };
        rotation.grace_uses += 1;
        Ok(true)
    }

    async fn revoke(&self, grant: &GrantId, at: Timestamp) -> Result<(), StoreUnavailable> {
        if let Some(grant) = self.records().grants.get_mut(grant) {
            grant.revoked_at.get_or_insert(at);
        }
        Ok(())
    }
}

impl Records {
    pub(crate) fn is_alive(&self, grant: &GrantId) -> bool {
        self.grants.get(grant).is_some_and(|grant| grant.revoked_at.is_none())
    }

    fn check_new(&self, token: &RefreshRecord) -> Result<(), StoreUnavailable> {
        if self.refresh_tokens.contains_key(&token.hash) {
            return Err(StoreUnavailable::new(Taken("hash of the refresh token")));
        }
        Ok(())
    }
}
