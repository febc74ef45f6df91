-- Product sales
-- Lines of orders paid and not cancelled, by product, less what was given back. The highest sums come first.
-- chart: bars product paid top 20
WITH sold AS (
    SELECT product, count(DISTINCT order_id) AS orders, sum(quantity) AS quantity, sum(order_lines.total) AS total,
        sum(order_lines.paid) AS paid
    FROM order_lines JOIN orders USING (order_id)
    WHERE paid_at IS NOT NULL AND cancelled_at IS NULL
    GROUP BY product
), back AS (
    SELECT product, sum(given_back) AS given_back
    FROM refunds JOIN orders USING (order_id)
    WHERE paid_at IS NOT NULL AND cancelled_at IS NULL
    GROUP BY product
)
SELECT product, name, department, category, orders, quantity, total, paid, coalesce(given_back, 0) AS given_back
FROM sold LEFT JOIN back USING (product) LEFT JOIN products USING (product)
ORDER BY paid DESC, product
