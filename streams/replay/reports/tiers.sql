-- Members by tier
-- Members by the tier that counts at the instant of the snapshot.
-- chart: bars tier members
SELECT tier, count(DISTINCT member) AS members, count(DISTINCT member) / sum(count(DISTINCT member)) OVER () AS share
FROM cards
WHERE tier IS NOT NULL
GROUP BY tier
ORDER BY members DESC, tier
