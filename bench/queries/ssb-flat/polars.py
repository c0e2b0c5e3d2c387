# The queries as expressions over a lazy frame, which the runner collects.

# 1.1
lineorder_flat.filter((pl.col('LO_ORDERDATE').dt.year() == 1993) & pl.col('LO_DISCOUNT').is_between(1, 3) & (pl.col('LO_QUANTITY') < 25)).select((pl.col('LO_EXTENDEDPRICE') * pl.col('LO_DISCOUNT')).cast(pl.Int64).sum())
# 1.2
lineorder_flat.filter((pl.col('LO_ORDERDATE').dt.year() == 1994) & (pl.col('LO_ORDERDATE').dt.month() == 1) & pl.col('LO_DISCOUNT').is_between(4, 6) & pl.col('LO_QUANTITY').is_between(26, 35)).select((pl.col('LO_EXTENDEDPRICE') * pl.col('LO_DISCOUNT')).cast(pl.Int64).sum())
# 1.3
lineorder_flat.filter((pl.col('LO_ORDERDATE').dt.year() == 1994) & (pl.col('LO_ORDERDATE').dt.week() == 6) & pl.col('LO_DISCOUNT').is_between(5, 7) & pl.col('LO_QUANTITY').is_between(26, 35)).select((pl.col('LO_EXTENDEDPRICE') * pl.col('LO_DISCOUNT')).cast(pl.Int64).sum())
# 2.1
lineorder_flat.filter((pl.col('P_CATEGORY') == 'MFGR#12') & (pl.col('S_REGION') == 'AMERICA')).group_by(pl.col('LO_ORDERDATE').dt.year().alias('y'), 'P_BRAND').agg(r=(pl.col('LO_REVENUE')).cast(pl.Int64).sum()).sort('y', 'P_BRAND').select('r', 'y', 'P_BRAND')
# 2.2
lineorder_flat.filter(pl.col('P_BRAND').is_between(pl.lit('MFGR#2221'), pl.lit('MFGR#2228')) & (pl.col('S_REGION') == 'ASIA')).group_by(pl.col('LO_ORDERDATE').dt.year().alias('y'), 'P_BRAND').agg(r=(pl.col('LO_REVENUE')).cast(pl.Int64).sum()).sort('y', 'P_BRAND').select('r', 'y', 'P_BRAND')
# 2.3
lineorder_flat.filter((pl.col('P_BRAND') == 'MFGR#2239') & (pl.col('S_REGION') == 'EUROPE')).group_by(pl.col('LO_ORDERDATE').dt.year().alias('y'), 'P_BRAND').agg(r=(pl.col('LO_REVENUE')).cast(pl.Int64).sum()).sort('y', 'P_BRAND').select('r', 'y', 'P_BRAND')
# 3.1
lineorder_flat.filter((pl.col('C_REGION') == 'ASIA') & (pl.col('S_REGION') == 'ASIA') & pl.col('LO_ORDERDATE').dt.year().is_between(1992, 1997)).group_by('C_NATION', 'S_NATION', pl.col('LO_ORDERDATE').dt.year().alias('y')).agg(r=(pl.col('LO_REVENUE')).cast(pl.Int64).sum()).sort('y', 'r', descending=[False, True])
# 3.2
lineorder_flat.filter((pl.col('C_NATION') == 'UNITED STATES') & (pl.col('S_NATION') == 'UNITED STATES') & pl.col('LO_ORDERDATE').dt.year().is_between(1992, 1997)).group_by('C_CITY', 'S_CITY', pl.col('LO_ORDERDATE').dt.year().alias('y')).agg(r=(pl.col('LO_REVENUE')).cast(pl.Int64).sum()).sort('y', 'r', descending=[False, True])
# 3.3
lineorder_flat.filter(pl.col('C_CITY').is_in(['UNITED KI1', 'UNITED KI5']) & pl.col('S_CITY').is_in(['UNITED KI1', 'UNITED KI5']) & pl.col('LO_ORDERDATE').dt.year().is_between(1992, 1997)).group_by('C_CITY', 'S_CITY', pl.col('LO_ORDERDATE').dt.year().alias('y')).agg(r=(pl.col('LO_REVENUE')).cast(pl.Int64).sum()).sort('y', 'r', descending=[False, True])
# 3.4
lineorder_flat.filter(pl.col('C_CITY').is_in(['UNITED KI1', 'UNITED KI5']) & pl.col('S_CITY').is_in(['UNITED KI1', 'UNITED KI5']) & (pl.col('LO_ORDERDATE').dt.year() == 1997) & (pl.col('LO_ORDERDATE').dt.month() == 12)).group_by('C_CITY', 'S_CITY', pl.col('LO_ORDERDATE').dt.year().alias('y')).agg(r=(pl.col('LO_REVENUE')).cast(pl.Int64).sum()).sort('y', 'r', descending=[False, True])
# 4.1
lineorder_flat.filter((pl.col('C_REGION') == 'AMERICA') & (pl.col('S_REGION') == 'AMERICA') & pl.col('P_MFGR').is_in(['MFGR#1', 'MFGR#2'])).group_by(pl.col('LO_ORDERDATE').dt.year().alias('y'), 'C_NATION').agg(p=(pl.col('LO_REVENUE') - pl.col('LO_SUPPLYCOST')).cast(pl.Int64).sum()).sort('y', 'C_NATION')
# 4.2
lineorder_flat.filter((pl.col('C_REGION') == 'AMERICA') & (pl.col('S_REGION') == 'AMERICA') & pl.col('P_MFGR').is_in(['MFGR#1', 'MFGR#2']) & pl.col('LO_ORDERDATE').dt.year().is_in([1997, 1998])).group_by(pl.col('LO_ORDERDATE').dt.year().alias('y'), 'S_NATION', 'P_CATEGORY').agg(p=(pl.col('LO_REVENUE') - pl.col('LO_SUPPLYCOST')).cast(pl.Int64).sum()).sort('y', 'S_NATION', 'P_CATEGORY')
# 4.3
lineorder_flat.filter((pl.col('S_NATION') == 'UNITED STATES') & pl.col('LO_ORDERDATE').dt.year().is_in([1997, 1998]) & (pl.col('P_CATEGORY') == 'MFGR#14')).group_by(pl.col('LO_ORDERDATE').dt.year().alias('y'), 'S_CITY', 'P_BRAND').agg(p=(pl.col('LO_REVENUE') - pl.col('LO_SUPPLYCOST')).cast(pl.Int64).sum()).sort('y', 'S_CITY', 'P_BRAND')
