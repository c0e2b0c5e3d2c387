//! The walk through the demo mart: a question, its SQL, its answer.

/// A query with a line that says what it shows.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) says: &'static str,
    pub(super) sql: &'static str,
}

/// In the order in which they are asked.
pub(super) const TOUR: &[Stop] = &[
    Stop {
        says: "How big is it? Answered from statistics alone: no page is read.",
        sql: "SELECT count(*) AS orders, min(order_date) AS first_day, max(order_date) AS last_day\n\
              FROM orders;",
    },
    Stop {
        says: "Revenue by year and quarter: of all its columns only the named ones are touched.",
        sql: "SELECT order_year, order_quarter, count(*) AS orders, sum(order_net_amount) AS net,\n       \
              round(avg(order_margin_amount), 2) AS margin_each\n\
              FROM orders WHERE NOT order_is_cancelled\n\
              GROUP BY order_year, order_quarter ORDER BY 1, 2;",
    },
    Stop {
        says: "Best countries, with a filtered aggregate beside the plain ones.",
        sql: "SELECT customer_country, count(*) AS orders, sum(order_total_amount) AS total,\n       \
              count(*) FILTER (WHERE order_is_returned) AS returned\n\
              FROM orders GROUP BY customer_country ORDER BY total DESC LIMIT 8;",
    },
    Stop {
        says: "One week in November: zone maps prove away the pages of all other days.",
        sql: "SELECT order_date, order_weekday, count(*) AS orders, sum(order_net_amount) AS net\n\
              FROM orders WHERE order_date BETWEEN '2024-11-25' AND '2024-12-01'\n\
              GROUP BY order_date, order_weekday ORDER BY order_date;",
    },
    Stop {
        says: "Text search: LIKE looks at each distinct value once, never at each row.",
        sql: "SELECT item_name, count(*) AS orders, count(DISTINCT customer_id) AS customers\n\
              FROM orders WHERE item_name LIKE '%bamboo%' AND customer_city IN ('Köln', 'Kraków', '東京')\n\
              GROUP BY item_name ORDER BY orders DESC, item_name LIMIT 6;",
    },
    Stop {
        says: "Any alphabet: where do customers with Greek, Cyrillic and Japanese cities buy?",
        sql: "SELECT customer_city, order_channel, count(*) AS orders,\n       \
              count(DISTINCT customer_id) AS customers\n\
              FROM orders WHERE customer_country_code IN ('GR', 'UA', 'JP')\n\
              GROUP BY customer_city, order_channel ORDER BY orders DESC LIMIT 6;",
    },
    Stop {
        says: "NULLs are NULLs: why orders are cancelled, and how many were not (the NULL group).",
        sql: "SELECT order_cancel_reason, count(*) AS orders, sum(order_cancel_fee_amount) AS fees\n\
              FROM orders GROUP BY order_cancel_reason ORDER BY orders DESC NULLS LAST;",
    },
    Stop {
        says: "Dates and conditions: the share of late deliveries by month and carrier.",
        sql: "SELECT date_trunc('month', order_placed_at) AS month, shipping_carrier,\n       \
              count(*) AS parcels, avg(CASE WHEN shipping_is_late THEN 1.0 ELSE 0.0 END) AS late_share\n\
              FROM orders WHERE order_year = 2024 AND shipping_carrier IS NOT NULL\n\
              GROUP BY month, shipping_carrier HAVING count(*) > 4000 ORDER BY late_share DESC LIMIT 6;",
    },
    Stop {
        says: "The whole width of one order.",
        sql: "SELECT * FROM orders WHERE order_id = 1234567;",
    },
];
