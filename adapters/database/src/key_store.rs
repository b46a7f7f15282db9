use async_trait::async_trait;
use mcp_oauth_core::port::{KeyStore, StoreUnavailable, StoredKey};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    TryInsertResult,
};
use thiserror::Error;

use crate::Database;
use crate::entity::signing_keys::{Column, Entity, FIRST_GENERATION, Model, PrivateKey};
use crate::turn::Turn;

#[derive(Debug, Error)]
#[error("the signing key that was just stored is not there")]
struct KeyVanished;

#[derive(Debug, Error)]
#[error("the id of the signing key is taken")]
struct KeyIdTaken;

#[async_trait]
impl KeyStore for Database {
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreUnavailable> {
        Ok(newest_first(&self.reader).await?.into_iter().map(StoredKey::from).collect())
    }

    async fn keep_first(&self, key: StoredKey) -> Result<StoredKey, StoreUnavailable> {
        if let Some(oldest) = newest_first(&self.writer).await?.pop() {
            return Ok(oldest.into());
        }
        // Of concurrent first keys one gets the generation; the others find it a moment later.
        insert_as(&self.writer, &key, FIRST_GENERATION).await?;
        let oldest = newest_first(&self.writer).await?.pop();
        oldest.map(StoredKey::from).ok_or_else(|| StoreUnavailable::new(KeyVanished))
    }

    async fn add_after(&self, after: &str, key: StoredKey) -> Result<bool, StoreUnavailable> {
        let write = self.write_in_turn(Turn::SigningKeys).await?;
        let known = newest_first(&write).await?;
        let Some(newest) = known.first().filter(|newest| newest.key_id == after) else {
            return Ok(false);
        };
        if known.iter().any(|known| known.key_id == key.key_id) {
            return Err(StoreUnavailable::new(KeyIdTaken));
        }
        let added = insert_as(&write, &key, newest.generation + 1).await?;
        write.commit().await.map_err(StoreUnavailable::new)?;
        Ok(added)
    }

    async fn reseal(&self, key: StoredKey) -> Result<(), StoreUnavailable> {
        let sealed = Entity::update_many()
            .col_expr(Column::PrivateKey, Expr::value(PrivateKey::of(&key)))
            .filter(Column::KeyId.eq(key.key_id.as_str()));
        sealed.exec(&self.writer).await.map_err(StoreUnavailable::new)?;
        Ok(())
    }

    async fn forget(&self, key_ids: &[String]) -> Result<u64, StoreUnavailable> {
        let newest = Query::select().expr(Column::Generation.max()).from(Entity).take();
        let gone = Entity::delete_many()
            .filter(Column::KeyId.is_in(key_ids))
            .filter(Column::Generation.not_in_subquery(newest));
        let write = self.write_in_turn(Turn::SigningKeys).await?;
        let gone = gone.exec(&write).await.map_err(StoreUnavailable::new)?;
        write.commit().await.map_err(StoreUnavailable::new)?;
        Ok(gone.rows_affected)
    }
}

/// There are as many keys as rotations within a token's life, so all of them are read.
async fn newest_first(database: &impl ConnectionTrait) -> Result<Vec<Model>, StoreUnavailable> {
    let rows = Entity::find().order_by_desc(Column::Generation).all(database).await;
    rows.map_err(StoreUnavailable::new)
}

/// Returns whether the generation was free.
async fn insert_as(
    database: &impl ConnectionTrait,
    key: &StoredKey,
    generation: i64,
) -> Result<bool, StoreUnavailable> {
    let row = Model::of(key, generation).into_active_model();
    let insert = Entity::insert(row).on_conflict_do_nothing();
    let inserted = insert.exec_without_returning(database).await.map_err(StoreUnavailable::new)?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}
