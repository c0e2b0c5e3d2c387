# The questions as expressions over a lazy frame, which the runner collects.

# 1
g1.group_by('id1').agg(pl.sum('v1'))
# 2
g1.group_by('id1', 'id2').agg(pl.sum('v1'))
# 3
g1.group_by('id3').agg(pl.sum('v1'), pl.mean('v3'))
# 4
g1.group_by('id4').agg(pl.mean('v1'), pl.mean('v2'), pl.mean('v3'))
# 5
g1.group_by('id6').agg(pl.sum('v1'), pl.sum('v2'), pl.sum('v3'))
# 6
g1.group_by('id4', 'id5').agg(median_v3=pl.median('v3'), sd_v3=pl.std('v3'))
# 7
g1.group_by('id3').agg(range_v1_v2=pl.max('v1') - pl.min('v2'))
# 8
g1.drop_nulls('v3').group_by('id6').agg(pl.col('v3').top_k(2)).explode('v3')
# 9
g1.group_by('id2', 'id4').agg(r2=pl.corr('v1', 'v2') ** 2)
# 10
g1.group_by('id1', 'id2', 'id3', 'id4', 'id5', 'id6').agg(pl.sum('v3'), count=pl.len())
