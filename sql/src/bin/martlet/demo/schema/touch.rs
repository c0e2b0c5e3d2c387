//! What led to the order and what came of it: campaigns, sessions, reviews, support, bookkeeping.

use super::super::column::Kind::{
    Amount, Choice, Code, Count, Days, Flag, Measure, Minutes, Number, OrderInt, OrderSmall, Score,
    Words,
};
use super::super::column::{Kind, Words as Text};
use super::super::order::{Entity, Order};
use super::super::words::SEARCH_TERMS;
use super::{Group, always};

pub(super) const GROUPS: &[Group] = &[
    Group {
        prefix: "marketing_",
        entity: Entity::Campaign,
        null_share: 0.0,
        applies: always,
        columns: CAMPAIGN,
    },
    Group {
        prefix: "marketing_",
        entity: Entity::Order,
        null_share: 0.3,
        applies: always,
        columns: ATTRIBUTION,
    },
    Group {
        prefix: "session_",
        entity: Entity::Order,
        null_share: 0.08,
        applies: always,
        columns: SESSION,
    },
    Group {
        prefix: "model_",
        entity: Entity::Order,
        null_share: 0.0,
        applies: always,
        columns: MODEL,
    },
    Group {
        prefix: "review_",
        entity: Entity::Order,
        null_share: 0.88,
        applies: Order::is_delivered,
        columns: REVIEW,
    },
    Group {
        prefix: "support_",
        entity: Entity::Order,
        null_share: 0.94,
        applies: always,
        columns: SUPPORT,
    },
    Group {
        prefix: "etl_",
        entity: Entity::Order,
        null_share: 0.0,
        applies: always,
        columns: LOAD,
    },
];

const CAMPAIGN: &[(&str, Kind)] = &[
    ("campaign_id", OrderInt(|o| 7_000 + o.campaign.cast_signed())),
    (
        "campaign_name",
        Choice(&["Frühling", "Noël", "Back to school", "Lato", "Verano", "Black week"]),
    ),
    ("campaign_budget", Amount(9_000_000)),
    ("medium", Choice(&["cpc", "email", "organic", "referral", "display"])),
    ("audience", Choice(&["lookalike", "retargeting", "broad", "newsletter"])),
    ("creative", Code("CR", 900)),
    ("is_always_on", Flag(0.3)),
];

const ATTRIBUTION: &[(&str, Kind)] = &[
    ("first_channel", Choice(&["search", "social", "display", "email", "affiliate", "print"])),
    ("last_channel", Choice(&["email", "search", "direct", "social", "affiliate"])),
    ("touch_count", Number(1, 30)),
    ("attributed_amount", Amount(20_000)),
    ("landing_page", Choice(&["/", "/sale", "/neu", "/c/garden", "/c/shoes", "/idées-cadeaux"])),
    ("experiment", Choice(&["none", "checkout-2", "price-badge", "free-returns"])),
    ("variant", Choice(&["control", "A", "B"])),
    ("days_to_convert", Count(60)),
];

const SESSION: &[(&str, Kind)] = &[
    ("id", Words(Text::Hexadecimal)),
    ("started_at", Minutes(-180, 0)),
    ("duration_s", Count(7_200)),
    ("page_views", Number(1, 80)),
    ("product_views", Count(50)),
    ("searches", Count(20)),
    ("cart_adds", Number(1, 9)),
    ("cart_removes", Count(6)),
    ("device_type", Choice(&["phone", "desktop", "tablet"])),
    ("os", Choice(&["Android", "iOS", "Windows", "macOS", "Linux"])),
    ("browser", Choice(&["Chrome", "Safari", "Firefox", "Edge", "Samsung"])),
    ("browser_version", Number(88, 131)),
    ("screen_width", Choice(&["390", "412", "1920", "1440", "1536", "2560"])),
    ("referrer", Choice(&["search.example", "news.example", "blog.example", "price.example"])),
    ("entry_page", Choice(&["/", "/sale", "/search", "/p", "/c"])),
    ("search_term", Choice(SEARCH_TERMS)),
    ("scroll_depth", Score),
    ("is_new_visitor", Flag(0.3)),
    ("is_logged_in", Flag(0.6)),
    ("has_ad_blocker", Flag(0.25)),
];

const MODEL: &[(&str, Kind)] = &[
    ("fraud_probability", Score),
    ("return_probability", Score),
    ("cancel_probability", Score),
    ("late_probability", Score),
    ("repeat_probability", Score),
    ("expected_margin", Measure(-20.0, 160.0)),
    ("price_elasticity", Measure(-4.0, 0.5)),
    ("version", Number(11, 14)),
    ("scored_at", Minutes(1, 30)),
];

const REVIEW: &[(&str, Kind)] = &[
    ("rating", Number(1, 5)),
    (
        "title",
        Choice(&[
            "Top!",
            "Très bien",
            "Not bad",
            "Nie wieder",
            "Świetne",
            "素晴らしい",
            "Muy bueno",
        ]),
    ),
    ("submitted_at", Minutes(8_000, 60_000)),
    ("helpful_votes", Count(90)),
    ("sentiment", Measure(-1.0, 1.0)),
    ("photo_count", Count(5)),
    ("is_verified", Flag(0.95)),
];

const SUPPORT: &[(&str, Kind)] = &[
    ("ticket_count", Number(1, 6)),
    ("first_ticket_at", Minutes(60, 30_000)),
    ("channel", Choice(&["email", "chat", "phone", "social"])),
    ("topic", Choice(&["where is my order", "return", "invoice", "damage", "account", "other"])),
    ("resolution_hours", Measure(0.1, 160.0)),
    ("satisfaction", Number(1, 5)),
    ("is_escalated", Flag(0.08)),
    ("agent", Words(Text::FullName)),
];

const LOAD: &[(&str, Kind)] = &[
    ("loaded_on", Days(1, 2)),
    ("batch_id", OrderSmall(|o| o.day)),
    ("source", Choice(&["shop", "erp", "marketplace"])),
    ("row_version", Number(1, 4)),
    ("is_backfilled", Flag(0.02)),
];
