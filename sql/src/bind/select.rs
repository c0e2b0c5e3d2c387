//! Queries: WITH, SELECT with its clauses, LIMIT.

use martlet_engine::plan::{Aggregate, Expr, LogicalPlan, SortKey};
use martlet_engine::types::{DataType, Error, ErrorKind, Result, Value};
use sqlparser::ast::{
    self, Distinct, Fetch, GroupByExpr, LimitClause, Offset, OrderBy, Query, Select, SetExpr,
    TableWithJoins, With,
};

use super::expression::{Alias, Clause, Environment};
use super::from::CommonTable;
use super::group::over_groups;
use super::order::{Order, Target};
use super::refuse::{find_word, refuse_if, unsupported};
use super::scope::{Relation, Scope};
use super::select_list::{Item, SelectList};
use super::window::{Above, WindowCall, windowed};
use super::{Binder, place};
use crate::parse::position::start_of;

/// OFFSET and LIMIT.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    offset: u64,
    limit: Option<u64>,
}

impl Limits {
    /// Whether all rows are given.
    pub(super) fn is_none(self) -> bool {
        self.offset == 0 && self.limit.is_none()
    }
}

/// The clauses of a query that are planned; the others were refused.
pub(super) struct QueryParts<'a> {
    pub(super) with: Option<&'a With>,
    pub(super) body: &'a SetExpr,
    pub(super) order_by: Option<&'a OrderBy>,
    pub(super) limits: Limits,
}

/// The clauses of a SELECT that are planned; the others were refused.
pub(super) struct SelectParts<'a> {
    /// Where the SELECT begins.
    pub(super) at: usize,
    pub(super) distinct: bool,
    pub(super) projection: &'a [ast::SelectItem],
    pub(super) from: &'a [TableWithJoins],
    pub(super) selection: Option<&'a ast::Expr>,
    pub(super) group_by: &'a GroupByExpr,
    pub(super) having: Option<&'a ast::Expr>,
    pub(super) qualify: Option<&'a ast::Expr>,
}

