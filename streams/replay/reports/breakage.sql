-- Breakage by month of lapse
-- Of the lots whose time is over, the points that nobody used, as a share of all that were granted in them, by the month in which
-- they ended. Lots that never lapse are left out. A lapse that is not recorded yet counts.
-- chart: line month breakage by wallet
WITH lapses AS (
    SELECT member, lot, -sum(points)::BIGINT AS lapsed FROM points_ledger WHERE kind = 'expired' GROUP BY member, lot
)
SELECT
    wallet,
    strftime(lasts_until, '%Y-%m') AS month,
    count(*) AS lots,
    sum(granted)::BIGINT AS granted,
    sum(coalesce(lapsed, 0) + left_points)::BIGINT AS lapsed,
    sum(coalesce(lapsed, 0) + left_points) / nullif(sum(granted), 0) AS breakage
FROM lots LEFT JOIN lapses USING (member, lot), snapshot_info
WHERE expires_at <= instant
GROUP BY wallet, month
ORDER BY wallet, month
