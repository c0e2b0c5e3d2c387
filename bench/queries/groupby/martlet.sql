-- The ten questions of the h2o/db-benchmark group-by benchmark.

-- 1
SELECT id1, SUM(v1) AS v1 FROM g1 GROUP BY id1;
-- 2
SELECT id1, id2, SUM(v1) AS v1 FROM g1 GROUP BY id1, id2;
-- 3: about 3
SELECT id3, SUM(v1) AS v1, AVG(v3) AS v3 FROM g1 GROUP BY id3;
-- 4: about 2 3 4
SELECT id4, AVG(v1) AS v1, AVG(v2) AS v2, AVG(v3) AS v3 FROM g1 GROUP BY id4;
-- 5: about 4
SELECT id6, SUM(v1) AS v1, SUM(v2) AS v2, SUM(v3) AS v3 FROM g1 GROUP BY id6;
-- 6: about 3 4
SELECT id4, id5, MEDIAN(v3) AS median_v3, STDDEV(v3) AS sd_v3 FROM g1 GROUP BY id4, id5;
-- 7
SELECT id3, MAX(v1) - MIN(v2) AS range_v1_v2 FROM g1 GROUP BY id3;
-- 8
SELECT id6, largest2_v3 FROM (SELECT id6, v3 AS largest2_v3, ROW_NUMBER() OVER (PARTITION BY id6 ORDER BY v3 DESC) AS order_v3 FROM g1 WHERE v3 IS NOT NULL) AS ranked WHERE order_v3 <= 2;
-- 9: about 3
SELECT id2, id4, POWER(CORR(v1, v2), 2) AS r2 FROM g1 GROUP BY id2, id4;
-- 10: about 7
SELECT id1, id2, id3, id4, id5, id6, SUM(v3) AS v3, COUNT(*) AS count FROM g1 GROUP BY id1, id2, id3, id4, id5, id6;
