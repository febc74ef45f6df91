-- Browsing and searching
-- What members and guests did, by the shop's month and kind of act.
-- chart: line month acts by kind
SELECT
    strftime(happened_on, '%Y-%m') AS month,
    kind,
    count(*) AS acts,
    count(DISTINCT member) AS members,
    count(DISTINCT session) AS sessions,
    count(DISTINCT product) AS products
FROM behaviour
GROUP BY month, kind
ORDER BY month, kind
