//! Every SQL test, against a naive executor of the same plans and in every way of storing and reading.
//!
//! - [`script`] reads `tests/slt`, queries with their answers.
//! - [`configuration`] stores the same tables in different ways: the answers are the same bits.
//! - [`plan`] and the modules behind it are the model: slow, obvious, row by row, and independent of
//!   the engine's kernels. Of the engine it uses plans, values, and the texts of values.
//! - [`compare`] says when two answers are one.
#![expect(clippy::tests_outside_test_module, reason = "an integration test is one")]

mod aggregate;
mod answer;
mod cast;
mod compare;
mod configuration;
mod exact;
mod expression;
mod number;
mod plan;
mod script;
mod text;
mod time;

use std::error::Error;

type TestResult = Result<(), Box<dyn Error>>;

#[test]
fn the_files_have_the_same_answers_however_tables_are_stored() -> TestResult {
    for configuration in &configuration::ALL {
        let failures = script::failures(configuration)?;
        assert!(failures.is_empty(), "{configuration:?}\n{failures}");
    }
    Ok(())
}

#[test]
fn the_model_gives_the_answers_of_the_files() -> TestResult {
    let (failures, query_count) = script::model_failures()?;
    assert!(failures.is_empty(), "{failures}");
    assert!(query_count > 150, "only {query_count} queries have a plan");
    Ok(())
}
