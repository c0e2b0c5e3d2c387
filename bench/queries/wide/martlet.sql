-- What marts are asked all day, over a few of 1,000 columns.

-- 0: statistics
SELECT COUNT(*) FROM wide;
-- 1: statistics
SELECT SUM(amount_00400), MIN(measure_00401), MAX(date_00404) FROM wide;
-- 2: order 2; about 4
SELECT category_00402, COUNT(*) AS c, SUM(amount_00400), AVG(measure_00401) FROM wide GROUP BY category_00402 ORDER BY c DESC;
-- 3: order 2; cut after
SELECT code_00806, SUM(amount_00800) AS s FROM wide WHERE category_00802 = 'category 3' GROUP BY code_00806 ORDER BY s DESC LIMIT 10;
-- 4: order 3; cut after; about 4
SELECT category_00010, code_00014, COUNT(*) AS c, AVG(measure_00009) FROM wide GROUP BY category_00010, code_00014 ORDER BY c DESC LIMIT 20;
-- 5: order 1; about 2
SELECT date_00204, SUM(measure_00201) FROM wide WHERE is_00203 GROUP BY date_00204 ORDER BY date_00204;
-- 6
SELECT COUNT(*) FROM wide WHERE amount_00096 BETWEEN 1000 AND 20000 AND measure_00097 < 5000 AND category_00098 <> 'category 0';
-- 7
SELECT COUNT(DISTINCT number_00501) FROM wide WHERE optional_00503 IS NULL;
-- 8: order 1
SELECT category_00602, COUNT(DISTINCT code_00606), COUNT(optional_00607), MAX(number_00605) FROM wide GROUP BY category_00602 ORDER BY category_00602;
-- 9: order 1 2
SELECT EXTRACT(month FROM date_00300) AS m, category_00298, SUM(amount_00296) FROM wide GROUP BY m, category_00298 ORDER BY m, category_00298;
-- 10: order 1; about 3 5 7 9 11 13 15 17 19 21
SELECT category_00002, SUM(amount_00000), AVG(measure_00049), SUM(amount_00096), AVG(measure_00145), SUM(amount_00192), AVG(measure_00241), SUM(amount_00288), AVG(measure_00337), SUM(amount_00384), AVG(measure_00433), SUM(amount_00480), AVG(measure_00529), SUM(amount_00576), AVG(measure_00625), SUM(amount_00672), AVG(measure_00721), SUM(amount_00768), AVG(measure_00817), SUM(amount_00864), AVG(measure_00913) FROM wide GROUP BY category_00002 ORDER BY category_00002;
-- 11: order 14; cut after
SELECT * FROM wide WHERE number_00013 >= 0 ORDER BY number_00013 LIMIT 10;
