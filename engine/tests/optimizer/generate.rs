//! Random logical plans over the model's table, the same for the same seed.

#![expect(clippy::unwrap_used, reason = "test code fails by panicking")]

use martlet_engine::catalog::{FieldId, TableId};
use martlet_engine::plan::{
    Aggregate, AggregateFunction, Comparison, Expr, Function, LikePattern, LogicalPlan, Scan,
    ScanColumn, SortKey, Source, Window, WindowFunction, compare, in_list, integer_literal,
    resolve, unify,
};
use martlet_engine::types::{DataType, Value};

use crate::model::TABLE;

/// A source of random plans.
pub(crate) struct Generator {
    state: u64,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Generator {
        Generator { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    /// A number below `bound` (xorshift64*).
    fn below(&mut self, bound: u64) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(u64::try_from(len).unwrap())).unwrap()
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A scan with up to five operators above it.
    pub(crate) fn plan(&mut self) -> LogicalPlan {
        let mut plan = scan();
        for _ in 0..=self.below(5) {
            plan = match self.below(10) {
                0..=2 => {
                    let types = types(&plan);
                    let predicate = self.predicate(&types, 2);
                    LogicalPlan::Filter { input: Box::new(plan), predicate }
                }
                3..=5 => self.project(plan),
                6 | 7 => self.aggregate(plan),
                8 => self.window(plan),
                _ => self.sorted(plan),
            };
        }
        plan
    }

    fn project(&mut self, input: LogicalPlan) -> LogicalPlan {
        let types = types(&input);
        let exprs: Vec<Expr> = (0..=self.below(5)).map(|_| self.expr(&types, 2)).collect();
        let names = (0..exprs.len()).map(|index| format!("p{index}")).collect();
        LogicalPlan::Project { input: Box::new(input), exprs, names }
    }

    fn aggregate(&mut self, input: LogicalPlan) -> LogicalPlan {
        let types = types(&input);
        let mut keys: Vec<Expr> = (0..self.below(4)).map(|_| self.key(&types)).collect();
        if self.chance(30) && !keys.is_empty() {
            keys.push(integer_literal(1).unwrap());
        }
        let aggregates: Vec<Aggregate> =
            (0..=self.below(3)).map(|_| self.one_aggregate(&types)).collect();
        let names = (0..keys.len() + aggregates.len()).map(|index| format!("g{index}")).collect();
        LogicalPlan::Aggregate { input: Box::new(input), keys, aggregates, names }
    }

    /// A column, or sometimes something computed from one.
    fn key(&mut self, types: &[DataType]) -> Expr {
        if self.chance(60) { self.column(types) } else { self.expr(types, 1) }
    }

    fn one_aggregate(&mut self, types: &[DataType]) -> Aggregate {
        use AggregateFunction::{Avg, Count, CountRows, Max, Min, Sum};
        let function = [CountRows, Count, Sum, Sum, Sum, Avg, Min, Max][self.index(8)];
        let argument = match function {
            CountRows => None,
            Sum | Avg => {
                let number = self.number(types, 0);
                let shift = integer_literal(i128::from(self.below(5))).unwrap();
                let shifted = self.chance(60);
                let sum = resolve(Function::Add, vec![number.clone(), shift]).unwrap();
                Some(if shifted { sum } else { number })
            }
            _ => Some(self.expr(types, 1)),
        };
        let distinct = self.chance(20) && function != CountRows;
        let filter = self.chance(20).then(|| self.predicate(types, 1));
        Aggregate { function, argument, second: None, distinct, filter }
    }

    /// Numbered rows, most often filtered by a number.
    fn window(&mut self, input: LogicalPlan) -> LogicalPlan {
        use WindowFunction::{DenseRank, Rank, RowNumber};
        let types = types(&input);
        let partition = (0..self.below(3)).map(|_| self.key(&types)).collect();
        let order = (0..self.below(3))
            .map(|_| SortKey {
                expr: self.key(&types),
                descending: self.chance(50),
                nulls_first: self.chance(50),
            })
            .collect();
        let functions: Vec<WindowFunction> = (0..=self.below(2))
            .map(|_| [RowNumber, RowNumber, Rank, DenseRank][self.index(4)])
            .collect();
        let names = (0..functions.len()).map(|index| format!("w{index}")).collect();
        let number = Expr::column(types.len() + self.index(functions.len()), DataType::Int64);
        let window = Window { partition, order, functions, names, limit: None };
        let plan = LogicalPlan::Window { input: Box::new(input), window };
        if self.chance(30) {
            return plan;
        }
        let bound = integer_literal(i128::from(self.below(5))).unwrap();
        let mut terms = vec![compare(self.comparison(), number, bound).unwrap()];
        if self.chance(40) {
            terms.push(self.predicate(&types, 1));
        }
        LogicalPlan::Filter { input: Box::new(plan), predicate: Expr::And(terms) }
    }

    /// Rows in a total order, sometimes cut: ties are equal rows, so that any cut gives the same.
    fn sorted(&mut self, input: LogicalPlan) -> LogicalPlan {
        let types = types(&input);
        let mut keys =
            vec![SortKey { expr: self.expr(&types, 1), descending: true, nulls_first: false }];
        for (index, data_type) in types.iter().enumerate() {
            let expr = Expr::column(index, *data_type);
            keys.push(SortKey { expr, descending: self.chance(50), nulls_first: self.chance(50) });
        }
        let sort = LogicalPlan::Sort { input: Box::new(input), keys };
        if self.chance(30) {
            return sort;
        }
        let limit = if self.chance(90) { Some(self.below(12)) } else { None };
        LogicalPlan::Limit { input: Box::new(sort), offset: self.below(3), limit }
    }

    fn column(&mut self, types: &[DataType]) -> Expr {
        let index = self.index(types.len());
        Expr::column(index, types[index])
    }

    /// Some column of a type that `accept` takes.
    fn column_of(&mut self, types: &[DataType], accept: impl Fn(DataType) -> bool) -> Option<Expr> {
        let fitting: Vec<usize> = (0..types.len()).filter(|index| accept(types[*index])).collect();
        if fitting.is_empty() {
            return None;
        }
        let index = fitting[self.index(fitting.len())];
        Some(Expr::column(index, types[index]))
    }

    fn expr(&mut self, types: &[DataType], depth: u64) -> Expr {
        match self.below(6) {
            0 | 1 => self.column(types),
            2 | 3 => self.number(types, depth),
            4 => self.word(types, depth),
            _ => self.predicate(types, depth),
        }
    }

    fn number(&mut self, types: &[DataType], depth: u64) -> Expr {
        let literal = integer_literal(i128::from(self.below(7)) - 2).unwrap();
        if depth == 0 || self.chance(30) {
            let column = self.column_of(types, DataType::is_integer);
            return if self.chance(75) { column.unwrap_or(literal) } else { literal };
        }
        let (left, right) = (self.number(types, depth - 1), self.number(types, depth - 1));
        match self.below(6) {
            0 => resolve(Function::Add, vec![left, right]).unwrap(),
            1 => resolve(Function::Subtract, vec![left, literal]).unwrap(),
            2 => resolve(Function::Divide, vec![left, right]).unwrap(),
            3 => resolve(Function::Coalesce, vec![left, right]).unwrap(),
            4 => {
                let predicate = self.predicate(types, depth - 1);
                let mut results = unify(vec![left, right], "CASE").unwrap().into_iter();
                let (yes, no) = (results.next().unwrap(), results.next().unwrap());
                let data_type = yes.data_type();
                let otherwise = Some(Box::new(no));
                Expr::Case { branches: vec![(predicate, yes)], otherwise, data_type }
            }
            _ => resolve(Function::Length, vec![self.word(types, depth - 1)]).unwrap(),
        }
    }

    fn word(&mut self, types: &[DataType], depth: u64) -> Expr {
        let text = ["", "a", "ab"][self.index(3)];
        let literal = Expr::literal(Value::Text(text.into()), DataType::Utf8);
        let column = self.column_of(types, |data_type| data_type == DataType::Utf8);
        let word = if self.chance(80) {
            column.unwrap_or_else(|| literal.clone())
        } else {
            literal.clone()
        };
        match self.below(4) {
            0 if depth > 0 => resolve(Function::Concat, vec![word, literal]).unwrap(),
            1 if depth > 0 => resolve(Function::Upper, vec![word]).unwrap(),
            _ => word,
        }
    }

    fn predicate(&mut self, types: &[DataType], depth: u64) -> Expr {
        if depth > 0 && self.chance(50) {
            let terms = (0..=self.below(3)).map(|_| self.predicate(types, depth - 1)).collect();
            return match self.below(3) {
                0 => Expr::Or(terms),
                1 => Expr::And(terms),
                _ => Expr::Not(Box::new(self.predicate(types, depth - 1))),
            };
        }
        match self.below(7) {
            0..=2 => {
                let (left, right) = (self.number(types, depth), self.number(types, 0));
                compare(self.comparison(), left, right).unwrap()
            }
            3 => compare(self.comparison(), self.word(types, depth), self.word(types, 0)).unwrap(),
            4 => Expr::IsNull(Box::new(self.column(types))),
            5 => {
                let list = (0..=self.below(3))
                    .map(|value| integer_literal(i128::from(value)).unwrap())
                    .collect();
                in_list(self.number(types, 0), list).unwrap()
            }
            _ => {
                let pattern = ["a%", "%b", "_", "%"][self.index(4)].to_owned();
                let pattern = LikePattern { pattern, escape: None, case_insensitive: false };
                Expr::Like { input: Box::new(self.word(types, 0)), pattern }
            }
        }
    }

    fn comparison(&mut self) -> Comparison {
        use Comparison::{
            Distinct, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotDistinct, NotEqual,
        };
        let all =
            [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, Distinct, NotDistinct];
        all[self.index(all.len())]
    }
}

fn types(plan: &LogicalPlan) -> Vec<DataType> {
    plan.output().into_iter().map(|column| column.data_type).collect()
}

fn scan() -> LogicalPlan {
    let columns = TABLE
        .iter()
        .zip(0..)
        .map(|((name, data_type), field)| ScanColumn {
            field: FieldId(field),
            name: (*name).to_owned(),
            data_type: *data_type,
        })
        .collect();
    let source = Source::Table { id: TableId(1), name: "t".to_owned() };
    LogicalPlan::Scan(Scan { source, columns, filter: vec![], output_count: TABLE.len() })
}
