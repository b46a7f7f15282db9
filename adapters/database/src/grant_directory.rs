use async_trait::async_trait;
use mcp_oauth_core::domain::grant::{Grant, GrantId, GrantSelection};
use mcp_oauth_core::domain::timestamp::Timestamp;
use mcp_oauth_core::port::{GrantDirectory, StoreUnavailable};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    Select, UpdateMany,
};

use crate::Database;
use crate::entity::grants::{Column, Entity, Model};
use crate::held_rows::one_after_another;

#[async_trait]
impl GrantDirectory for Database {
    async fn begin_without_code(&self, grant: &Grant) -> Result<(), StoreUnavailable> {
        let row = Model::try_from(grant).map_err(StoreUnavailable::new)?;
        let insert = Entity::insert(row.into_active_model());
        insert.exec_without_returning(&self.writer).await.map_err(StoreUnavailable::new)?;
        Ok(())
    }

    async fn find_grant(&self, id: &GrantId) -> Result<Option<Grant>, StoreUnavailable> {
        let row = Entity::find_by_id(id.as_str()).one(&self.reader).await;
        Ok(row.map_err(StoreUnavailable::new)?.map(Grant::try_from).transpose()?)
    }

    async fn list_grants(
        &self,
        selection: &GrantSelection,
        most: u32,
    ) -> Result<Vec<Grant>, StoreUnavailable> {
        let rows =
            newest(selection, most).all(&self.reader).await.map_err(StoreUnavailable::new)?;
        Ok(rows.into_iter().map(Grant::try_from).collect::<Result<_, _>>()?)
    }

    async fn revoke_all(
        &self,
        selection: &GrantSelection,
        at: Timestamp,
    ) -> Result<u64, StoreUnavailable> {
        let revoked = revocation(selection, at).exec(&self.writer).await;
        Ok(revoked.map_err(StoreUnavailable::new)?.rows_affected)
    }
}

/// By id too before the cut, or it would go through one second at random. The column compares texts
/// byte by byte, as the core does.
fn newest(selection: &GrantSelection, most: u32) -> Select<Entity> {
    Entity::find()
        .filter(meant(selection))
        .order_by_desc(Column::GrantedAt)
        .order_by_asc(Column::Id)
        .limit(u64::from(most))
}

fn revocation(selection: &GrantSelection, at: Timestamp) -> UpdateMany<Entity> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(at.as_unix()))
        .filter(Column::RevokedAt.is_null())
        .filter(one_after_another::<Entity>(meant(selection).add(Column::RevokedAt.is_null())))
}

fn meant(selection: &GrantSelection) -> Condition {
    let client = selection.client.as_ref().map(|client| Column::ClientId.eq(client.as_str()));
    let subject = selection.subject.as_ref().map(|subject| Column::Subject.eq(subject.as_str()));
    let alive = selection.alive.then(|| Column::RevokedAt.is_null());
    Condition::all().add_option(client).add_option(subject).add_option(alive)
}

#[cfg(test)]
mod tests {
    use mcp_oauth_core::domain::client::ClientId;
    use mcp_oauth_core::domain::person::Subject;

    use super::*;
    use crate::query_plan::assert_no_scan;

    #[tokio::test]
    async fn ending_the_grants_of_a_client_or_a_person_reads_no_table_in_full() {
        let client = Some(ClientId::new("client"));
        let subject = Some(Subject::new("subject"));
        let of_client = GrantSelection { client, ..GrantSelection::default() };
        let of_person = GrantSelection { subject, ..GrantSelection::default() };
        for selection in [of_client, of_person] {
            assert_no_scan(&revocation(&selection, Timestamp::from_unix(0))).await;
            assert_no_scan(&newest(&selection, 10)).await;
        }
    }
}
