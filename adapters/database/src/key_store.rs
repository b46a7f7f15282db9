use std::cmp::Reverse;

use async_trait::async_trait;
use mcp_oauth_core::port::{KeyStore, StoreUnavailable, StoredKey};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel};
use thiserror::Error;

use crate::Database;
use crate::entity::signing_keys::{Entity, Model};

#[derive(Debug, Error)]
#[error("the signing key that was just stored is not there")]
struct KeyVanished;

#[async_trait]
impl KeyStore for Database {
    async fn keys(&self) -> Result<Vec<StoredKey>, StoreUnavailable> {
        newest_first(&self.reader).await
    }

    async fn keep_first(&self, key: StoredKey) -> Result<StoredKey, StoreUnavailable> {
        if let Some(oldest) = newest_first(&self.writer).await?.pop() {
            return Ok(oldest);
        }
        // Of concurrent first keys one gets the generation; the others find it a moment later.
        let insert =
            Entity::insert(Model::first(&key).into_active_model()).on_conflict_do_nothing();
        insert.exec_without_returning(&self.writer).await.map_err(StoreUnavailable::new)?;
        let oldest = newest_first(&self.writer).await?.pop();
        oldest.ok_or_else(|| StoreUnavailable::new(KeyVanished))
    }
}

/// There are as many keys as rotations within a token's life, so all of them are read.
async fn newest_first(database: &impl ConnectionTrait) -> Result<Vec<StoredKey>, StoreUnavailable> {
    let rows = Entity::find().all(database).await.map_err(StoreUnavailable::new)?;
    let mut keys: Vec<_> = rows.into_iter().map(StoredKey::from).collect();
    // Not by the database, whose order of texts depends on its collation.
    keys.sort_by(|a, b| {
        (Reverse(a.created_at), &a.key_id).cmp(&(Reverse(b.created_at), &b.key_id))
    });
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use mcp_oauth_core::domain::timestamp::Timestamp;
    use tempfile::TempDir;

    use super::*;

    /// Several keys are what rotation leaves behind; no port method makes them yet.
    #[tokio::test]
    async fn several_keys_come_newest_first_and_the_oldest_stays_the_first() {
        let directory = TempDir::new().unwrap();
        let database = Database::open_sqlite(&directory.path().join("test.db")).await.unwrap();
        for (generation, key_id, created_at) in [(2, "b", 5), (3, "a", 9), (4, "B", 9)] {
            let key = stored(key_id, created_at);
            let row = Model { generation, ..Model::first(&key) }.into_active_model();
            Entity::insert(row).exec_without_returning(&database.writer).await.unwrap();
        }
        let ids: Vec<_> =
            database.keys().await.unwrap().into_iter().map(|key| key.key_id).collect();
        assert_eq!(ids, ["B", "a", "b"]);
        assert_eq!(database.keep_first(stored("late", 0)).await.unwrap().key_id, "b");
        assert_eq!(database.keys().await.unwrap().len(), 3);
    }

    fn stored(key_id: &str, created_at: i64) -> StoredKey {
        StoredKey {
            key_id: key_id.to_owned(),
            pkcs8: vec![1, 2, 3].into(),
            created_at: Timestamp::from_unix(created_at),
        }
    }
}