impl<'a> Binder<'a> {
    /// Binds a query, its common table expressions included.
    pub(super) fn bind_query(&mut self, query: &'a Query) -> Result<LogicalPlan> {
        let parts = self.query_parts(query)?;
        let outer_count = self.common_tables.len();
        if let Some(with) = parts.with {
            self.add_common_tables(with)?;
        }
        let plan = match parts.body {
            SetExpr::Select(select) => self.bind_select(select, parts.order_by, parts.limits),
            SetExpr::Query(inner) => {
                let plan = self.bind_query(inner)?;
                self.bind_tail(plan, parts.order_by, parts.limits)
            }
            SetExpr::Values(values) => {
                let plan = self.bind_values(values)?;
                self.bind_tail(plan, parts.order_by, parts.limits)
            }
            SetExpr::Table(table) => {
                let plan = self.bind_table_command(table)?;
                self.bind_tail(plan, parts.order_by, parts.limits)
            }
            SetExpr::SetOperation { left: _, op, set_quantifier: _, right: _ } => {
                let position = find_word(self.tokens, &op.to_string(), 0);
                Err(unsupported(&op.to_string(), position)
                    .with_hint("run the queries one after the other"))
            }
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
                Err(unsupported("a statement that writes inside a query", Some(0)))
            }
        };
        self.common_tables.truncate(outer_count);
        plan
    }

    /// Takes a query apart and refuses what is not planned.
    pub(super) fn query_parts(&mut self, query: &'a Query) -> Result<QueryParts<'a>> {
        let Query {
            with,
            body,
            order_by,
            limit_clause,
            fetch,
            locks,
            for_clause,
            settings,
            format_clause,
            pipe_operators,
        } = query;
        refuse_if(!locks.is_empty(), "FOR UPDATE", self.tokens, 0)?;
        refuse_if(for_clause.is_some(), "FOR XML", self.tokens, 0)?;
        refuse_if(settings.is_some(), "SETTINGS", self.tokens, 0)?;
        refuse_if(format_clause.is_some(), "FORMAT", self.tokens, 0)?;
        refuse_if(!pipe_operators.is_empty(), "a pipe operator", self.tokens, 0)?;
        let mut limits = match limit_clause {
            None => Limits::default(),
            Some(clause) => self.bind_limits(clause)?,
        };
        if let Some(Fetch { with_ties, percent, quantity }) = fetch {
            refuse_if(*with_ties, "TIES", self.tokens, 0)?;
            refuse_if(*percent, "PERCENT", self.tokens, 0)?;
            limits.limit = match quantity {
                None => Some(1),
                Some(quantity) => self.bind_count(quantity, "FETCH")?,
            };
        }
        Ok(QueryParts { with: with.as_ref(), body, order_by: order_by.as_ref(), limits })
    }

    fn add_common_tables(&mut self, with: &'a With) -> Result<()> {
        let With { with_token: _, recursive, cte_tables } = with;
        refuse_if(*recursive, "RECURSIVE", self.tokens, 0)?;
        for table in cte_tables {
            let common = CommonTable::new(table, self.common_tables.len())?;
            self.common_tables.push(common);
        }
        Ok(())
    }

    /// Takes a SELECT apart and refuses what is not planned.
    pub(super) fn select_parts(&self, select: &'a Select) -> Result<SelectParts<'a>> {
        let Select {
            select_token,
            optimizer_hints: _,
            distinct,
            select_modifiers,
            top,
            top_before_distinct: _,
            projection,
            exclude,
            into,
            from,
            lateral_views,
            prewhere,
            selection,
            connect_by,
            group_by,
            cluster_by,
            distribute_by,
            sort_by,
            having,
            named_window,
            qualify,
            window_before_qualify: _,
            value_table_mode,
            flavor: _,
        } = select;
        let at = start_of(select_token.0.span).unwrap_or(0);
        if top.is_some() {
            return Err(unsupported("TOP", find_word(self.tokens, "TOP", at))
                .with_hint("LIMIT at the end of the query gives its first rows"));
        }
        let refused = [
            (select_modifiers.is_some(), "HIGH_PRIORITY"),
            (exclude.is_some(), "EXCLUDE after the select list"),
            (into.is_some(), "INTO"),
            (!lateral_views.is_empty(), "LATERAL VIEW"),
            (prewhere.is_some(), "PREWHERE"),
            (!connect_by.is_empty(), "CONNECT BY"),
            (!cluster_by.is_empty(), "CLUSTER BY"),
            (!distribute_by.is_empty(), "DISTRIBUTE BY"),
            (!sort_by.is_empty(), "SORT BY"),
            (!named_window.is_empty(), "WINDOW"),
            (value_table_mode.is_some(), "AS STRUCT"),
        ];
        for (present, what) in refused {
            refuse_if(present, what, self.tokens, at)?;
        }
        let distinct = match distinct {
            None | Some(Distinct::All) => false,
            Some(Distinct::Distinct) => true,
            Some(Distinct::On(_)) => {
                let position = find_word(self.tokens, "DISTINCT", at);
                return Err(unsupported("DISTINCT ON", position));
            }
        };
        Ok(SelectParts {
            at,
            distinct,
            projection,
            from,
            selection: selection.as_ref(),
            group_by,
            having: having.as_ref(),
            qualify: qualify.as_ref(),
        })
    }

    fn bind_select(
        &mut self,
        select: &'a Select,
        order_by: Option<&'a OrderBy>,
        limits: Limits,
    ) -> Result<LogicalPlan> {
        let parts = self.select_parts(select)?;
        let mut scope = self.bind_from(parts.from, parts.at)?;
        let mut list = self.bind_select_list(parts.projection, &mut scope)?;
        if let Some(selection) = parts.selection {
            self.bind_where(selection, &list.aliases, &mut scope)?;
        }
        let keys =
            self.bind_group_by(parts.group_by, &list.items, &list.aliases, &mut scope, parts.at)?;
        let having = match parts.having {
            None => None,
            Some(having) => {
                let mut env = Environment {
                    scope: &mut scope,
                    clause: Clause::Having,
                    aliases: &list.aliases,
                    aggregates: Some(&mut list.aggregates),
                    windows: None,
                };
                Some(self.bind_predicate(having, &mut env)?)
            }
        };
        let order = match order_by {
            None => Order::default(),
            Some(order_by) => self.bind_order_by(order_by, &mut list, &mut scope)?,
        };
        let qualify = self.bind_qualify_of(&parts, &mut list, &mut scope)?;
        let grouped = keys.is_some() || having.is_some() || !list.aggregates.is_empty();
        let keys = keys.unwrap_or_default();
        let bound = Bound { list, keys, having, qualify, order, limits };
        if grouped {
            bound.grouped_plan(scope, parts.distinct)
        } else {
            let Bound { list, order, qualify, limits, .. } = bound;
            let above = Above { items: list.items, order, qualify };
            let (plan, items, order) = windowed(scope.into_plan(), list.windows, above)?;
            finish(plan, items, order, limits, parts.distinct)
        }
    }

    fn bind_qualify_of(
        &mut self,
        parts: &SelectParts<'a>,
        list: &mut SelectList,
        scope: &mut Scope,
    ) -> Result<Option<Expr>> {
        let Some(qualify) = parts.qualify else { return Ok(None) };
        let mut env = Environment {
            scope,
            clause: Clause::Qualify,
            aliases: &list.aliases,
            aggregates: Some(&mut list.aggregates),
            windows: Some(&mut list.windows),
        };
        let position = find_word(self.tokens, "QUALIFY", parts.at);
        self.bind_qualify(qualify, &mut env, position).map(Some)
    }

    /// Binds WHERE onto the scope.
    pub(super) fn bind_where(
        &mut self,
        selection: &'a ast::Expr,
        aliases: &[Alias],
        scope: &mut Scope,
    ) -> Result<()> {
        let mut env =
            Environment { scope, clause: Clause::Where, aliases, aggregates: None, windows: None };
        let predicate = self.bind_predicate(selection, &mut env)?;
        scope.filter(predicate);
        Ok(())
    }

    /// ORDER BY and LIMIT over the whole output of `plan`.
    fn bind_tail(
        &mut self,
        plan: LogicalPlan,
        order_by: Option<&'a OrderBy>,
        limits: Limits,
    ) -> Result<LogicalPlan> {
        let Some(order_by) = order_by else { return Ok(limited(plan, limits)) };
        let columns = plan.output();
        let items = columns
            .iter()
            .enumerate()
            .map(|(index, column)| Item {
                name: column.name.clone(),
                expr: Expr::column(index, column.data_type),
            })
            .collect();
        let mut list = SelectList { items, ..SelectList::default() };
        let mut scope = Scope::new(Relation::Derived { plan, columns }, None);
        let order = self.bind_order_by(order_by, &mut list, &mut scope)?;
        if !list.aggregates.is_empty() {
            return Err(Error::invalid("aggregates are not allowed in this ORDER BY"));
        }
        if !list.windows.is_empty() {
            return Err(Error::invalid("window functions are not allowed in this ORDER BY"));
        }
        Ok(limited(sorted(scope.into_plan(), sort_keys(order, &list.items)), limits))
    }

    fn bind_limits(&mut self, clause: &'a LimitClause) -> Result<Limits> {
        match clause {
            LimitClause::LimitOffset { limit, offset, limit_by } => {
                refuse_if(!limit_by.is_empty(), "BY in LIMIT", self.tokens, 0)?;
                let limit = match limit {
                    None => None,
                    Some(limit) => self.bind_count(limit, "LIMIT")?,
                };
                let offset = match offset {
                    None => None,
                    Some(Offset { value, rows: _ }) => self.bind_count(value, "OFFSET")?,
                };
                Ok(Limits { offset: offset.unwrap_or(0), limit })
            }
            LimitClause::OffsetCommaLimit { offset, limit: _ } => {
                Err(unsupported("LIMIT offset, count", super::refuse::position_of(offset))
                    .with_hint("write LIMIT count OFFSET offset"))
            }
        }
    }

    /// A constant count of rows; `None` for NULL.
    fn bind_count(&mut self, expr: &'a ast::Expr, clause: &str) -> Result<Option<u64>> {
        let mut scope = Scope::new(Relation::Nothing, None);
        let mut env = Environment {
            scope: &mut scope,
            clause: Clause::Values,
            aliases: &[],
            aggregates: None,
            windows: None,
        };
        let position = super::refuse::position_of(expr);
        let wrong = |message: String| Err(place(Error::invalid(message), position));
        let bound = match self.bind_expr(expr, &mut env) {
            Err(error) if error.kind() == ErrorKind::UnknownName => {
                return wrong(format!("{clause} takes a whole number"));
            }
            bound => bound?,
        };
        match bound {
            Expr::Literal { value: Value::Null, .. } => Ok(None),
            Expr::Literal { value: Value::Int(count), data_type } if data_type.is_integer() => {
                match u64::try_from(count) {
                    Ok(count) => Ok(Some(count)),
                    Err(_) => wrong(format!("{clause} must not be negative")),
                }
            }
            Expr::Parameter { index, .. } => {
                self.parameters.set_type(index, DataType::Int64);
                Ok(None)
            }
            _ => wrong(format!("{clause} takes a whole number")),
        }
    }
}

/// Everything of a SELECT, bound.
struct Bound {
    list: SelectList,
    keys: Vec<Expr>,
    having: Option<Expr>,
    qualify: Option<Expr>,
    order: Order,
    limits: Limits,
}

impl Bound {
    /// The plan of a SELECT with groups: everything behind GROUP BY is over keys and aggregates.
    fn grouped_plan(self, scope: Scope, distinct: bool) -> Result<LogicalPlan> {
        let Bound { list, keys, having, qualify, order, limits } = self;
        let over = |expr: Expr| over_groups(expr, &keys, &scope);
        let items = list
            .items
            .into_iter()
            .map(|Item { name, expr }| Ok(Item { name, expr: over(expr)? }))
            .collect::<Result<Vec<Item>>>()?;
        let having = having.map(over).transpose()?;
        let qualify = qualify.map(over).transpose()?;
        let order = order.map(over)?;
        let calls = list.windows.into_iter().map(|call| call.map(over));
        let calls = calls.collect::<Result<Vec<WindowCall>>>()?;
        let names = group_names(&keys, &list.aggregates, &items, &scope);
        let input = Box::new(scope.into_plan());
        let mut plan = LogicalPlan::Aggregate { input, keys, aggregates: list.aggregates, names };
        if let Some(predicate) = having {
            plan = LogicalPlan::Filter { input: Box::new(plan), predicate };
        }
        let (plan, items, order) = windowed(plan, calls, Above { items, order, qualify })?;
        finish(plan, items, order, limits, distinct)
    }
}

/// Names of keys and aggregates: those of the items that are just one of them.
fn group_names(
    keys: &[Expr],
    aggregates: &[Aggregate],
    items: &[Item],
    scope: &Scope,
) -> Vec<String> {
    (0..keys.len() + aggregates.len())
        .map(|place| {
            let is_it =
                |item: &&Item| matches!(item.expr, Expr::Column { index, .. } if index == place);
            if let Some(item) = items.iter().find(is_it) {
                return item.name.clone();
            }
            match keys.get(place) {
                Some(Expr::Column { index, .. }) => scope.column_name(*index).to_owned(),
                Some(_) => format!("key{place}"),
                None => format!("aggregate{}", place - keys.len()),
            }
        })
        .collect()
}

/// Projection, DISTINCT, ORDER BY and LIMIT over `input`.
///
/// Without DISTINCT the sort comes first, over the input's columns, so that the select list is
/// computed for the rows that remain.
fn finish(
    input: LogicalPlan,
    items: Vec<Item>,
    order: Order,
    limits: Limits,
    distinct: bool,
) -> Result<LogicalPlan> {
    if !distinct {
        let keys = sort_keys(order, &items);
        return Ok(projected(limited(sorted(input, keys), limits), items));
    }
    let order = order.over_output(&items)?;
    let columns: Vec<(String, Expr)> = items
        .iter()
        .enumerate()
        .map(|(index, item)| (item.name.clone(), Expr::column(index, item.expr.data_type())))
        .collect();
    let plan = projected(input, items);
    let (names, keys): (Vec<String>, Vec<Expr>) = columns.into_iter().unzip();
    let plan =
        LogicalPlan::Aggregate { input: Box::new(plan), keys, aggregates: Vec::new(), names };
    Ok(limited(sorted(plan, order), limits))
}

fn sort_keys(order: Order, items: &[Item]) -> Vec<SortKey> {
    let mut keys: Vec<SortKey> = Vec::with_capacity(order.terms.len());
    for term in order.terms {
        let expr = match term.target {
            Target::Output(place) => items[place].expr.clone(),
            Target::Expr(expr) => expr,
        };
        let is_new = keys.iter().all(|key| key.expr != expr);
        if is_new && !matches!(expr, Expr::Literal { .. }) {
            keys.push(SortKey { expr, descending: term.descending, nulls_first: term.nulls_first });
        }
    }
    keys
}

fn sorted(plan: LogicalPlan, keys: Vec<SortKey>) -> LogicalPlan {
    if keys.is_empty() {
        return plan;
    }
    LogicalPlan::Sort { input: Box::new(plan), keys }
}

fn limited(plan: LogicalPlan, limits: Limits) -> LogicalPlan {
    if limits.is_none() {
        return plan;
    }
    let Limits { offset, limit } = limits;
    LogicalPlan::Limit { input: Box::new(plan), offset, limit }
}

/// The items over `plan`, unless they are what it gives.
fn projected(plan: LogicalPlan, items: Vec<Item>) -> LogicalPlan {
    let is_column = |(place, item): (usize, &Item)| matches!(item.expr, Expr::Column { index, .. } if index == place);
    if items.iter().enumerate().all(is_column) {
        let output = plan.output();
        let same = output.iter().map(|column| &column.name).eq(items.iter().map(|item| &item.name));
        if same {
            return plan;
        }
    }
    let (names, exprs) = items.into_iter().map(|item| (item.name, item.expr)).unzip();
    LogicalPlan::Project { input: Box::new(plan), exprs, names }
}
