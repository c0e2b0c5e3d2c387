#!/usr/bin/env python3
"""One peer engine as `martlet-bench compare` asks it: a line of JSON in, a line of JSON out.

usage: runner.py ENGINE THREADS FOLDER

    (start)                                                    -> {"engine": …, "version": …}
    {"do": "load", "table": …, "parquet": …}                   -> {"seconds": …, "bytes": …}
    {"do": "run", "table": …, "query": …, "answer": file}      -> {"seconds": …}   the answer as an Arrow file

An error is {"error": …}; the process goes on. Threads are limited by the processors that the process may
use, and by each engine's own setting where it has one. The clock runs from handing over the query to
having the whole answer in the form that is natural to the engine; making an Arrow file of it is not timed.
"""
import datetime
import json
import os
import sys
import time
import warnings

warnings.simplefilter("ignore")


def directory_bytes(path):
    return sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(path) for name in names)


class DuckDb:
    def __init__(self, threads, folder):
        import duckdb
        self.version = duckdb.__version__
        self.path = os.path.join(folder, "duck.db")
        self.connection = duckdb.connect(self.path)
        self.connection.execute(f"SET threads = {threads}")

    def load(self, table, parquet):
        self.connection.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{parquet}')")
        self.connection.execute("CHECKPOINT")
        return os.path.getsize(self.path)

    def run(self, query):
        return self.connection.execute(query).to_arrow_table()

    def to_arrow(self, answer):
        return answer


class ChDb:
    def __init__(self, threads, folder):
        import chdb
        from chdb import session
        self.version = chdb.__version__
        self.folder = os.path.join(folder, "chdb")
        self.session = session.Session(self.folder)
        for statement in ("CREATE DATABASE bench ENGINE = Atomic", "USE bench", f"SET max_threads = {threads}",
                          "SET output_format_arrow_string_as_string = 1"):
            self.session.query(statement)
        self.threads = threads

    def load(self, table, parquet):
        import pyarrow.parquet
        file = pyarrow.parquet.ParquetFile(parquet).metadata
        chunks = (file.row_group(i).column(j) for i in range(file.num_row_groups) for j in range(file.num_columns))
        # Columns that may be NULL cost this engine time, so they are made only where there are NULLs.
        has_null = any(chunk.statistics is None or chunk.statistics.null_count for chunk in chunks)
        self.session.query(
            f"CREATE TABLE {table} ENGINE = MergeTree ORDER BY tuple() AS SELECT * FROM file('{parquet}', Parquet)"
            f" SETTINGS schema_inference_make_columns_nullable = {int(has_null)}, max_insert_threads = {self.threads}")
        return directory_bytes(self.folder)

    def run(self, query):
        return self.session.query(query, "Arrow")

    def to_arrow(self, answer):
        import pyarrow as pa
        data = answer.bytes()
        return pa.ipc.open_file(pa.py_buffer(data)).read_all() if data else pa.table({})


class DataFusion:
    def __init__(self, threads, folder):
        os.environ["TOKIO_WORKER_THREADS"] = str(threads)
        import datafusion
        self.version = datafusion.__version__
        self.context = datafusion.SessionContext(datafusion.SessionConfig({
            "datafusion.execution.target_partitions": str(threads),
            "datafusion.execution.parquet.binary_as_string": "true",
            "datafusion.execution.parquet.pushdown_filters": "true",
            "datafusion.sql_parser.enable_ident_normalization": "false",
        }))

    def load(self, table, parquet):
        self.context.register_parquet(table, parquet)
        return os.path.getsize(parquet)

    def run(self, query):
        frame = self.context.sql(query)
        return frame.schema(), frame.collect()

    def to_arrow(self, answer):
        import pyarrow as pa
        schema, batches = answer
        columns = len(schema)
        arrays = [pa.chunked_array([batch.column(i) for batch in batches], type=schema.field(i).type) for i in range(columns)]
        return pa.table(arrays, names=[str(i) for i in range(columns)])


