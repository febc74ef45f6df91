-- Searches that led on
-- Searches by the shop's month, and those after which the same visitor viewed or clicked a product within 30 minutes. What was
-- searched for is personal and not in a snapshot.
-- chart: bars month searches led_on
WITH acts AS (
    SELECT *, coalesce('member ' || member, 'session ' || session) AS visitor FROM behaviour
), searches AS (
    SELECT position, happened_on, visitor, happened_at FROM acts WHERE kind = 'Searched'
)
SELECT
    strftime(searches.happened_on, '%Y-%m') AS month,
    count(*) AS searches,
    count(DISTINCT visitor) AS visitors,
    count(*) FILTER (EXISTS (
        FROM acts
        WHERE acts.visitor = searches.visitor AND acts.kind IN ('Viewed', 'Clicked') AND acts.position > searches.position
            AND acts.happened_at BETWEEN searches.happened_at AND searches.happened_at + INTERVAL 30 MINUTE
    )) AS led_on
FROM searches
GROUP BY month
ORDER BY month
