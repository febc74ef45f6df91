-- Points by month
-- What was granted, redeemed, lapsed and clawed back in each of the shop's months, and redeemed as a share of granted. The month of
-- the snapshot is not over: its share is empty.
-- chart: bars month granted redeemed expired clawed_back
SELECT
    wallet,
    strftime(booked_on, '%Y-%m') AS month,
    coalesce(sum(points) FILTER (kind = 'granted'), 0)::BIGINT AS granted,
    coalesce(sum(points) FILTER (kind = 'redeemed'), 0)::BIGINT AS redeemed,
    coalesce(sum(points) FILTER (kind = 'expired'), 0)::BIGINT AS expired,
    coalesce(sum(points) FILTER (kind = 'clawed back'), 0)::BIGINT AS clawed_back,
    coalesce(sum(points) FILTER (kind NOT IN ('granted', 'redeemed', 'expired', 'clawed back', 'owed')), 0)::BIGINT AS other,
    CASE WHEN date_trunc('month', booked_on)::DATE < any_value(this_month)
        THEN -sum(points) FILTER (kind = 'redeemed') / nullif(sum(points) FILTER (kind = 'granted'), 0) END AS redemption
FROM points_ledger, snapshot_info
GROUP BY wallet, month, date_trunc('month', booked_on)::DATE
ORDER BY wallet, month
