# The queries as expressions over a lazy frame, which the runner collects.

# 0
wide.select(pl.len())
# 1
wide.select(pl.col('amount_00400').cast(pl.Int64).sum(), pl.min('measure_00401'), pl.max('date_00404'))
# 2
wide.group_by('category_00402').agg(c=pl.len(), a=pl.col('amount_00400').cast(pl.Int64).sum(), m=pl.mean('measure_00401')).sort('c', descending=True)
# 3
wide.filter(pl.col('category_00802') == 'category 3').group_by('code_00806').agg(s=pl.col('amount_00800').cast(pl.Int64).sum()).sort('s', descending=True).head(10)
# 4
wide.group_by('category_00010', 'code_00014').agg(c=pl.len(), m=pl.mean('measure_00009')).sort('c', descending=True).head(20)
# 5
wide.filter('is_00203').group_by('date_00204').agg(pl.sum('measure_00201')).sort('date_00204')
# 6
wide.filter(pl.col('amount_00096').is_between(1000, 20000) & (pl.col('measure_00097') < 5000) & (pl.col('category_00098') != 'category 0')).select(pl.len())
# 7
wide.filter(pl.col('optional_00503').is_null()).select(pl.n_unique('number_00501'))
# 8
wide.group_by('category_00602').agg(d=pl.n_unique('code_00606'), o=pl.count('optional_00607'), n=pl.max('number_00605')).sort('category_00602')
# 9
wide.group_by(pl.col('date_00300').dt.month().alias('m'), 'category_00298').agg(pl.col('amount_00296').cast(pl.Int64).sum()).sort('m', 'category_00298')
# 10
wide.group_by('category_00002').agg(pl.col('amount_00000').cast(pl.Int64).sum(), pl.mean('measure_00049'), pl.col('amount_00096').cast(pl.Int64).sum(), pl.mean('measure_00145'), pl.col('amount_00192').cast(pl.Int64).sum(), pl.mean('measure_00241'), pl.col('amount_00288').cast(pl.Int64).sum(), pl.mean('measure_00337'), pl.col('amount_00384').cast(pl.Int64).sum(), pl.mean('measure_00433'), pl.col('amount_00480').cast(pl.Int64).sum(), pl.mean('measure_00529'), pl.col('amount_00576').cast(pl.Int64).sum(), pl.mean('measure_00625'), pl.col('amount_00672').cast(pl.Int64).sum(), pl.mean('measure_00721'), pl.col('amount_00768').cast(pl.Int64).sum(), pl.mean('measure_00817'), pl.col('amount_00864').cast(pl.Int64).sum(), pl.mean('measure_00913')).sort('category_00002')
# 11
wide.filter(pl.col('number_00013') >= 0).sort('number_00013').head(10)
