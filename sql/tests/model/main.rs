//! Every SQL test, against a naive executor of the same plans and in every way of storing and reading.
//!
//! - [`script`] runs `tests/slt`, queries with their answers; [`random`] runs those that [`generate`]
//!   makes.
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
mod generate;
mod letters;
mod number;
mod plan;
mod random;
mod script;
mod text;
mod time;
mod window;

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

#[test]
fn random_queries_have_the_answers_of_the_model() -> TestResult {
    let report = random::run()?;
    println!(
        "{} answered, {} failed as they should, {} refused, {} dictionaries merged",
        report.answered_count, report.error_count, report.refused_count, report.merged_count
    );
    let failures = &report.failures;
    assert!(failures.is_empty(), "{} failed\n{}", failures.len(), failures.join("\n"));
    assert!(report.answered_count > report.error_count + report.refused_count);
    // One table need not have a dictionary of several runs.
    assert!(report.merged_count > 0 || report.answered_count < 500, "no dictionary was merged");
    Ok(())
}
