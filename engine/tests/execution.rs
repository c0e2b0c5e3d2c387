//! Plans over stored tables, end to end: every answer against lists of rows, for several sizes of
//! pages and batches, several loads, deleted rows and numbers of workers.

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
    use martlet_engine::arrow;
    use martlet_engine::catalog::{NewField, Table};
    use martlet_engine::context::{CancelToken, Context, MemoryBudget};
    use martlet_engine::exec::{BatchStream, WorkerPool, execute};
    use martlet_engine::ingest::{Appender, LoadOptions};
    use martlet_engine::plan::{
        Aggregate, AggregateFunction, Comparison, Expr, Function, LikePattern, PhysicalPlan, Rung,
        Scan, ScanColumn, SortKey, Source,
    };
    use martlet_engine::storage::{MemoryBackend, Snapshot, StorageOptions, Store};
    use martlet_engine::types::{DataType, ErrorKind, Result, Value};

    const NAMES: [&str; 5] = ["number", "word", "address", "weight", "day"];
    const TYPES: [DataType; 5] =
        [DataType::Int64, DataType::Utf8, DataType::Utf8, DataType::Float64, DataType::Date];
    const WORDS: [&str; 7] = ["", "kiwi", "apple", "fig", "banana", "Ärger", "grape"];

    type Row = Vec<Value>;
    type RowTo<T> = Box<dyn Fn(&Row) -> T>;

    /// Rows as a small generator gives them: NULLs, repeated words, unique addresses.
    fn rows(count: usize) -> Vec<Row> {
        let mut state = 7_u64;
        let mut next = |limit: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695);
            (state >> 33) % limit
        };
        (0..count)
            .map(|row| {
                let number = i128::from(next(20)) - 5;
                let word = WORDS[usize::try_from(next(7)).unwrap()];
                let weight = f64::from(u32::try_from(next(1_000)).unwrap()) / 100.0;
                let null = next(10);
                vec![
                    if null == 0 { Value::Null } else { Value::Int(number) },
                    if null == 1 { Value::Null } else { Value::Text(word.into()) },
                    Value::Text(format!("http://{word}.org/{row}?{}", next(1_000_000))),
                    if null == 2 { Value::Null } else { Value::Float(weight) },
                    Value::Int(15_000 + i128::try_from(row / 50).unwrap()),
                ]
            })
            .collect()
    }

    fn record_batch(rows: &[Row]) -> RecordBatch {
        let int = |value: &Value| if let Value::Int(v) = value { Some(*v) } else { None };
        let text = |value: &Value| if let Value::Text(v) = value { Some(v.clone()) } else { None };
        let float = |value: &Value| if let Value::Float(v) = value { Some(*v) } else { None };
        let numbers: Int64Array =
            rows.iter().map(|r| int(&r[0]).map(|v| i64::try_from(v).unwrap())).collect();
        let days: Date32Array =
            rows.iter().map(|r| int(&r[4]).map(|v| i32::try_from(v).unwrap())).collect();
        let columns: [ArrayRef; 5] = [
            Arc::new(numbers),
            Arc::new(rows.iter().map(|r| text(&r[1])).collect::<StringArray>()),
            Arc::new(rows.iter().map(|r| text(&r[2])).collect::<StringArray>()),
            Arc::new(rows.iter().map(|r| float(&r[3])).collect::<Float64Array>()),
            Arc::new(days),
        ];
        RecordBatch::try_from_iter(NAMES.into_iter().zip(columns)).unwrap()
    }

    struct Fixture {
        snapshot: Arc<Snapshot>,
        rows: Vec<Row>,
    }

    /// A table loaded in `loads` commits, of which every `delete_every`-th row is deleted.
    fn fixture(count: usize, loads: usize, delete_every: Option<u32>) -> Result<Fixture> {
        let options = StorageOptions { row_group_len: 256, page_len: 64 };
        let store = Store::create(Arc::new(MemoryBackend::new()), options)?;
        let mut rows = rows(count);
        let fields: Vec<NewField> = NAMES
            .into_iter()
            .zip(TYPES)
            .map(|(name, data_type)| NewField { name: name.into(), data_type, nullable: true })
            .collect();
        for (index, part) in rows.chunks(count.div_ceil(loads).max(1)).enumerate() {
            let options = LoadOptions::default();
            let mut appender = Appender::new(fields.clone(), options, Context::new());
            appender.append(&record_batch(part))?;
            if index == 0 {
                appender.create_table(&store, "t")?;
            } else {
                appender.commit(&store, "t")?;
            }
        }
        if let Some(every) = delete_every {
            let transaction = store.begin()?;
            let table = transaction.snapshot().table("t")?.unwrap();
            let mut kept = Vec::new();
            let mut first = 0;
            for row_group in 0..table.row_group_count() {
                let len = table.row_group(row_group).row_count;
                let deleted: Vec<u32> = (0..len).filter(|row| row % every == 0).collect();
                let bitmap = deleted.iter().copied().collect();
                transaction.delete_rows(table.id(), row_group, &bitmap)?;
                let rows = &rows[first..first + len as usize];
                kept.extend(
                    (0..len).zip(rows).filter(|(row, _)| row % every != 0).map(|(_, r)| r.clone()),
                );
                first += len as usize;
            }
            transaction.commit()?;
            rows = kept;
        }
        Ok(Fixture { snapshot: store.snapshot()?, rows })
    }

    fn column(index: usize) -> Expr {
        Expr::column(index, TYPES[index])
    }

    fn compare(index: usize, op: Comparison, value: Value) -> Expr {
        let literal = Expr::literal(value, TYPES[index]);
        Expr::Compare { op, left: Box::new(column(index)), right: Box::new(literal) }
    }

    fn like(index: usize, pattern: &str) -> Expr {
        let pattern =
            LikePattern { pattern: pattern.into(), escape: Some('\\'), case_insensitive: false };
        Expr::Like { input: Box::new(column(index)), pattern }
    }

    fn scan(fixture: &Fixture, filter: Vec<Expr>) -> Result<PhysicalPlan> {
        let table = fixture.snapshot.table("t")?.unwrap();
        let columns = (0..5)
            .map(|index| {
                let field = table.field(index);
                ScanColumn { field: field.id, name: field.name, data_type: field.data_type }
            })
            .collect();
        let source = Source::Table { id: table.id(), name: "t".into() };
        Ok(PhysicalPlan::Scan(Scan { source, columns, filter, output_count: 5 }))
    }

    fn contexts() -> Vec<Context> {
        let context =
            |worker_count, batch_len| Context { worker_count, batch_len, ..Context::new() };
        vec![context(1, 2_048), context(2, 1), context(4, 13), context(8, 100)]
    }

    fn run(plan: &PhysicalPlan, fixture: &Fixture, context: &Context) -> Result<BatchStream> {
        let context = Context { cancel: CancelToken::default(), ..context.clone() };
        let pool = Arc::new(WorkerPool::new(context.worker_count)?);
        execute(plan, Arc::clone(&fixture.snapshot), pool, context)
    }

    fn collect(stream: BatchStream) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for batch in stream {
            let batch = batch?;
            assert!(batch.num_rows() > 0);
            let types: Vec<DataType> = batch
                .schema()
                .fields()
                .iter()
                .map(|field| DataType::from_arrow(field.data_type()).unwrap())
                .collect();
            rows.extend((0..batch.num_rows()).map(|row| {
                let columns = batch.columns().iter().zip(&types);
                columns.map(|(array, t)| Value::from_array(array, *t, row)).collect::<Row>()
            }));
        }
        Ok(rows)
    }

    fn fixtures() -> Result<Vec<Fixture>> {
        Ok(vec![
            fixture(1_000, 1, None)?,
            fixture(1_000, 4, None)?,
            fixture(700, 3, Some(7))?,
            fixture(1, 1, None)?,
        ])
    }

    /// Runs the plan in every way and compares with what `expected` makes of the rows.
    fn check(
        plan: impl Fn(&Fixture) -> Result<PhysicalPlan>,
        expected: impl Fn(&[Row]) -> Vec<Row>,
        ordered: bool,
    ) -> Result<()> {
        for fixture in fixtures()? {
            let plan = plan(&fixture)?;
            let mut expected = expected(&fixture.rows);
            for context in contexts() {
                let mut rows = collect(run(&plan, &fixture, &context)?)?;
                if !ordered {
                    expected.sort_by(order);
                    rows.sort_by(order);
                }
                assert_eq!(rows, expected);
                assert_eq!(context.memory.used_bytes(), 0, "all memory is given back");
            }
        }
        Ok(())
    }

    fn order(a: &Row, b: &Row) -> std::cmp::Ordering {
        a.iter()
            .zip(b)
            .map(|(a, b)| a.order(b))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| 0.cmp(&0))
    }

    fn at_least(value: &Value, limit: i128) -> bool {
        matches!(value, Value::Int(value) if *value >= limit)
    }

    fn contains(value: &Value, needle: &str) -> bool {
        matches!(value, Value::Text(text) if text.contains(needle))
    }

    #[test]
    fn a_scan_gives_rows_in_order() -> Result<()> {
        check(|fixture| scan(fixture, Vec::new()), <[Row]>::to_vec, true)
    }

    #[test]
    fn filters_on_codes_integers_and_texts_agree_with_the_rows() -> Result<()> {
        let kiwi = Value::Text("kiwi".into());
        let filters: Vec<(Vec<Expr>, RowTo<bool>)> = vec![
            (
                vec![compare(0, Comparison::GreaterOrEqual, Value::Int(7))],
                Box::new(|row| at_least(&row[0], 7)),
            ),
            (
                vec![compare(1, Comparison::Equal, kiwi.clone())],
                Box::new(move |row| row[1] == kiwi),
            ),
            (
                vec![like(1, "%a%"), compare(0, Comparison::GreaterOrEqual, Value::Int(0))],
                Box::new(|row| contains(&row[1], "a") && at_least(&row[0], 0)),
            ),
            (vec![like(2, "%fig.org/1%")], Box::new(|row| contains(&row[2], "fig.org/1"))),
            (vec![Expr::IsNull(Box::new(column(1)))], Box::new(|row| row[1].is_null())),
            (
                vec![compare(4, Comparison::GreaterOrEqual, Value::Int(15_012))],
                Box::new(|row| at_least(&row[4], 15_012)),
            ),
            (
                vec![compare(3, Comparison::Less, Value::Float(2.5))],
                Box::new(|row| matches!(row[3], Value::Float(v) if v < 2.5)),
            ),
        ];
        for (filter, passes) in filters {
            check(
                |fixture| scan(fixture, filter.clone()),
                |rows| rows.iter().filter(|row| passes(row)).cloned().collect(),
                true,
            )?;
        }
        Ok(())
    }

    fn call(function: AggregateFunction, argument: Expr, distinct: bool) -> Aggregate {
        Aggregate { function, argument: Some(argument), second: None, distinct, filter: None }
    }

    fn count_rows() -> Aggregate {
        let function = AggregateFunction::CountRows;
        Aggregate { function, argument: None, second: None, distinct: false, filter: None }
    }

    fn grouped(rows: &[Row], key: impl Fn(&Row) -> Row) -> Vec<(Row, Vec<Row>)> {
        let mut groups: Vec<(Row, Vec<Row>)> = Vec::new();
        for row in rows {
            let key = key(row);
            match groups.iter_mut().find(|(other, _)| *other == key) {
                Some((_, rows)) => rows.push(row.clone()),
                None => groups.push((key, vec![row.clone()])),
            }
        }
        groups
    }

    fn values(rows: &[Row], column: usize) -> Vec<Value> {
        let mut values: Vec<Value> =
            rows.iter().map(|row| row[column].clone()).filter(|value| !value.is_null()).collect();
        values.sort_by(Value::order);
        values
    }

    fn int_sum(values: &[Value]) -> Value {
        let ints = values.iter().map(|v| if let Value::Int(v) = v { *v } else { 0 });
        if values.is_empty() { Value::Null } else { Value::Int(ints.sum()) }
    }

    fn count(values: usize) -> Value {
        Value::Int(i128::try_from(values).unwrap())
    }

    #[test]
    fn groups_by_codes_and_by_computed_keys_agree_with_the_rows() -> Result<()> {
        use AggregateFunction::{Count, Max, Min, Sum};
        let upper = |input| Expr::Call {
            function: Function::Upper,
            arguments: vec![input],
            data_type: DataType::Utf8,
        };
        let length = |input| Expr::Call {
            function: Function::ByteLength,
            arguments: vec![input],
            data_type: DataType::Int64,
        };
        let aggregates = vec![
            count_rows(),
            call(Sum, column(0), false),
            call(Count, column(0), true),
            call(Min, column(2), false),
            call(Max, column(1), false),
            call(Sum, length(column(1)), false),
        ];
        let expected = |rows: &[Row], key: &dyn Fn(&Row) -> Row| {
            let mut answer = Vec::new();
            for (mut row, rows) in grouped(rows, key) {
                let numbers = values(&rows, 0);
                let mut distinct = numbers.clone();
                distinct.dedup();
                let lens: Vec<Value> = values(&rows, 1)
                    .iter()
                    .map(|v| if let Value::Text(t) = v { count(t.len()) } else { Value::Null })
                    .collect();
                row.push(count(rows.len()));
                row.push(int_sum(&numbers));
                row.push(count(distinct.len()));
                row.push(values(&rows, 2).first().cloned().unwrap_or(Value::Null));
                row.push(values(&rows, 1).last().cloned().unwrap_or(Value::Null));
                row.push(int_sum(&lens));
                answer.push(row);
            }
            answer
        };
        let keys: Vec<(Vec<Expr>, RowTo<Row>)> = vec![
            (vec![column(1)], Box::new(|row| vec![row[1].clone()])),
            (vec![column(1), column(4)], Box::new(|row| vec![row[1].clone(), row[4].clone()])),
            (vec![column(2)], Box::new(|row| vec![row[2].clone()])),
            (vec![column(3), column(0)], Box::new(|row| vec![row[3].clone(), row[0].clone()])),
            (
                vec![upper(column(1))],
                Box::new(|row| match &row[1] {
                    Value::Text(text) => vec![Value::Text(text.to_uppercase())],
                    _ => vec![Value::Null],
                }),
            ),
        ];
        for (keys, key) in keys {
            for rungs in [vec![Rung::Dense, Rung::Hash], vec![Rung::Hash]] {
                let names = (0..keys.len() + aggregates.len()).map(|i| format!("c{i}")).collect();
                let plan = |fixture: &Fixture| {
                    Ok(PhysicalPlan::Aggregate {
                        input: Box::new(scan(fixture, Vec::new())?),
                        keys: keys.clone(),
                        aggregates: aggregates.clone(),
                        names: Vec::clone(&names),
                        rungs: rungs.clone(),
                    })
                };
                check(plan, |rows| expected(rows, &key), false)?;
            }
        }
        Ok(())
    }

    #[test]
    fn statistics_answer_as_the_rows_do() -> Result<()> {
        use AggregateFunction::{Avg, Count, Max, Min, Sum};
        let aggregates = [
            count_rows(),
            call(Count, column(1), false),
            call(Count, column(1), true),
            call(Sum, column(0), false),
            call(Min, column(1), false),
            call(Max, column(4), false),
            call(Max, column(2), false),
            call(Avg, column(0), false),
        ];
        let expected = |rows: &[Row]| {
            let numbers = values(rows, 0);
            let words = values(rows, 1);
            let mut distinct = words.clone();
            distinct.dedup();
            let average = match int_sum(&numbers) {
                Value::Int(sum) => Value::Float(
                    f64::from(i32::try_from(sum).unwrap())
                        / f64::from(u32::try_from(numbers.len()).unwrap()),
                ),
                _ => Value::Null,
            };
            vec![vec![
                count(rows.len()),
                count(words.len()),
                count(distinct.len()),
                int_sum(&numbers),
                words.first().cloned().unwrap_or(Value::Null),
                values(rows, 4).last().cloned().unwrap_or(Value::Null),
                values(rows, 2).last().cloned().unwrap_or(Value::Null),
                average,
            ]]
        };
        for count in 1..=aggregates.len() {
            for rungs in [vec![Rung::Metadata, Rung::Single], vec![Rung::Single]] {
                let plan = |fixture: &Fixture| {
                    Ok(PhysicalPlan::Aggregate {
                        input: Box::new(scan(fixture, Vec::new())?),
                        keys: Vec::new(),
                        aggregates: aggregates[..count].to_vec(),
                        names: (0..count).map(|index| format!("c{index}")).collect(),
                        rungs: rungs.clone(),
                    })
                };
                let cut = |rows: &[Row]| vec![expected(rows)[0][..count].to_vec()];
                check(plan, cut, true)?;
            }
        }
        Ok(())
    }

    #[test]
    fn the_first_rows_in_order_are_read_late_and_right() -> Result<()> {
        let key = |index: usize, descending| SortKey {
            expr: column(index),
            descending,
            nulls_first: descending,
        };
        for (offset, limit) in [(0, 5), (3, 20), (0, 5_000)] {
            let filter = vec![compare(0, Comparison::GreaterOrEqual, Value::Int(2))];
            let top = |fixture: &Fixture| {
                Ok(PhysicalPlan::TopN {
                    input: Box::new(scan(fixture, filter.clone())?),
                    keys: vec![key(1, true), key(0, false)],
                    offset,
                    limit,
                })
            };
            let full = |fixture: &Fixture| {
                Ok(PhysicalPlan::Limit {
                    input: Box::new(PhysicalPlan::Sort {
                        input: Box::new(scan(fixture, filter.clone())?),
                        keys: vec![key(1, true), key(0, false)],
                    }),
                    offset,
                    limit: Some(limit),
                })
            };
            let expected = |rows: &[Row]| {
                let mut rows: Vec<Row> =
                    rows.iter().filter(|row| at_least(&row[0], 2)).cloned().collect();
                // NULL is greatest in `order`: first when descending.
                rows.sort_by(|a, b| b[1].order(&a[1]).then(a[0].order(&b[0])));
                let skip = usize::try_from(offset).unwrap();
                rows.into_iter().skip(skip).take(usize::try_from(limit).unwrap()).collect()
            };
            check(top, expected, true)?;
            check(full, expected, true)?;
        }
        Ok(())
    }

    #[test]
    fn a_late_sort_reads_few_pages() -> Result<()> {
        let fixture = fixture(1_000, 1, None)?;
        let plan = PhysicalPlan::TopN {
            input: Box::new(scan(&fixture, Vec::new())?),
            keys: vec![SortKey { expr: column(3), descending: false, nulls_first: false }],
            offset: 0,
            limit: 1,
        };
        let mut stream = run(&plan, &fixture, &Context::new())?;
        assert!(stream.next().is_some());
        let scan = stream.profile().scan_total();
        // 16 pages of the key, and one of each column for the winner.
        assert_eq!((scan.pages_read, scan.pages_total), (16 + 5, 80));
        Ok(())
    }

    #[test]
    fn a_limit_stops_the_scan_early() -> Result<()> {
        let plan = |fixture: &Fixture| {
            Ok(PhysicalPlan::Limit {
                input: Box::new(scan(fixture, Vec::new())?),
                offset: 3,
                limit: Some(10),
            })
        };
        check(plan, |rows| rows.iter().skip(3).take(10).cloned().collect(), true)?;
        let fixture = fixture(1_000, 1, None)?;
        let mut stream = run(&plan(&fixture)?, &fixture, &Context::new())?;
        let count: usize = stream.by_ref().map(|batch| batch.map_or(0, |b| b.num_rows())).sum();
        assert_eq!(count, 10);
        assert!(stream.profile().scan_total().pages_read <= 10, "{}", stream.profile());
        Ok(())
    }

    #[test]
    fn an_error_of_a_value_is_raised_only_by_rows_that_survive() -> Result<()> {
        let fixture = fixture(1_000, 2, None)?;
        let ratio = Expr::Call {
            function: Function::Divide,
            arguments: vec![Expr::literal(Value::Int(10), DataType::Int64), column(0)],
            data_type: DataType::Int64,
        };
        let project = |filter: Vec<Expr>| -> Result<PhysicalPlan> {
            Ok(PhysicalPlan::Project {
                input: Box::new(scan(&fixture, filter)?),
                exprs: vec![ratio.clone()],
                names: vec!["ratio".into()],
            })
        };
        let all = collect(run(&project(Vec::new())?, &fixture, &Context::new())?);
        assert_eq!(all.expect_err("0 occurs").kind(), ErrorKind::DivisionByZero);
        let filter = vec![compare(0, Comparison::NotEqual, Value::Int(0))];
        let expected =
            fixture.rows.iter().filter(|row| matches!(row[0], Value::Int(value) if value != 0));
        let rows = collect(run(&project(filter)?, &fixture, &Context::new())?)?;
        assert_eq!(rows.len(), expected.count());
        Ok(())
    }

    #[test]
    fn cancelling_and_the_memory_limit_end_a_query() -> Result<()> {
        let fixture = fixture(1_000, 1, None)?;
        let plan =
            PhysicalPlan::Sort { input: Box::new(scan(&fixture, Vec::new())?), keys: vec![] };
        let context = Context { memory: MemoryBudget::new(10_000), ..Context::new() };
        let error = collect(run(&plan, &fixture, &context)?).expect_err("it does not fit");
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert_eq!(context.memory.used_bytes(), 0);

        let context = Context { batch_len: 10, ..Context::new() };
        let pool = Arc::new(WorkerPool::new(1)?);
        let plan = scan(&fixture, Vec::new())?;
        let mut stream = execute(&plan, Arc::clone(&fixture.snapshot), pool, context.clone())?;
        assert!(stream.next().is_some_and(|batch| batch.is_ok()));
        context.cancel.cancel();
        let error = stream.find_map(Result::err).expect("the query was cancelled");
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(stream.next().is_none());
        Ok(())
    }
}
