-- Where the dialect differs from martlet.sql.

-- 6
SELECT id4, id5, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY v3) AS median_v3, STDDEV_SAMP(v3) AS sd_v3 FROM g1 GROUP BY id4, id5;
