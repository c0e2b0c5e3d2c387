//! The suites' files fit together, and Martlet answers them as the oracle did.

use std::collections::BTreeSet;

use clap::ValueEnum;

use super::*;

const CHECKED_ROWS: u64 = 100_000;

#[test]
fn suites_are_called_as_on_the_command_line() {
    for suite in Suite::value_variants().iter().copied() {
        let value = suite.to_possible_value().expect("none is hidden");
        assert_eq!(value.get_name(), suite.name());
    }
}

#[test]
fn every_dialect_is_of_queries_that_there_are() -> Result<()> {
    for (suite, count) in Suite::value_variants().iter().copied().zip([43, 13, 10, 12]) {
        let queries = suite.queries()?;
        let names: BTreeSet<&str> = queries.iter().map(|query| query.name.as_str()).collect();
        assert_eq!((queries.len(), names.len()), (count, count), "{}", suite.name());
        assert!(queries.iter().all(|query| query.text.contains(suite.table())));
        for engine in ["duckdb", "chdb", "hyper", "datafusion", "polars"] {
            assert_eq!(suite.queries_for(engine)?.len(), count);
        }
        let polars = suite.queries_for("polars")?;
        assert!(polars.iter().all(|query| query.text.starts_with(suite.table())));
    }
    Ok(())
}

#[test]
fn the_oracle_answered_every_query_at_the_checked_size() -> Result<()> {
    for suite in Suite::value_variants().iter().copied() {
        let expected = expected::of(suite, checked_rows(suite), 1)?;
        for query in suite.queries()? {
            let answer = expected::to(&expected, &query.name);
            let answer = answer.ok_or_else(|| format!("{} {}", suite.name(), query.name))?;
            assert_eq!(answer.about.len(), query.facts.about.len());
            if suite != Suite::Hits {
                assert!(answer.rows > 0, "{} {} has no rows", suite.name(), query.name);
            }
        }
    }
    Ok(())
}

/// A thousand columns are many in a build without optimisation.
fn checked_rows(suite: Suite) -> u64 {
    if suite == Suite::Wide { 2_000 } else { CHECKED_ROWS }
}