class Polars:
    def __init__(self, threads, folder):
        os.environ["POLARS_MAX_THREADS"] = str(threads)
        import polars
        polars.Config.set_engine_affinity("streaming")
        self.version = polars.__version__
        self.names = {"pl": polars, "date": datetime.date}

    def load(self, table, parquet):
        self.names[table] = self.names["pl"].scan_parquet(parquet)
        return os.path.getsize(parquet)

    def run(self, query):
        return eval(query, dict(self.names)).collect()

    def to_arrow(self, answer):
        return answer.to_arrow()


class Hyper:
    # Longer answers leave as an Arrow file, because this library makes Python objects of all cells.
    LISTED_ROWS = 1_000

    def __init__(self, threads, folder):
        import tableauhyperapi as hyper
        self.hyper = hyper
        self.version = hyper.__version__
        self.folder = folder
        self.path = os.path.join(folder, "peer.hyper")
        self.process = hyper.HyperProcess(
            telemetry=hyper.Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters={"log_config": ""})
        self.connect(hyper.CreateMode.CREATE_AND_REPLACE)
        self.rows = {}

    def connect(self, mode):
        self.connection = self.hyper.Connection(self.process.endpoint, self.path, mode)

    def load(self, table, parquet):
        import pyarrow.parquet
        names = pyarrow.parquet.read_schema(parquet).names
        columns = ", ".join(f'"{name}" AS {name.lower()}' for name in names)
        self.connection.execute_command(
            f"CREATE TABLE {table} AS SELECT {columns} FROM external('{parquet}', format => 'parquet')")
        # The file is complete when it is closed.
        self.connection.close()
        self.connect(self.hyper.CreateMode.NONE)
        return os.path.getsize(self.path)

    def run(self, query):
        if self.rows.get(query, self.LISTED_ROWS + 1) <= self.LISTED_ROWS:
            with self.connection.execute_query(query) as result:
                return result.schema, list(result)
        path = os.path.join("/dev/shm" if os.path.isdir("/dev/shm") else self.folder, f"martlet-peer-{os.getpid()}.arrow")
        self.rows[query] = self.connection.execute_command(f"COPY ({query}) TO '{path}' WITH (format => 'arrowfile')")
        return path

    def to_arrow(self, answer):
        import pyarrow as pa
        if isinstance(answer, str):
            with open(answer, "rb") as file:
                data = file.read()
            os.unlink(answer)
            return pa.ipc.open_file(pa.py_buffer(data)).read_all()
        schema, rows = answer

        def value(cell):
            if isinstance(cell, self.hyper.Timestamp):
                return cell.to_datetime()
            return cell.to_date() if isinstance(cell, self.hyper.Date) else cell

        columns = [[value(row[i]) for row in rows] for i in range(schema.column_count)]
        return pa.table([pa.array(column) for column in columns], names=[str(i) for i in range(len(columns))])


ENGINES = {"duckdb": DuckDb, "chdb": ChDb, "hyper": Hyper, "polars": Polars, "datafusion": DataFusion}


def obey(engine, command):
    start = time.perf_counter()
    if command["do"] == "load":
        size = engine.load(command["table"], command["parquet"])
        return {"seconds": time.perf_counter() - start, "bytes": size}
    answer = engine.run(command["query"])
    seconds = time.perf_counter() - start
    table = engine.to_arrow(answer)
    del answer
    import pyarrow as pa
    # Names may be missing or repeated; nobody reads them.
    table = table.rename_columns([str(i) for i in range(table.num_columns)])
    with pa.OSFile(command["answer"], "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return {"seconds": seconds}


def main():
    # Engines print; the answers to our caller have a descriptor of their own.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def tell(message):
        answers.write(json.dumps(message) + "\n")

    name, threads, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    try:
        engine = ENGINES[name](threads, folder)
    except BaseException as error:
        tell({"error": f"{type(error).__name__}: {error}"})
        os._exit(1)
    tell({"engine": name, "version": str(engine.version)})
    for line in sys.stdin:
        try:
            message = obey(engine, json.loads(line))
        except BaseException as error:
            message = {"error": f"{type(error).__name__}: {error}"}
        tell(message)
    # Some engines do not survive an orderly end.
    answers.flush()
    if name == "hyper":
        engine.connection.close()
        engine.process.close()
    os._exit(0)


main()
