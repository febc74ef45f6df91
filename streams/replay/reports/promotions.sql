-- Promotion results
-- Members who got a coupon of a campaign, and those of them who used it. It tells no uplift: there is no control group.
-- chart: bars campaign used unused
WITH holders AS (
    SELECT campaign, member, bool_or(sent_at IS NOT NULL) AS was_sent, count(used_at) AS uses, sum(amount) AS amount
    FROM coupons
    GROUP BY campaign, member
)
SELECT
    campaign,
    any_value(campaigns.kind) AS kind,
    count(*) FILTER (was_sent) AS sent,
    count(*) FILTER (was_sent AND uses > 0) AS used,
    count(*) FILTER (was_sent AND uses = 0) AS unused,
    count(*) FILTER (was_sent AND uses > 0) / nullif(count(*) FILTER (was_sent), 0) AS used_of_sent,
    sum(uses)::BIGINT AS uses,
    sum(amount) AS amount
FROM holders LEFT JOIN campaigns USING (campaign)
GROUP BY campaign
ORDER BY campaign
