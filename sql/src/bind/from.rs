//! FROM: one table, file, common table expression or subquery.

use martlet_engine::plan::{LogicalPlan, Source};
use martlet_engine::types::{DataType, Result};
use sqlparser::ast::{
    self, Cte, GroupByExpr, Ident, ObjectName, Query, SelectItem, SetExpr, TableAlias,
    TableAliasColumnDef, TableFactor, TableWithJoins, WildcardAdditionalOptions,
};

use super::refuse::{find_text, find_word, name_position, refuse_if, unsupported};
use super::scope::{Relation, Scope, TableRelation, unknown_table};
use super::{Binder, FileNames, place};
use crate::parse::position::start_of;

/// A common table expression. It is bound anew wherever it is named.
#[derive(Clone, Copy, Debug)]
pub(super) struct CommonTable<'a> {
    name: &'a Ident,
    columns: &'a [TableAliasColumnDef],
    query: &'a Query,
    /// How many of the common tables before it it sees.
    visible: usize,
}

impl<'a> CommonTable<'a> {
    pub(super) fn new(cte: &'a Cte, visible: usize) -> Result<CommonTable<'a>> {
        // Whether it is materialized is the planner's affair: the answer is the same.
        let Cte { alias, query, from, materialized: _, closing_paren_token: _ } = cte;
        let TableAlias { explicit: _, name, columns, at } = alias;
        let position = start_of(name.span);
        if from.is_some() || at.is_some() {
            return Err(unsupported("this kind of WITH", position));
        }
        Ok(CommonTable { name, columns, query, visible })
    }
}

impl<'a> Binder<'a> {
    /// Binds FROM; `at` is where the SELECT begins.
    pub(super) fn bind_from(&mut self, from: &'a [TableWithJoins], at: usize) -> Result<Scope> {
        match from {
            [] => Ok(Scope::new(Relation::Nothing, None)),
            [TableWithJoins { relation, joins }] => {
                if !joins.is_empty() {
                    let position = find_word(self.tokens, "JOIN", at);
                    return Err(unsupported("JOIN", position).with_hint(JOIN_HINT));
                }
                self.bind_table_factor(relation, at)
            }
            [_, second, ..] => {
                let position = factor_position(&second.relation);
                Err(unsupported("a second table in FROM", position).with_hint(JOIN_HINT))
            }
        }
    }

