-- What came of lists shown
-- By month, slot and strategy: places shown, those that the same member or session clicked within 30 minutes, and those that the
-- member bought within 7 days. The last 7 days have no share bought, since their time is not over.
-- chart: line month clicked by strategy
WITH clicks AS (
    SELECT coalesce(member, session) AS who, product, happened_at FROM behaviour WHERE kind = 'Clicked'
), buys AS (
    SELECT member AS who, product, paid_at
    FROM order_lines JOIN orders USING (order_id)
    WHERE paid_at IS NOT NULL AND cancelled_at IS NULL AND member IS NOT NULL AND quantity > 0
), outcomes AS (
    SELECT
        date_trunc('month', shown_on)::DATE AS month, slot, coalesce(strategy, 'unknown') AS strategy,
        EXISTS (
            FROM clicks WHERE clicks.who = coalesce(shown.member, shown.session) AND clicks.product = shown.product
            AND happened_at BETWEEN shown_at AND shown_at + INTERVAL 30 MINUTE
        ) AS clicked,
        CASE WHEN shown_at + INTERVAL 7 DAY <= instant THEN EXISTS (
            FROM buys WHERE buys.who = shown.member AND buys.product = shown.product
            AND paid_at BETWEEN shown_at AND shown_at + INTERVAL 7 DAY
        ) END AS bought
    FROM shown, snapshot_info
)
SELECT
    strftime(month, '%Y-%m') AS month, slot, strategy,
    count(*) AS shown,
    count(*) FILTER (clicked) AS clicks,
    count(*) FILTER (bought) AS purchases,
    avg(clicked::INTEGER) AS clicked,
    avg(bought::INTEGER) AS bought
FROM outcomes
GROUP BY ALL
ORDER BY ALL
