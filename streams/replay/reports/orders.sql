-- Orders by month
-- Orders paid and not cancelled, by the shop's month in which they were placed. The month of the snapshot is not over: whole is false.
-- chart: bars month orders
-- chart: line month paid refunded
SELECT
    strftime(placed_on, '%Y-%m') AS month,
    date_trunc('month', placed_on)::DATE < any_value(this_month) AS whole,
    count(*) AS orders,
    count(DISTINCT member) AS members,
    sum(gross) AS gross,
    sum(total) AS total,
    sum(paid) AS paid,
    sum(refunded) AS refunded,
    sum(paid) / count(*) AS paid_per_order
FROM orders, snapshot_info
WHERE paid_at IS NOT NULL AND cancelled_at IS NULL
GROUP BY month, date_trunc('month', placed_on)::DATE
ORDER BY month
