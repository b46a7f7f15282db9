use std::error::Error as StdError;

use mcp_oauth_core::port::StoreUnavailable;
use thiserror::Error;

/// A row that nothing here could have written: where it is and what is wrong with it.
#[derive(Debug, Error)]
#[error("the database has an impossible row: {table} {key:?}, column {column}: {reason}")]
pub(crate) struct ImpossibleRow {
    table: &'static str,
    key: String,
    column: &'static str,
    #[source]
    reason: Box<dyn StdError + Send + Sync>,
}

/// A row under examination: names the place in every error.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) table: &'static str,
    pub(crate) key: &'a str,
}

impl Row<'_> {
    /// The value, or why its column can't hold what it does.
    pub(crate) fn parsed<T, E>(
        self,
        column: &'static str,
        value: Result<T, E>,
    ) -> Result<T, ImpossibleRow>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        value.map_err(|reason| ImpossibleRow {
            table: self.table,
            key: self.key.to_owned(),
            column,
            reason: reason.into(),
        })
    }
}

impl From<ImpossibleRow> for StoreUnavailable {
    fn from(row: ImpossibleRow) -> Self {
        Self::new(row)
    }
}

#[cfg(test)]
mod tests {
    use mcp_oauth_core::domain::client::ClientId;
    use mcp_oauth_core::domain::secret::{
        CodeHash, ProviderStateHash, RefreshTokenHash, SessionHash,
    };
    use mcp_oauth_core::port::{ClientRegistry, GrantStore, LoginSessions, PendingLogins};
    use sea_orm::ConnectionTrait;
    use tempfile::TempDir;

    use super::*;
    use crate::Database;

    const METADATA: &str = r#"{"redirect_uris":["https://c.example"],"grant_types":[]}"#;

    async fn with(rows: &[&str]) -> (TempDir, Database) {
        let directory = TempDir::new().unwrap();
        let database = Database::open_sqlite(&directory.path().join("test.db")).await.unwrap();
        let person = r#"'{"subject":"s"}'"#;
        let grant = format!(
            "INSERT INTO grants VALUES ('g','c','s',{person},'https://r.example','a',0,NULL)"
        );
        database.writer.execute_unprepared(&grant).await.unwrap();
        for row in rows {
            let insert = format!("INSERT INTO {row}");
            database.writer.execute_unprepared(&insert).await.unwrap();
        }
        (directory, database)
    }

    fn assert_located<T>(result: Result<T, StoreUnavailable>, place: &str) {
        let error = result.err().expect("the row is impossible").to_string();
        assert!(error.contains(place), "{error}");
    }

    #[tokio::test]
    async fn an_impossible_client_is_located() {
        for (row, column) in [
            (
                "('k','operator','telepathy',NULL,NULL,'{}',NULL,0,0,NULL)",
                "column token_endpoint_auth_method",
            ),
            ("('k','operator','none','hash',NULL,'{}',NULL,0,0,NULL)", "column secret_hash"),
            (
                "('k','operator','client_secret_basic',NULL,NULL,'{}',NULL,0,0,NULL)",
                "column secret_hash",
            ),
            ("('k','operator','private_key_jwt',NULL,NULL,'{}',NULL,0,0,NULL)", "column keys"),
            ("('k','operator','private_key_jwt',NULL,'{}','{}',NULL,0,0,NULL)", "column keys"),
            ("('k','operator','none',NULL,NULL,'{}',NULL,0,0,NULL)", "column metadata"),
            ("('k','nobody','none',NULL,NULL,'{}',NULL,0,0,NULL)", "column origin"),
        ] {
            let (_directory, database) = with(&[&format!("clients VALUES {row}")]).await;
            let found = ClientRegistry::find(&database, &ClientId::new("k")).await;
            assert_located(found, &format!("clients \"k\", {column}"));
        }
    }

    #[tokio::test]
    async fn a_client_of_an_older_release_is_possible() {
        let row = format!(
            "clients VALUES ('k','registered','none',NULL,NULL,'{METADATA}',NULL,0,0,NULL)"
        );
        let (_directory, database) = with(&[&row]).await;
        let found = ClientRegistry::find(&database, &ClientId::new("k")).await.unwrap();
        assert_eq!(found.unwrap().metadata.client_name, None);
    }

    #[tokio::test]
    async fn an_impossible_code_is_located() {
        for (row, column) in [
            ("('k','g','not a uri','x',0,0,NULL)", "column redirect_uri"),
            ("('k','g','https://c.example','x',0,0,NULL)", "column code_challenge"),
        ] {
            let (_directory, database) = with(&[&format!("codes VALUES {row}")]).await;
            let found = database.find_code(&CodeHash::from_stored("k")).await;
            assert_located(found, &format!("codes \"k\", {column}"));
        }
    }

    #[tokio::test]
    async fn an_impossible_refresh_token_is_located() {
        for (row, column) in [
            ("('k','g',x'00',0,0,NULL,0)", "column salt"),
            ("('k','g',zeroblob(32),0,0,NULL,1)", "column rotated_at"),
            ("('k','g',zeroblob(32),0,0,0,-1)", "column grace_uses"),
        ] {
            let (_directory, database) = with(&[&format!("refresh_tokens VALUES {row}")]).await;
            let found = database.find_refresh(&RefreshTokenHash::from_stored("k")).await;
            assert_located(found, &format!("refresh_tokens \"k\", {column}"));
        }
    }

    #[tokio::test]
    async fn an_impossible_grant_is_located() {
        let token = "refresh_tokens VALUES ('k','h',zeroblob(32),0,0,NULL,0)";
        for (row, column) in [
            ("('h','c','s','?','https://r.example','a',0,NULL)", "column person"),
            (r#"('h','c','s','{"subject":"s"}','r','a',0,NULL)"#, "column resource"),
            (r#"('h','c','s','{"subject":"s"}','https://r.example','"',0,NULL)"#, "column scope"),
        ] {
            let (_directory, database) = with(&[&format!("grants VALUES {row}"), token]).await;
            let found = database.find_refresh(&RefreshTokenHash::from_stored("k")).await;
            assert_located(found, &format!("grants \"h\", {column}"));
        }
    }

    #[tokio::test]
    async fn an_impossible_session_is_located() {
        let (_directory, database) = with(&["login_sessions VALUES ('k','?',0,0)"]).await;
        let found = LoginSessions::find(&database, &SessionHash::from_stored("k")).await;
        assert_located(found, "login_sessions \"k\", column person");
    }

    #[tokio::test]
    async fn an_impossible_login_under_way_is_located() {
        let (_directory, database) = with(&["pending_logins VALUES ('k','c','?','q','d',0)"]).await;
        let found = database.take_once(&ProviderStateHash::from_stored("k")).await;
        assert_located(found, "pending_logins \"k\", column provider");
    }

    #[tokio::test]
    async fn a_code_without_its_grant_is_refused_by_the_database() {
        let (_directory, database) = with(&[]).await;
        let orphan = "INSERT INTO codes VALUES ('k','nobody','https://c.example','x',0,0,NULL)";
        assert!(database.writer.execute_unprepared(orphan).await.is_err());
    }
}
