use std::collections::BTreeSet;
use std::path::Path;

use sea_orm::{DatabaseConnection, DbErr, EntityName, EntityTrait};
use sea_orm_migration::seaql_migrations::Entity as AppliedMigrations;
use sea_orm_migration::{MigratorTrait, SchemaManager};

use crate::Database;
use crate::migration::Migrator;
use crate::open::connect_readers;
use crate::open_error::OpenError;

impl Database {
    /// The names of the migrations that opening an SQLite file would apply, in their order: all of
    /// them when there is no file. Changes nothing and makes no file.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn missing_migrations(path: &Path) -> Result<Vec<String>, OpenError> {
        let known = Migrator::migrations();
        let known = known.iter().map(|migration| migration.name().to_owned());
        if !path.try_exists().unwrap_or(true) {
            return Ok(known.collect());
        }
        let reader = connect_readers(path);
        let applied = applied(&reader).await.map_err(|error| OpenError::unusable(path, error))?;
        // What was read is read, whatever closing says.
        let _ = reader.close().await;
        let (has, lacks): (Vec<_>, Vec<_>) = known.partition(|name| applied.contains(name));
        match applied.iter().find(|name| !has.contains(name)) {
            Some(unknown) => {
                Err(OpenError::NewerSchema { path: path.to_owned(), migration: unknown.clone() })
            }
            None => Ok(lacks),
        }
    }
}

async fn applied(reader: &DatabaseConnection) -> Result<BTreeSet<String>, DbErr> {
    if !SchemaManager::new(reader).has_table(AppliedMigrations.table_name()).await? {
        return Ok(BTreeSet::new());
    }
    let rows = AppliedMigrations::find().all(reader).await?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

#[cfg(test)]
mod tests {
    use sea_orm::ConnectionTrait;
    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn what_opening_would_do_is_told_without_doing_it() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("test.db");
        let missing = Database::missing_migrations(&path).await.unwrap();
        assert!(!path.exists());
        let database = Database::open_sqlite(&path).await.unwrap();
        assert_eq!(database.opened().migrations_applied, missing.len());
        assert!(Database::missing_migrations(&path).await.unwrap().is_empty());
        database.close().await.unwrap();
        assert!(Database::missing_migrations(&path).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn an_empty_file_lacks_everything_and_stays_empty() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("test.db");
        std::fs::write(&path, "").unwrap();
        assert!(!Database::missing_migrations(&path).await.unwrap().is_empty());
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }

    #[tokio::test]
    async fn a_newer_schema_and_what_is_no_database_are_refused() {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("test.db");
        let database = Database::open_sqlite(&path).await.unwrap();
        let future = "INSERT INTO seaql_migrations VALUES ('m29991231_000001_flying_cars', 0)";
        database.writer.execute_unprepared(future).await.unwrap();
        let newer = Database::missing_migrations(&path).await.unwrap_err();
        assert!(newer.to_string().contains("m29991231_000001_flying_cars"), "{newer}");
        let garbage = directory.path().join("garbage");
        std::fs::write(&garbage, "no database ".repeat(100)).unwrap();
        let refused = Database::missing_migrations(&garbage).await.unwrap_err();
        assert!(matches!(refused, OpenError::NotADatabase { .. }), "{refused:?}");
    }
}
