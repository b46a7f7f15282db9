use std::time::Duration;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult,
    QueryResult, RuntimeErr, Statement, TransactionOptions, TransactionTrait,
};
use tokio::time::timeout;

/// Connections, or a transaction on one, on which nothing is waited for longer than so long.
///
/// A server ends what takes it too long. Only this notices that there is no server any more: a
/// machine that loses its power, or a route that is cut, says nothing about it.
#[derive(Clone)]
pub(crate) struct Bounded<C> {
    inner: C,
    /// `None` where nobody can go away, as with a file.
    longest: Option<Duration>,
}

impl<C> Bounded<C> {
    pub(crate) fn new(inner: C, longest: Option<Duration>) -> Self {
        Self { inner, longest }
    }

    pub(crate) fn longest(&self) -> Option<Duration> {
        self.longest
    }

    /// For what takes no other connection than one of sea-orm's own.
    pub(crate) fn unbounded(&self) -> &C {
        &self.inner
    }
}

impl Bounded<DatabaseConnection> {
    /// Begins a transaction, in which other things may take longer or shorter than here.
    pub(crate) async fn begin(
        &self,
        options: TransactionOptions,
        longest: Option<Duration>,
    ) -> Result<Bounded<DatabaseTransaction>, DbErr> {
        let begun = in_time(self.longest, self.inner.begin_with_options(options)).await?;
        Ok(Bounded::new(begun, longest))
    }

    pub(crate) async fn close(self) -> Result<(), DbErr> {
        in_time(self.longest, self.inner.close()).await
    }
}

impl Bounded<DatabaseTransaction> {
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        in_time(self.longest, self.inner.commit()).await
    }

    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        in_time(self.longest, self.inner.rollback()).await
    }
}

#[async_trait]
impl<C: ConnectionTrait> ConnectionTrait for Bounded<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        in_time(self.longest, self.inner.execute_raw(statement)).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        in_time(self.longest, self.inner.execute_unprepared(sql)).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        in_time(self.longest, self.inner.query_one_raw(statement)).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        in_time(self.longest, self.inner.query_all_raw(statement)).await
    }
}

async fn in_time<T>(
    longest: Option<Duration>,
    call: impl Future<Output = Result<T, DbErr>> + Send,
) -> Result<T, DbErr> {
    let Some(longest) = longest else { return call.await };
    timeout(longest, call).await.unwrap_or_else(|_| {
        let silence = format!("it has not answered for {} seconds", longest.as_secs());
        Err(DbErr::Conn(RuntimeErr::Internal(silence)))
    })
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_is_an_error_after_a_while_and_only_where_it_has_an_end() {
        let silence = || pending::<Result<(), DbErr>>();
        let error = in_time(Some(Duration::from_secs(3)), silence()).await.unwrap_err();
        assert!(error.to_string().contains("not answered for 3 seconds"), "{error}");
        let forever = in_time(None, silence());
        assert!(timeout(Duration::from_secs(3600), forever).await.is_err());
    }
}
