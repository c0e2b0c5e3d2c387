#!/usr/bin/env python3
"""Writes the Parquet files of this folder: python3 make.py (pyarrow 26, duckdb 2.0, polars, pandas)."""

import datetime as dt
import decimal
import math
import os
import uuid

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

os.chdir(os.path.dirname(os.path.abspath(__file__)))
decimal.getcontext().prec = 60
D = decimal.Decimal


def raw(values, kind):
    return pa.array(values, pa.int64()).cast(kind)


def typed():
    """One column per type; rows: least, greatest, zero, NULL, three ordinary ones."""
    columns = {
        "flag": pa.array([False, True, False, None, True, True, False]),
        "i8": pa.array([-128, 127, 0, None, 1, 2, 3], pa.int8()),
        "i16": pa.array([-32768, 32767, 0, None, 1, 2, 3], pa.int16()),
        "i32": pa.array([-(2**31), 2**31 - 1, 0, None, 1, 2, 3], pa.int32()),
        "i64": pa.array([-(2**63), 2**63 - 1, 0, None, 1, 2, 3], pa.int64()),
        "u8": pa.array([0, 255, 0, None, 1, 2, 3], pa.uint8()),
        "u16": pa.array([0, 65535, 0, None, 1, 2, 3], pa.uint16()),
        "u32": pa.array([0, 2**32 - 1, 0, None, 1, 2, 3], pa.uint32()),
        "u64": pa.array([0, 2**64 - 1, 0, None, 1, 2, 3], pa.uint64()),
        "f16": pa.array([np.float16(x) if x is not None else None for x in [-math.inf, 65504, -0.0, None, 0.5, math.nan, 2]], pa.float16()),
        "f32": pa.array([-math.inf, 1.5, -0.0, None, 0.25, math.nan, 2], pa.float32()),
        "f64": pa.array([-1.7976931348623157e308, 5e-324, 0.0, None, 0.1, math.nan, 2], pa.float64()),
        "dec9": pa.array([D("-9999999.99"), D("9999999.99"), D(0), None, D("1.5"), D(2), D(3)], pa.decimal128(9, 2)),
        "dec18": pa.array([D(-(10**18) + 1), D(10**18 - 1), D(0), None, D(1), D(2), D(3)], pa.decimal128(18, 0)),
        "dec38": pa.array([D(-(10**38) + 1).scaleb(-10), D(10**38 - 1).scaleb(-10), D(0), None, D(1), D(2), D(3)], pa.decimal128(38, 10)),
        "date": pa.array([dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(1970, 1, 1), None, dt.date(2020, 2, 29), dt.date(1969, 12, 31), dt.date(2013, 7, 1)]),
        "time_ms": pa.array([0, 86399999, 0, None, 1, 2, 3], pa.int32()).cast(pa.time32("ms")),
        "time_us": raw([0, 86399999999, 0, None, 1, 2, 3], pa.time64("us")),
        "time_ns": raw([0, 86399999999999, 0, None, 1, 2, 3], pa.time64("ns")),
        "ts_ms": raw([-62135596800000, 253402300799999, 0, None, 1, 2, 3], pa.timestamp("ms")),
        "ts_us": raw([-62135596800000000, 253402300799999999, 0, None, 1, 2, 3], pa.timestamp("us")),
        "ts_ns": raw([-(2**63) + 1, 2**63 - 1, 0, None, 1, 2, 3], pa.timestamp("ns")),
        "ts_zoned": raw([-1, 1, 0, None, 1, 2, 3], pa.timestamp("us", "Europe/Paris")),
        "text": pa.array(["", "zzz", "naïve", None, "日本語", "a", "a"]),
        "blob": pa.array([b"", b"\xff\xff", b"\0", None, b"a", b"b", b"b"], pa.binary()),
        "fixed": pa.array([b"\0\0\0", b"\xff\xff\xff", b"abc", None, b"def", b"ghi", b"abc"], pa.binary(3)),
        "uuid": pa.ExtensionArray.from_storage(
            pa.uuid(), pa.array([bytes(16), b"\xff" * 16, uuid.UUID(int=1).bytes, None, b"a" * 16, b"b" * 16, b"b" * 16], pa.binary(16))
        ),
    }
    return pa.table(columns)


TABLE = typed()
INTEGERS = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "date", "time_ms", "time_us", "time_ns", "ts_ms", "ts_us", "ts_ns", "ts_zoned"]
pq.write_table(TABLE, "types_snappy.parquet", compression="snappy", use_dictionary=False)
pq.write_table(TABLE, "types_dictionary_zstd_v2.parquet", compression="zstd", data_page_version="2.0", store_decimal_as_integer=True)
pq.write_table(
    TABLE,
    "types_delta_gzip_v2.parquet",
    compression="gzip",
    data_page_version="2.0",
    use_dictionary=False,
    column_encoding={
        **dict.fromkeys(INTEGERS, "DELTA_BINARY_PACKED"),
        **dict.fromkeys(["f16", "f32", "f64", "dec9", "dec18", "dec38"], "BYTE_STREAM_SPLIT"),
        **dict.fromkeys(["text", "fixed"], "DELTA_BYTE_ARRAY"),
        "blob": "DELTA_LENGTH_BYTE_ARRAY",
        "flag": "RLE",
    },
)
pq.write_table(TABLE, "types_row_groups_brotli.parquet", compression="brotli", row_group_size=2, write_statistics=False)
pq.write_table(TABLE, "types_small_pages_lz4.parquet", compression="lz4", data_page_size=1, write_batch_size=1, write_page_checksum=True)

