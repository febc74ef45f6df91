-- Cohorts and retention
-- Members by the month of their first order, and the share of them who bought again so many months later. Orders paid and not
-- cancelled. A month that is not over has no row as a cohort and no value as an age.
-- chart: heat cohort age share
WITH bought AS (
    SELECT DISTINCT member, date_trunc('month', placed_on)::DATE AS month
    FROM orders
    WHERE paid_at IS NOT NULL AND cancelled_at IS NULL AND member IS NOT NULL
), firsts AS (
    SELECT member, min(month) AS cohort FROM bought GROUP BY member
), sizes AS (
    SELECT cohort, count(*) AS size, (SELECT min(cohort) FROM firsts) AS earliest
    FROM firsts, snapshot_info WHERE cohort < this_month GROUP BY cohort
), ages AS (
    SELECT cohort, size, unnest(range(0, date_diff('month', earliest, this_month))) AS age, this_month
    FROM sizes, snapshot_info
), came AS (
    SELECT cohort, date_diff('month', cohort, month) AS age, count(*) AS buyers
    FROM firsts JOIN bought USING (member) GROUP BY ALL
)
SELECT
    strftime(cohort, '%Y-%m') AS cohort,
    size,
    age,
    CASE WHEN cohort + to_months(age::INTEGER) < this_month THEN coalesce(buyers, 0) END AS buyers,
    CASE WHEN cohort + to_months(age::INTEGER) < this_month THEN coalesce(buyers, 0) / size END AS share
FROM ages LEFT JOIN came USING (cohort, age)
ORDER BY ages.cohort, age
