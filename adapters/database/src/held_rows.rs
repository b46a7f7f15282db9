//! Changes of several rows, which PostgreSQL holds one after another until the end: two that want
//! the same rows in different orders would wait for each other.

use sea_orm::sea_query::{Condition, Expr, ExprTrait, LockBehavior, LockType, Query};
use sea_orm::sea_query::{Order, SelectStatement};
use sea_orm::{EntityTrait, Iterable, PrimaryKeyToColumn};

/// That a row is one of `meant`, all of which are waited for, in the order of their keys.
pub(crate) fn one_after_another<T: EntityTrait>(meant: Condition) -> Expr {
    let mut rows = rows_of::<T>(meant);
    for key in T::PrimaryKey::iter() {
        rows.order_by(key.into_column(), Order::Asc);
    }
    // Not FOR UPDATE, or whoever stores something for a grant would have to wait as well.
    rows.lock(LockType::NoKeyUpdate);
    is_among::<T>(rows)
}

/// That a row is one of `meant`, and nobody else is changing it, nor relying on it: nothing is
/// waited for. So a code that is being exchanged keeps its grant, and no token is stored for a
/// grant that goes.
pub(crate) fn unless_in_use<T: EntityTrait>(meant: Condition) -> Expr {
    let mut rows = rows_of::<T>(meant);
    rows.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    is_among::<T>(rows)
}

fn rows_of<T: EntityTrait>(meant: Condition) -> SelectStatement {
    let mut rows = Query::select().from(T::default()).cond_where(meant).take();
    for key in T::PrimaryKey::iter() {
        rows.column(key.into_column());
    }
    rows
}

fn is_among<T: EntityTrait>(rows: SelectStatement) -> Expr {
    let key = T::PrimaryKey::iter().map(|key| Expr::col(key.into_column()));
    Expr::tuple(key).in_subquery(rows)
}