    fn bind_table_factor(&mut self, factor: &'a TableFactor, at: usize) -> Result<Scope> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args,
                with_hints,
                version,
                with_ordinality,
                partitions,
                json_path,
                sample,
                index_hints,
            } => {
                let refused = [
                    (!with_hints.is_empty(), "WITH behind a table"),
                    (version.is_some(), "FOR behind a table"),
                    (*with_ordinality, "ORDINALITY"),
                    (!partitions.is_empty(), "PARTITION"),
                    (json_path.is_some(), "a path behind a table"),
                    (sample.is_some(), "TABLESAMPLE"),
                    (!index_hints.is_empty(), "INDEX behind a table"),
                ];
                for (present, what) in refused {
                    refuse_if(present, what, self.tokens, at)?;
                }
                let scope = match args {
                    None => self.bind_named(name)?,
                    Some(args) => self.bind_table_function(name, args)?,
                };
                apply_alias(scope, alias.as_ref())
            }
            TableFactor::Derived { lateral, subquery, alias, sample } => {
                refuse_if(*lateral, "LATERAL", self.tokens, at)?;
                refuse_if(sample.is_some(), "TABLESAMPLE", self.tokens, at)?;
                let scope = self.bind_subquery(subquery)?;
                apply_alias(scope, alias.as_ref())
            }
            TableFactor::NestedJoin { table_with_joins: _, alias: _ } => {
                let position = find_word(self.tokens, "JOIN", at);
                Err(unsupported("JOIN", position).with_hint(JOIN_HINT))
            }
            TableFactor::TableFunction { expr: _, alias: _ }
            | TableFactor::Function {
                lateral: _,
                name: _,
                args: _,
                with_ordinality: _,
                alias: _,
            } => Err(unsupported("a function in FROM", Some(at))),
            TableFactor::UNNEST { .. } => Err(unsupported("UNNEST", Some(at))),
            TableFactor::Pivot { .. } => refuse_factor("PIVOT", self.tokens, at),
            TableFactor::Unpivot { .. } | TableFactor::UnpivotExpr { .. } => {
                refuse_factor("UNPIVOT", self.tokens, at)
            }
            TableFactor::MatchRecognize { .. } => refuse_factor("MATCH_RECOGNIZE", self.tokens, at),
            TableFactor::JsonTable { .. } | TableFactor::OpenJsonTable { .. } => {
                refuse_factor("JSON_TABLE", self.tokens, at)
            }
            TableFactor::XmlTable { .. } => refuse_factor("XMLTABLE", self.tokens, at),
            TableFactor::SemanticView { .. } => refuse_factor("SEMANTIC_VIEW", self.tokens, at),
        }
    }

    fn bind_named(&mut self, name: &'a ObjectName) -> Result<Scope> {
        let position = name_position(name);
        let ident = match &name.0[..] {
            [part] => part.as_ident(),
            _ => None,
        };
        let Some(ident) = ident else {
            let last = name.0.last().and_then(|part| part.as_ident());
            let table = last.filter(|last| self.catalog.table_names().contains(&last.value));
            return Err(unsupported("a table name of several parts", position).with_hint(
                match table {
                    Some(table) => format!("there are no schemas: FROM {table}"),
                    None => format!("a file is named in quotes: FROM '{name}'"),
                },
            ));
        };
        if ident.quote_style == Some('\'') {
            let position = position.or_else(|| find_text(self.tokens, &ident.value));
            return self.bind_files(&FileNames::of(&ident.value), position);
        }
        if let Some(common) = self.find_common_table(&ident.value) {
            return self.bind_common_table(common);
        }
        self.bind_table(&ident.value, position)
    }

    fn bind_table(&mut self, name: &str, position: Option<usize>) -> Result<Scope> {
        if let Some(file) = self.catalog.named_file(name) {
            return Ok(self.bind_files(&file, position)?.renamed(name.to_owned()));
        }
        let table = self.catalog.table(name).map_err(|error| place(error, position))?;
        let Some(table) = table else {
            let names = self.catalog.table_names();
            return Err(unknown_table(name, &names, position.unwrap_or(0)));
        };
        let name = table.name().to_owned();
        let source = Source::Table { id: table.id(), name: name.clone() };
        Ok(Scope::new(Relation::Table(TableRelation::new(table, source)), Some(name)))
    }

    pub(super) fn bind_files(
        &mut self,
        names: &FileNames,
        position: Option<usize>,
    ) -> Result<Scope> {
        let files = self.catalog.files(names).map_err(|error| place(error, position))?;
        let name = names.patterns.first().map(|pattern| file_stem(pattern));
        let mut relation = TableRelation::new(files.table, files.source);
        if let Some(types) = names.format.cast_types() {
            relation = relation.with_types(types).map_err(|error| place(error, position))?;
        }
        Ok(Scope::new(Relation::Table(relation), name))
    }

    fn find_common_table(&self, name: &str) -> Option<CommonTable<'a>> {
        let innermost = |same: &dyn Fn(&str) -> bool| {
            self.common_tables.iter().rev().find(|table| same(&table.name.value)).copied()
        };
        innermost(&|other| other == name)
            .or_else(|| innermost(&|other| other.eq_ignore_ascii_case(name)))
    }

    fn bind_common_table(&mut self, common: CommonTable<'a>) -> Result<Scope> {
        let hidden = self.common_tables.split_off(common.visible);
        let bound = self.bind_subquery(common.query);
        self.common_tables.truncate(common.visible);
        self.common_tables.extend(hidden);
        let scope = bound?.renamed(common.name.value.clone());
        rename_columns(scope, common.columns)
    }

    /// A subquery's columns. `SELECT * FROM x WHERE …` stays the scan it reads, so that only the
    /// columns that the outer query names are read.
    fn bind_subquery(&mut self, query: &'a Query) -> Result<Scope> {
        let parts = self.query_parts(query)?;
        let is_bare = parts.with.is_none() && parts.order_by.is_none() && parts.limits.is_none();
        if let (true, SetExpr::Select(select)) = (is_bare, parts.body) {
            let select = self.select_parts(select)?;
            let takes_all = matches!(select.projection,
                [SelectItem::Wildcard(options)] if *options == plain_wildcard(options));
            let keeps_rows = !select.distinct
                && select.having.is_none()
                && *select.group_by == GroupByExpr::Expressions(Vec::new(), Vec::new());
            if takes_all && keeps_rows && !select.from.is_empty() {
                let mut scope = self.bind_from(select.from, select.at)?;
                if let Some(selection) = select.selection {
                    self.bind_where(selection, &[], &mut scope)?;
                }
                return Ok(scope.anonymous());
            }
        }
        let plan = self.bind_query(query)?;
        Ok(derived(plan))
    }

    /// `TABLE t`.
    pub(super) fn bind_table_command(&mut self, table: &'a ast::Table) -> Result<LogicalPlan> {
        let ast::Table { table_name, schema_name } = table;
        let position = find_word(self.tokens, "TABLE", 0);
        if schema_name.is_some() {
            return Err(unsupported("a table name of several parts", position));
        }
        let name = table_name.as_deref().unwrap_or_default();
        let mut scope = match self.find_common_table(name) {
            Some(common) => self.bind_common_table(common)?,
            None => self.bind_table(name, position)?,
        };
        let names = scope.names();
        let exprs: Result<_> = (0..names.len()).map(|place| scope.column_at(place)).collect();
        Ok(LogicalPlan::Project { input: Box::new(scope.into_plan()), exprs: exprs?, names })
    }
}