old = pa.table({"t": raw([-(2**62), 0, None, 2**62], pa.timestamp("ns"))})
pq.write_table(old, "int96.parquet", use_deprecated_int96_timestamps=True)
far = pa.table({"t": raw([-62135596800000000, 0, None, 253402300799999999], pa.timestamp("us"))})
pq.write_table(far, "int96_far.parquet", use_deprecated_int96_timestamps=True)

nested = pa.table({"a": [1, 2, 3], "list": [[1], None, [2, 3]], "struct": [{"x": 1, "y": "p"}, None, {"x": 2, "y": "q"}], "b": ["p", "q", None]})
pq.write_table(nested, "nested.parquet")
pq.write_table(pa.table({"d": pa.array([D("1.5")], pa.decimal256(60, 2)), "a": [1]}), "decimal_60.parquet")
pq.write_table(TABLE.slice(0, 0).select(["i32", "text"]), "no_rows.parquet")
pq.write_table(pa.table({}), "no_columns.parquet")

groups = pa.table(
    {
        "i": pa.array(list(range(10)) + list(range(100, 110)) + [None] * 10, pa.int32()),
        "u": pa.array([2**32 - 1 - x for x in range(30)], pa.uint32()),
        "f": pa.array([float(x) for x in range(29)] + [math.nan]),
        "s": pa.array([f"key{x:03}" for x in range(30)]),
        "t": pa.array([x * 1000 for x in range(30)], pa.timestamp("ms")),
        "d": pa.array([D(x) / 4 for x in range(30)], pa.decimal128(20, 2)),
    }
)
pq.write_table(groups, "statistics.parquet", row_group_size=10)

pq.write_table(pa.table({"a": pa.array([1, 2], pa.int64()), "b": ["x", "y"], "c": [0.5, 1.5]}), "several_1.parquet")
pq.write_table(pa.table({"c": pa.array([2.5], pa.float32()), "a": pa.array([3], pa.int32())}), "several_2.parquet")
pq.write_table(pa.table({"a": ["three"], "b": ["z"], "c": [0.5]}), "several_type.parquet")
pq.write_table(pa.table({"a": [1], "z": [1]}), "several_extra.parquet")

duckdb.sql(
    """copy (select i::integer i, 'v' || i % 3 s, (i / 4)::decimal(9, 2) d, date '2024-01-01' + i::integer dt,
    timestamp '2024-01-01 00:00:00' + interval 1 minute * i ts, i % 2 = 0 b, ('\\x0' || i % 8)::blob bl,
    case when i % 5 > 0 then i::hugeint end h, '{"k":1}'::json j from range(20) r(i))
    to 'duckdb.parquet' (format parquet, codec 'zstd', parquet_version 'v2')"""
)
duckdb.sql("copy (select interval 1 day i, 1 a) to 'interval.parquet' (format parquet)")
pl.DataFrame(
    {
        "i": pl.Series([1, None, 3], dtype=pl.Int64),
        "c": pl.Series(["p", "q", None], dtype=pl.Categorical),
        "d": [dt.date(2024, 1, 1), None, dt.date(2024, 1, 3)],
        "t": [dt.time(1, 2, 3), None, dt.time(4, 5, 6)],
    }
).write_parquet("polars.parquet")
pd.DataFrame({"a": [1.0, None, 3.0], "s": ["x", None, "z"], "c": pd.Categorical(["u", "v", "u"])}).to_parquet("pandas.parquet")


def rendered(value, kind):
    """As engine/tests/parquet_files.rs renders a value: numbers and times as integers."""
    if not value.is_valid:
        return "NULL"
    if pa.types.is_boolean(kind):
        return "true" if value.as_py() else "false"
    if pa.types.is_floating(kind):
        number = float(value.as_py())
        return "NaN" if math.isnan(number) else np.float64(number).tobytes()[::-1].hex()
    if pa.types.is_decimal(kind):
        return str(int(value.as_py().scaleb(kind.scale)))
    if pa.types.is_temporal(kind):
        return str(value.cast(pa.int32() if kind.bit_width == 32 else pa.int64()).as_py())
    if pa.types.is_integer(kind):
        return str(value.as_py())
    held = value.as_py()
    held = held.bytes if isinstance(held, uuid.UUID) else held
    return "x" + (held.encode() if isinstance(held, str) else held).hex()


def expect(file, out=None, **options):
    with open((out or file) + ".txt", "w") as text:
        table = pq.ParquetFile(file + ".parquet", **options).read()
        for name in table.column_names:
            column = table[name]
            if isinstance(column.type, pa.ExtensionType):
                column = pa.chunked_array([chunk.storage for chunk in column.chunks])
            text.write(f"{name}: {', '.join(rendered(value, column.type) for value in column)}\n")


expect("types_snappy", "types")
for file in ["int96", "duckdb", "polars", "pandas", "statistics", "no_rows"]:
    expect(file)
expect("int96_far", coerce_int96_timestamp_unit="us")
