//! The rules keep the answer: random plans, run as they are and optimised by a naive executor.

mod generate;
mod model;

#[cfg(test)]
mod tests {
    use martlet_engine::context::Context;
    use martlet_engine::exec::expression::evaluate_constant;
    use martlet_engine::plan::{Expr, LogicalPlan, optimize};
    use martlet_engine::types::{Result, Value};

    use crate::generate::Generator;
    use crate::model::{self, Row};

    const PLAN_COUNT: u64 = 3_000;

    #[test]
    fn an_optimised_plan_gives_the_same_rows() {
        let mut answered_count = 0;
        for seed in 0..PLAN_COUNT {
            let plan = Generator::new(seed).plan();
            let optimized = optimized(&plan);
            assert_eq!(optimized.output(), plan.output(), "seed {seed}\n{plan}\n{optimized}");
            // What fails may stop failing, since rules compute less; nothing may begin to fail.
            let Ok(expected) = model::run(&plan) else {
                continue;
            };
            let found = model::run(&optimized)
                .unwrap_or_else(|error| panic!("seed {seed}: {error}\n{plan}\n{optimized}"));
            assert_eq!(in_order(found), in_order(expected), "seed {seed}\n{plan}\n{optimized}");
            answered_count += 1;
        }
        assert!(answered_count > PLAN_COUNT / 2, "only {answered_count} plans had an answer");
    }

    #[test]
    fn optimising_twice_changes_nothing() {
        for seed in 0..PLAN_COUNT {
            let once = optimized(&Generator::new(seed).plan());
            assert_eq!(optimized(&once), once, "seed {seed}\n{once}");
        }
    }

    fn optimized(plan: &LogicalPlan) -> LogicalPlan {
        let context = Context::new();
        let fold = |expr: &Expr| -> Result<Value> { evaluate_constant(expr, &context) };
        optimize(plan.clone(), &fold)
    }

    /// The rows as texts in one order, so that only their values count.
    fn in_order(rows: Vec<Row>) -> Vec<String> {
        let mut texts: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        texts.sort();
        texts
    }
}
