-- RFM: recency, frequency, money
-- Members with orders in the last 365 days: days since the last one, orders, and money paid less refunded. Each scores 1 to 5 by its
-- rank: min(5, 1 + floor(5 x percent_rank)), so equal members have equal scores. In recency, fewer days score higher.
-- chart: heat recency frequency count
WITH bought AS (
    SELECT member, any_value(today) - max(placed_on) AS days, count(*) AS orders, sum(paid - refunded) AS money
    FROM orders, snapshot_info
    WHERE paid_at IS NOT NULL AND cancelled_at IS NULL AND member IS NOT NULL AND placed_on > today - 365
    GROUP BY member
), ranked AS (
    SELECT *, greatest(count(*) OVER () - 1, 1) AS others,
        rank() OVER (ORDER BY days DESC) - 1 AS by_days,
        rank() OVER (ORDER BY orders) - 1 AS by_orders,
        rank() OVER (ORDER BY money) - 1 AS by_money
    FROM bought
)
SELECT member, days, orders, money,
    least(5, 1 + 5 * by_days // others) AS recency,
    least(5, 1 + 5 * by_orders // others) AS frequency,
    least(5, 1 + 5 * by_money // others) AS monetary
FROM ranked
ORDER BY recency DESC, frequency DESC, monetary DESC, member
