-- Funnel per session
-- Sessions that viewed a product, then opened a cart, then checked it out, then paid its order; each step after the one before.
-- By the shop's month of the first view.
-- chart: line month viewed carted checked_out paid
WITH viewed AS (
    SELECT session, min(happened_at) AS viewed_at, min(happened_on) AS viewed_on
    FROM behaviour WHERE kind = 'Viewed' AND session IS NOT NULL GROUP BY session
), went AS (
    SELECT session, viewed_on,
        max(opened_at >= viewed_at) AS carted,
        max(opened_at >= viewed_at AND carts.status = 'checked out') AS checked_out,
        max(opened_at >= viewed_at AND carts.status = 'checked out' AND orders.paid_at >= carts.ended_at) AS paid
    FROM viewed LEFT JOIN carts USING (session) LEFT JOIN orders ON orders.cart = carts.cart
    GROUP BY session, viewed_on
)
SELECT
    strftime(viewed_on, '%Y-%m') AS month,
    count(*) AS viewed,
    count(*) FILTER (carted) AS carted,
    count(*) FILTER (checked_out) AS checked_out,
    count(*) FILTER (paid) AS paid,
    count(*) FILTER (paid) / count(*) AS paid_of_viewed
FROM went
GROUP BY month
ORDER BY month