const JOIN_HINT: &str = "a query reads one table; join the tables when the mart is loaded";

fn refuse_factor<T>(
    what: &str,
    tokens: &[sqlparser::tokenizer::TokenWithSpan],
    at: usize,
) -> Result<T> {
    let position = find_word(tokens, what, at);
    Err(unsupported(what, position.or(Some(at))))
}

fn factor_position(factor: &TableFactor) -> Option<usize> {
    match factor {
        TableFactor::Table { name, .. } => name_position(name),
        _ => None,
    }
}

/// The options of a `*` that has none but its own token.
fn plain_wildcard(options: &WildcardAdditionalOptions) -> WildcardAdditionalOptions {
    WildcardAdditionalOptions {
        wildcard_token: options.wildcard_token.clone(),
        ..WildcardAdditionalOptions::default()
    }
}

fn derived(mut plan: LogicalPlan) -> Scope {
    let mut columns = plan.output();
    for (index, column) in columns.iter_mut().enumerate() {
        if column.data_type == DataType::Null {
            column.data_type = DataType::Utf8;
            retype(&mut plan, index);
        }
    }
    Scope::new(Relation::Derived { plan, columns }, None)
}

/// A column of bare NULLs becomes text, as in PostgreSQL.
fn retype(plan: &mut LogicalPlan, index: usize) {
    if let LogicalPlan::Project { exprs, .. } = plan {
        let expr = exprs[index].clone();
        exprs[index] = expr.cast_to(DataType::Utf8);
    }
}

fn apply_alias(scope: Scope, alias: Option<&TableAlias>) -> Result<Scope> {
    let Some(TableAlias { explicit: _, name, columns, at }) = alias else { return Ok(scope) };
    if at.is_some() {
        return Err(unsupported("AT behind a table", start_of(name.span)));
    }
    rename_columns(scope.renamed(name.value.clone()), columns)
}

fn rename_columns(scope: Scope, columns: &[TableAliasColumnDef]) -> Result<Scope> {
    if columns.is_empty() {
        return Ok(scope);
    }
    let mut names = Vec::with_capacity(columns.len());
    for TableAliasColumnDef { name, data_type } in columns {
        if data_type.is_some() {
            return Err(unsupported("a type in a table alias", start_of(name.span)));
        }
        names.push(name.value.clone());
    }
    scope.with_column_names(names).map_err(|error| place(error, start_of(columns[0].name.span)))
}

/// `data/hits.parquet` goes by the name `hits`.
fn file_stem(pattern: &str) -> String {
    let file = pattern.rsplit(['/', '\\']).next().unwrap_or(pattern);
    file.split('.').next().unwrap_or(file).to_owned()
}
