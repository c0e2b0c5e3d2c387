# ClickBench's queries as expressions over a lazy frame, which the runner collects.

# 0
hits.select(pl.len())
# 1
hits.filter(pl.col('AdvEngineID') != 0).select(pl.len())
# 2
hits.select(pl.sum('AdvEngineID'), pl.len(), pl.mean('ResolutionWidth'))
# 3
hits.select(pl.mean('UserID'))
# 4
hits.select(pl.n_unique('UserID'))
# 5
hits.select(pl.n_unique('SearchPhrase'))
# 6
hits.select(first=pl.min('EventDate'), last=pl.max('EventDate'))
# 7
hits.filter(pl.col('AdvEngineID') != 0).group_by('AdvEngineID').agg(c=pl.len()).sort('c', descending=True)
# 8
hits.group_by('RegionID').agg(u=pl.n_unique('UserID')).sort('u', descending=True).head(10)
# 9
hits.group_by('RegionID').agg(a=pl.sum('AdvEngineID'), c=pl.len(), w=pl.mean('ResolutionWidth'), u=pl.n_unique('UserID')).sort('c', descending=True).head(10)
# 10
hits.filter(pl.col('MobilePhoneModel') != '').group_by('MobilePhoneModel').agg(u=pl.n_unique('UserID')).sort('u', descending=True).head(10)
# 11
hits.filter(pl.col('MobilePhoneModel') != '').group_by('MobilePhone', 'MobilePhoneModel').agg(u=pl.n_unique('UserID')).sort('u', descending=True).head(10)
# 12
hits.filter(pl.col('SearchPhrase') != '').group_by('SearchPhrase').agg(c=pl.len()).sort('c', descending=True).head(10)
# 13
hits.filter(pl.col('SearchPhrase') != '').group_by('SearchPhrase').agg(u=pl.n_unique('UserID')).sort('u', descending=True).head(10)
# 14
hits.filter(pl.col('SearchPhrase') != '').group_by('SearchEngineID', 'SearchPhrase').agg(c=pl.len()).sort('c', descending=True).head(10)
# 15
hits.group_by('UserID').agg(c=pl.len()).sort('c', descending=True).head(10)
# 16
hits.group_by('UserID', 'SearchPhrase').agg(c=pl.len()).sort('c', descending=True).head(10)
# 17
hits.group_by('UserID', 'SearchPhrase').agg(c=pl.len()).head(10)
# 18
hits.group_by('UserID', pl.col('EventTime').dt.minute(), 'SearchPhrase').agg(c=pl.len()).sort('c', descending=True).head(10)
# 19
hits.filter(pl.col('UserID') == 435090932899640449).select('UserID')
# 20
hits.filter(pl.col('URL').str.contains('google', literal=True)).select(pl.len())
# 21
hits.filter(pl.col('URL').str.contains('google', literal=True) & (pl.col('SearchPhrase') != '')).group_by('SearchPhrase').agg(u=pl.min('URL'), c=pl.len()).sort('c', descending=True).head(10)
# 22
hits.filter(pl.col('Title').str.contains('Google', literal=True) & ~pl.col('URL').str.contains('.google.', literal=True) & (pl.col('SearchPhrase') != '')).group_by('SearchPhrase').agg(u=pl.min('URL'), t=pl.min('Title'), c=pl.len(), n=pl.n_unique('UserID')).sort('c', descending=True).head(10)
# 23
hits.filter(pl.col('URL').str.contains('google', literal=True)).sort('EventTime').head(10)
# 24
hits.filter(pl.col('SearchPhrase') != '').sort('EventTime').head(10).select('SearchPhrase')
# 25
hits.filter(pl.col('SearchPhrase') != '').sort('SearchPhrase').head(10).select('SearchPhrase')
# 26
hits.filter(pl.col('SearchPhrase') != '').sort('EventTime', 'SearchPhrase').head(10).select('SearchPhrase')
# 27
hits.filter(pl.col('URL') != '').group_by('CounterID').agg(l=pl.col('URL').str.len_bytes().mean(), c=pl.len()).filter(pl.col('c') > 100000).sort('l', descending=True).head(25)
# 28
hits.filter(pl.col('Referer') != '').group_by(k=pl.col('Referer').str.replace(r'^https?://(?:www\.)?([^/]+)/.*$', '${1}')).agg(l=pl.col('Referer').str.len_bytes().mean(), c=pl.len(), m=pl.min('Referer')).filter(pl.col('c') > 100000).sort('l', descending=True).head(25)
# 29
hits.select([(pl.col('ResolutionWidth') + i).sum().alias(f'c{i}') for i in range(90)])
# 30
hits.filter(pl.col('SearchPhrase') != '').group_by('SearchEngineID', 'ClientIP').agg(c=pl.len(), r=pl.sum('IsRefresh'), w=pl.mean('ResolutionWidth')).sort('c', descending=True).head(10)
# 31
hits.filter(pl.col('SearchPhrase') != '').group_by('WatchID', 'ClientIP').agg(c=pl.len(), r=pl.sum('IsRefresh'), w=pl.mean('ResolutionWidth')).sort('c', descending=True).head(10)
# 32
hits.group_by('WatchID', 'ClientIP').agg(c=pl.len(), r=pl.sum('IsRefresh'), w=pl.mean('ResolutionWidth')).sort('c', descending=True).head(10)
# 33
hits.group_by('URL').agg(c=pl.len()).sort('c', descending=True).head(10)
# 34
hits.group_by('URL').agg(c=pl.len()).sort('c', descending=True).head(10).select(pl.lit(1), 'URL', 'c')
# 35
hits.group_by('ClientIP').agg(c=pl.len()).sort('c', descending=True).head(10).select('ClientIP', a=pl.col('ClientIP') - 1, b=pl.col('ClientIP') - 2, d=pl.col('ClientIP') - 3, c='c')
# 36
hits.filter((pl.col('CounterID') == 62) & (pl.col('EventDate') >= date(2013, 7, 1)) & (pl.col('EventDate') <= date(2013, 7, 31)) & (pl.col('DontCountHits') == 0) & (pl.col('IsRefresh') == 0) & (pl.col('URL') != '')).group_by('URL').agg(c=pl.len()).sort('c', descending=True).head(10)
# 37
hits.filter((pl.col('CounterID') == 62) & (pl.col('EventDate') >= date(2013, 7, 1)) & (pl.col('EventDate') <= date(2013, 7, 31)) & (pl.col('DontCountHits') == 0) & (pl.col('IsRefresh') == 0) & (pl.col('Title') != '')).group_by('Title').agg(c=pl.len()).sort('c', descending=True).head(10)
# 38
hits.filter((pl.col('CounterID') == 62) & (pl.col('EventDate') >= date(2013, 7, 1)) & (pl.col('EventDate') <= date(2013, 7, 31)) & (pl.col('IsRefresh') == 0) & (pl.col('IsLink') != 0) & (pl.col('IsDownload') == 0)).group_by('URL').agg(c=pl.len()).sort('c', descending=True).slice(1000, 10)
# 39
hits.filter((pl.col('CounterID') == 62) & (pl.col('EventDate') >= date(2013, 7, 1)) & (pl.col('EventDate') <= date(2013, 7, 31)) & (pl.col('IsRefresh') == 0)).group_by('TraficSourceID', 'SearchEngineID', 'AdvEngineID', pl.when((pl.col('SearchEngineID') == 0) & (pl.col('AdvEngineID') == 0)).then('Referer').otherwise(pl.lit('')).alias('Src'), pl.col('URL').alias('Dst')).agg(c=pl.len()).sort('c', descending=True).slice(1000, 10)
# 40
hits.filter((pl.col('CounterID') == 62) & (pl.col('EventDate') >= date(2013, 7, 1)) & (pl.col('EventDate') <= date(2013, 7, 31)) & (pl.col('IsRefresh') == 0) & pl.col('TraficSourceID').is_in([-1, 6]) & (pl.col('RefererHash') == 3594120000172545465)).group_by('URLHash', 'EventDate').agg(c=pl.len()).sort('c', descending=True).slice(100, 10)
# 41
hits.filter((pl.col('CounterID') == 62) & (pl.col('EventDate') >= date(2013, 7, 1)) & (pl.col('EventDate') <= date(2013, 7, 31)) & (pl.col('IsRefresh') == 0) & (pl.col('DontCountHits') == 0) & (pl.col('URLHash') == 2868770270353813622)).group_by('WindowClientWidth', 'WindowClientHeight').agg(c=pl.len()).sort('c', descending=True).slice(10000, 10)
# 42
hits.filter((pl.col('CounterID') == 62) & (pl.col('EventDate') >= date(2013, 7, 14)) & (pl.col('EventDate') <= date(2013, 7, 15)) & (pl.col('IsRefresh') == 0) & (pl.col('DontCountHits') == 0)).group_by(M=pl.col('EventTime').dt.truncate('1m')).agg(c=pl.len()).sort('M').slice(1000, 10)
