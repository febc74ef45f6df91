-- Moves between tiers
-- Changes of tier by month (UTC), from one tier to another and by cause.
-- chart: bars month moves by cause
SELECT
    strftime(from_at AT TIME ZONE 'UTC', '%Y-%m') AS month,
    before,
    tier,
    cause,
    count(*) AS moves,
    count(DISTINCT member) AS members
FROM tier_history
GROUP BY month, before, tier, cause
ORDER BY month, cause, before, tier
