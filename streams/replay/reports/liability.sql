-- Liability by month of lapse
-- Points left in lots at the instant of the snapshot, by the month in which they lapse. Held points are among them; debts are not.
-- Lots that are over count no more, whether or not their lapse is recorded yet.
-- chart: bars month points by state
SELECT
    wallet,
    CASE WHEN active_from <= instant THEN 'spendable' ELSE 'pending' END AS state,
    coalesce(strftime(lasts_until, '%Y-%m'), 'none') AS month,
    sum(left_points)::BIGINT AS points,
    count(*) AS lots
FROM lots, snapshot_info
WHERE left_points <> 0 AND (expires_at IS NULL OR expires_at > instant)
GROUP BY wallet, state, month
ORDER BY wallet, state DESC, month
