-- Customer value by cohort
-- What the members of a first month have brought so far, by their age in months: paid less refunded, summed up over the months and
-- divided by all members of the cohort. No model. A refund counts in the month of its order; a month that is not over has no value.
-- chart: line age each by cohort
WITH bought AS (
    SELECT member, date_trunc('month', placed_on)::DATE AS month, sum(paid - refunded) AS net
    FROM orders
    WHERE paid_at IS NOT NULL AND cancelled_at IS NULL AND member IS NOT NULL
    GROUP BY ALL
), firsts AS (
    SELECT member, min(month) AS cohort FROM bought GROUP BY member
), sizes AS (
    SELECT cohort, count(*) AS size FROM firsts, snapshot_info WHERE cohort < this_month GROUP BY cohort
), ages AS (
    SELECT cohort, size, unnest(range(0, date_diff('month', cohort, this_month))) AS age FROM sizes, snapshot_info
), came AS (
    SELECT cohort, date_diff('month', cohort, month) AS age, sum(net) AS net
    FROM firsts JOIN bought USING (member) GROUP BY ALL
), summed AS (
    SELECT cohort, size, age, sum(coalesce(net, 0)) OVER (PARTITION BY cohort ORDER BY age) AS net
    FROM ages LEFT JOIN came USING (cohort, age)
)
SELECT strftime(cohort, '%Y-%m') AS cohort, size, age, net, net / size AS each
FROM summed
ORDER BY summed.cohort, age
