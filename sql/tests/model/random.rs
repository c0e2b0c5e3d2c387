//! Random tables and queries through the model and every configuration.
//!
//! `MARTLET_SEEDS=5000` runs so many tables instead of a few; `MARTLET_SEED=17` runs one of them.

use std::env;
use std::error::Error;

use martlet::Connection;

use crate::compare::verdict;
use crate::configuration::{ALL, Configuration, Instance, PLAIN};
use crate::generate::{Queries, Random, RandomTable};
use crate::plan::Model;

const SEED_COUNT: u64 = 40;
const QUERIES_PER_TABLE: u64 = 25;
/// Configurations that a table is stored in, beside the plain one.
const CONFIGURATIONS_PER_TABLE: u64 = 2;

/// What a run did, so that a test can tell that it did something.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) failures: Vec<String>,
    /// Queries that the binder refused.
    pub(crate) refused_count: usize,
    /// Queries that the model failed on, as did the engine.
    pub(crate) error_count: usize,
    /// Queries with rows or without, compared.
    pub(crate) answered_count: usize,
    pub(crate) merged_count: usize,
}

/// Runs the tables and queries of as many seeds as the environment says.
pub(crate) fn run() -> Result<Report, Box<dyn Error>> {
    let number = |name| env::var(name).ok().map(|text| text.parse::<u64>()).transpose();
    let seeds = match number("MARTLET_SEED")? {
        Some(seed) => seed..seed + 1,
        None => 0..number("MARTLET_SEEDS")?.unwrap_or(SEED_COUNT),
    };
    let mut report = Report::default();
    for seed in seeds {
        run_seed(seed, &mut report)?;
    }
    Ok(report)
}

/// The plain configuration, and others in turn.
fn configurations(seed: u64) -> Vec<&'static Configuration> {
    let others = &ALL[1..];
    let place = |turn: u64| {
        let turn = (seed * CONFIGURATIONS_PER_TABLE + turn) % others.len() as u64;
        usize::try_from(turn).expect("a few")
    };
    let others = (0..CONFIGURATIONS_PER_TABLE).map(|turn| &others[place(turn)]);
    [&PLAIN].into_iter().chain(others).collect()
}

fn run_seed(seed: u64, report: &mut Report) -> Result<(), Box<dyn Error>> {
    let mut random = Random::new(seed);
    let table = RandomTable::new(&mut random);
    let mut instances = Vec::new();
    for configuration in configurations(seed) {
        let mut instance = Instance::open(configuration)?;
        instance.load(&table.create_statement("t"), "t", &table.batch()?)?;
        instances.push(instance);
    }
    let connection = instances[0].writer().database().connect();
    let zone = ["UTC", "UTC", "America/New_York", "Asia/Kolkata"][random.index(4)];
    for instance in &mut instances {
        instance.execute(&format!("SET TIME ZONE '{zone}'"))?;
    }
    for _ in 0..QUERIES_PER_TABLE {
        let mut queries =
            Queries { random: &mut random, connection: &connection, columns: &table.columns };
        let sql = queries.query(2);
        let asked = Asked { seed, zone, sql: &sql, table: &table };
        check(&asked, &connection, &mut instances, report);
    }
    report.merged_count += instances.iter().map(Instance::merged_count).sum::<usize>();
    Ok(())
}

/// A query, and what it takes to ask it again.
struct Asked<'a> {
    seed: u64,
    zone: &'a str,
    sql: &'a str,
    table: &'a RandomTable,
}

fn check(
    asked: &Asked<'_>,
    connection: &Connection,
    instances: &mut [Instance],
    report: &mut Report,
) {
    let Asked { seed, zone, sql, table } = *asked;
    let Ok(plan) = connection.logical_plan(sql) else {
        report.refused_count += 1;
        return;
    };
    let mut model = Model::new(zone);
    let names = table.columns.iter().map(|(name, _)| name.clone()).collect();
    model.insert_table("t", names, table.rows.clone());
    let expected = model.run(&plan);
    let raised = model.raised();
    match &expected {
        Ok(_) => report.answered_count += 1,
        Err(_) => report.error_count += 1,
    }
    for instance in instances {
        let answer = instance.answer(sql);
        if let Some(wrong) = verdict(&expected, &raised, &answer) {
            let configuration = instance.configuration();
            let create = table.create_statement("t");
            report.failures.push(format!(
                "seed {seed}: {sql}\n{create}, in {zone}\n{configuration:?}\n{wrong}\n{plan}\n"
            ));
            return;
        }
    }
}
