//! Who took part: customers, their loyalty, stores.

use super::super::column::Kind::{
    Amount, Choice, Code, Count, Days, Flag, Measure, Number, OrderDouble, OrderInt, OrderText,
    Score, Words,
};
use super::super::column::{Kind, Words as Text};
use super::super::order::Entity;
use super::super::words::{BRANDS, CATEGORIES, COMPANIES};
use super::{Group, always};

pub(super) const GROUPS: &[Group] = &[
    Group {
        prefix: "customer_",
        entity: Entity::Customer,
        null_share: 0.0,
        applies: always,
        columns: CUSTOMER,
    },
    Group {
        prefix: "customer_",
        entity: Entity::Customer,
        null_share: 0.45,
        applies: always,
        columns: CUSTOMER_EXTRAS,
    },
    Group {
        prefix: "customer_",
        entity: Entity::Customer,
        null_share: 0.1,
        applies: always,
        columns: SCORES,
    },
    Group {
        prefix: "loyalty_",
        entity: Entity::Customer,
        null_share: 0.55,
        applies: always,
        columns: LOYALTY,
    },
    Group {
        prefix: "subscription_",
        entity: Entity::Customer,
        null_share: 0.93,
        applies: always,
        columns: SUBSCRIPTION,
    },
    Group {
        prefix: "store_",
        entity: Entity::Store,
        null_share: 0.0,
        applies: always,
        columns: STORE,
    },
];

const CUSTOMER: &[(&str, Kind)] = &[
    ("id", OrderInt(|o| 1 + o.customer.cast_signed())),
    ("number", Code("C", 999_999)),
    ("first_name", Words(Text::FirstName)),
    ("last_name", Words(Text::LastName)),
    ("email", Words(Text::Email)),
    ("phone", Words(Text::Phone)),
    ("street", Words(Text::Address)),
    ("city", OrderText(|o, text| text.push_str(o.place().city))),
    ("region", OrderText(|o, text| text.push_str(o.place().region))),
    ("country", OrderText(|o, text| text.push_str(o.place().country))),
    ("country_code", OrderText(|o, text| text.push_str(o.place().country_code))),
    ("time_zone", OrderText(|o, text| text.push_str(o.place().time_zone))),
    ("language", OrderText(|o, text| text.push_str(o.place().language))),
    ("latitude", OrderDouble(|o| f64::from(o.place().latitude) / 100.0)),
    ("longitude", OrderDouble(|o| f64::from(o.place().longitude) / 100.0)),
    ("postal_code", Code("", 99_999)),
    ("gender", Choice(&["female", "male", "unspecified", "diverse"])),
    ("birth_year", Number(1938, 2006)),
    ("age_band", Choice(&["25-34", "35-44", "45-54", "18-24", "55-64", "65+"])),
    ("segment", Choice(&["regular", "new", "loyal", "at risk", "champion", "sleeping"])),
    ("tier", Choice(&["basic", "silver", "gold", "platinum"])),
    ("status", Choice(&["active", "inactive", "blocked"])),
    ("acquisition_channel", Choice(&["search", "social", "friends", "store", "print", "tv"])),
    ("preferred_channel", Choice(&["email", "app", "post", "sms"])),
    ("preferred_payment", Choice(&["card", "wallet", "invoice", "transfer"])),
    ("favourite_category", Choice(CATEGORIES)),
    ("favourite_brand", Choice(BRANDS)),
    ("first_order_on", Days(-900, -1)),
    ("last_login_on", Days(-40, 0)),
    ("order_count", Count(120)),
    ("return_count", Count(15)),
    ("lifetime_amount", Amount(900_000)),
    ("average_order_amount", Amount(30_000)),
    ("account_balance", Amount(10_000)),
    ("days_between_orders", Measure(2.0, 200.0)),
    ("device_count", Number(1, 6)),
    ("household_size", Number(1, 7)),
    ("has_newsletter", Flag(0.6)),
    ("has_sms", Flag(0.15)),
    ("has_push", Flag(0.35)),
    ("has_app", Flag(0.45)),
    ("is_company", Flag(0.09)),
    ("is_employee", Flag(0.01)),
    ("is_test", Flag(0.002)),
    ("is_duplicate", Flag(0.01)),
];

const CUSTOMER_EXTRAS: &[(&str, Kind)] = &[
    ("title", Choice(&["Dr.", "Prof.", "Mag.", "Ing."])),
    ("company_name", Choice(COMPANIES)),
    ("company_industry", Choice(&["retail", "health", "building", "hospitality", "education"])),
    ("company_size", Choice(&["1-9", "10-49", "50-249", "250+"])),
    ("credit_limit", Amount(500_000)),
    ("income_band", Choice(&["20-40k", "40-60k", "60-80k", "<20k", "80k+"])),
    ("education", Choice(&["vocational", "bachelor", "master", "school", "doctorate"])),
    ("occupation", Choice(&["employee", "self-employed", "student", "retired", "civil servant"])),
    ("app_version", Choice(&["7.2.1", "7.1.0", "6.9.4", "6.0.2", "5.8.0"])),
    ("referred_by", Number(1, 60_000)),
    ("consent_on", Days(-700, 0)),
    ("note", Choice(&["VIP", "calls often", "prefers chat", "naïve Größe", "mag keine Werbung"])),
];

const SCORES: &[(&str, Kind)] = &[
    ("churn_score", Score),
    ("value_score", Score),
    ("recency_score", Score),
    ("frequency_score", Score),
    ("credit_score", Number(300, 850)),
    ("satisfaction_score", Number(0, 10)),
    ("price_sensitivity", Score),
    ("return_propensity", Score),
    ("upsell_propensity", Score),
    ("email_open_rate", Score),
    ("forecast_amount_30d", Measure(0.0, 900.0)),
    ("forecast_amount_90d", Measure(0.0, 2_500.0)),
];

const LOYALTY: &[(&str, Kind)] = &[
    ("card_number", Code("LC", 9_999_999)),
    ("tier", Choice(&["bronze", "silver", "gold", "diamond"])),
    ("points_balance", Count(90_000)),
    ("points_redeemed", Count(50_000)),
    ("joined_on", Days(-1_500, -1)),
    ("expires_on", Days(30, 700)),
    ("multiplier", Measure(1.0, 3.0)),
    ("partner", Choice(&["none", "bank", "airline", "fuel"])),
    ("is_family", Flag(0.2)),
];

const SUBSCRIPTION: &[(&str, Kind)] = &[
    ("plan", Choice(&["monthly", "quarterly", "yearly"])),
    ("started_on", Days(-700, -1)),
    ("renews_on", Days(1, 365)),
    ("amount", Amount(4_000)),
    ("paused_count", Count(5)),
    ("is_trial", Flag(0.15)),
];

const STORE: &[(&str, Kind)] = &[
    ("id", OrderInt(|o| 10 + o.store.cast_signed())),
    ("name", Choice(&["Mitte", "Nord", "Gare", "Old Town", "Centro", "Hafen", "Rynek", "Söder"])),
    ("format", Choice(&["city", "outlet", "mall", "flagship", "pop-up"])),
    ("size_m2", Number(80, 4_500)),
    ("staff_count", Number(4, 140)),
    ("manager", Words(Text::FullName)),
    ("opening_year", Number(1985, 2023)),
    ("cluster", Choice(&["A", "B", "C", "D"])),
    ("has_parking", Flag(0.4)),
    ("has_cafe", Flag(0.2)),
    ("has_pickup", Flag(0.9)),
];
