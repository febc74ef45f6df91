-- Repeat rate
-- Of the members who bought, those who bought a second time: at all, and within so many days of the first order. A span counts
-- only members whose first order is at least that long ago. Orders paid and not cancelled.
-- chart: bars span rate
WITH numbered AS (
    SELECT member, placed_on, row_number() OVER (PARTITION BY member ORDER BY placed_on, position) AS nth
    FROM orders
    WHERE paid_at IS NOT NULL AND cancelled_at IS NULL AND member IS NOT NULL
), buyers AS (
    SELECT member, min(placed_on) AS first_on, min(placed_on) FILTER (nth = 2) AS second_on FROM numbered GROUP BY member
), spans AS (
    SELECT unnest([30, 60, 90, 180, 365, NULL]) AS days
)
SELECT
    coalesce(days || ' days', 'ever') AS span,
    count(member) AS buyers,
    count(second_on) FILTER (days IS NULL OR second_on <= first_on + days) AS repeated,
    count(second_on) FILTER (days IS NULL OR second_on <= first_on + days) / nullif(count(member), 0) AS rate
FROM spans, snapshot_info LEFT JOIN buyers ON days IS NULL OR first_on + days <= today
GROUP BY days
ORDER BY days NULLS LAST
