//! The order itself: what was bought, paid, shipped, cancelled and sent back.

use std::fmt::Write;

use martlet_engine::types::calendar::civil_from_days;

use super::super::column::Kind::{
    Amount, Choice, Code, Count, Days, Flag, Measure, Minutes, Number, OrderAmount, OrderDate,
    OrderDouble, OrderFlag, OrderInt, OrderSmall, OrderText, OrderTime, Score, Words,
};
use super::super::column::{Kind, Words as Text, choose};
use super::super::order::{Entity, FIRST_DAY, Noise, Order, Status};
use super::super::words::{COMMENTS, COMPANIES};
use super::{Group, always};

pub(super) const GROUPS: &[Group] = &[
    Group {
        prefix: "order_",
        entity: Entity::Order,
        null_share: 0.0,
        applies: always,
        columns: FACTS,
    },
    Group {
        prefix: "order_",
        entity: Entity::Order,
        null_share: 0.0,
        applies: always,
        columns: TRAITS,
    },
    Group {
        prefix: "order_",
        entity: Entity::Order,
        null_share: 0.85,
        applies: always,
        columns: EXTRAS,
    },
    Group {
        prefix: "order_cancel_",
        entity: Entity::Order,
        null_share: 0.0,
        applies: Order::is_cancelled,
        columns: CANCEL,
    },
    Group {
        prefix: "item_",
        entity: Entity::Product,
        null_share: 0.0,
        applies: always,
        columns: ITEM,
    },
    Group {
        prefix: "item_",
        entity: Entity::Product,
        null_share: 0.4,
        applies: always,
        columns: ITEM_EXTRAS,
    },
    Group {
        prefix: "shipping_",
        entity: Entity::Order,
        null_share: 0.0,
        applies: Order::is_shipped,
        columns: SHIPPING,
    },
    Group {
        prefix: "shipping_",
        entity: Entity::Order,
        null_share: 0.9,
        applies: Order::is_delivered,
        columns: SHIPPING_EXTRAS,
    },
    Group {
        prefix: "billing_",
        entity: Entity::Customer,
        null_share: 0.0,
        applies: always,
        columns: BILLING,
    },
    Group {
        prefix: "payment_",
        entity: Entity::Order,
        null_share: 0.0,
        applies: always,
        columns: PAYMENT,
    },
    Group {
        prefix: "payment_",
        entity: Entity::Order,
        null_share: 0.9,
        applies: always,
        columns: PAYMENT_EXTRAS,
    },
    Group {
        prefix: "return_",
        entity: Entity::Order,
        null_share: 0.03,
        applies: Order::is_returned,
        columns: RETURN,
    },
];

const WEEKDAYS: &[&str] =
    &["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const CURRENCIES: &[(&str, f64)] = &[
    ("EUR", 1.0),
    ("GBP", 0.86),
    ("CHF", 0.97),
    ("PLN", 4.45),
    ("DKK", 7.46),
    ("SEK", 11.3),
    ("NOK", 11.4),
    ("CZK", 24.2),
    ("BRL", 5.4),
    ("UAH", 39.8),
    ("TRY", 28.5),
    ("JPY", 152.0),
    ("KRW", 1_410.0),
    ("USD", 1.08),
    ("CAD", 1.46),
];

fn month(order: &Order) -> u8 {
    u8::try_from(civil_from_days(order.day.into()).month).expect("a month")
}

fn weekday(order: &Order) -> u64 {
    u64::try_from(order.day.rem_euclid(7)).expect("not negative")
}

fn exchange_rate(order: &Order) -> f64 {
    let currency = order.place().currency;
    CURRENCIES.iter().find(|(name, _)| *name == currency).map_or(1.0, |(_, rate)| *rate)
}

fn status(order: &Order) -> &'static str {
    match order.status {
        Status::Open => "open",
        Status::Shipped => "shipped",
        Status::Delivered => "delivered",
        Status::Returned => "returned",
        Status::Cancelled => "cancelled",
    }
}

const FACTS: &[(&str, Kind)] = &[
    ("id", OrderInt(|o| o.id.cast_signed())),
    (
        "number",
        OrderText(|o, text| {
            let year = civil_from_days(o.day.into()).year;
            let _infallible = write!(text, "ORD-{year}-{:07}", o.id);
        }),
    ),
    ("date", OrderDate(|o| o.day)),
    ("placed_at", OrderTime(|o| o.second)),
    ("year", OrderInt(|o| civil_from_days(o.day.into()).year)),
    ("quarter", OrderSmall(|o| (i32::from(month(o)) + 2) / 3)),
    ("month", OrderSmall(|o| month(o).into())),
    ("week", OrderSmall(|o| (o.day - FIRST_DAY) / 7)),
    ("weekday", OrderText(|o, text| text.push_str(choose(WEEKDAYS, weekday(o))))),
    ("hour", OrderInt(|o| o.second.rem_euclid(86_400) / 3_600)),
    ("is_weekend", OrderFlag(|o| matches!(weekday(o), 2 | 3))),
    ("status", OrderText(|o, text| text.push_str(status(o)))),
    ("currency", OrderText(|o, text| text.push_str(o.place().currency))),
    ("exchange_rate", OrderDouble(exchange_rate)),
    ("quantity", OrderInt(|o| o.quantity)),
    ("unit_price", OrderAmount(|o| o.unit_price)),
    ("gross_amount", OrderAmount(Order::gross)),
    ("discount_percent", OrderInt(|o| o.discount_percent)),
    ("discount_amount", OrderAmount(Order::discount)),
    ("net_amount", OrderAmount(Order::net)),
    ("tax_percent", OrderInt(|o| o.place().tax_percent)),
    ("tax_amount", OrderAmount(Order::tax)),
    ("shipping_amount", OrderAmount(Order::shipping)),
    ("total_amount", OrderAmount(Order::total)),
    ("cost_amount", OrderAmount(Order::cost)),
    ("margin_amount", OrderAmount(Order::margin)),
    ("is_discounted", OrderFlag(|o| o.discount_percent > 0)),
    ("is_cancelled", OrderFlag(Order::is_cancelled)),
    ("is_returned", OrderFlag(Order::is_returned)),
    ("is_free_shipping", OrderFlag(|o| o.shipping() == 0)),
];

const TRAITS: &[(&str, Kind)] = &[
    ("channel", Choice(&["web", "app", "marketplace", "store", "phone", "partner"])),
    ("device", Choice(&["phone", "desktop", "tablet", "kiosk", "tv"])),
    ("priority", Choice(&["normal", "high", "low", "urgent"])),
    ("type", Choice(&["sale", "pre-order", "replacement", "sample"])),
    ("source", Choice(&["direct", "search", "newsletter", "social", "affiliate", "retargeting"])),
    ("line_count", Count(12)),
    ("weight_kg", Measure(0.1, 31.5)),
    ("volume_liters", Measure(0.2, 240.0)),
    ("basket_minutes", Count(600)),
    ("is_first", Flag(0.22)),
    ("is_gift", Flag(0.06)),
    ("is_express", Flag(0.12)),
    ("is_b2b", Flag(0.09)),
    ("is_subscription", Flag(0.05)),
    ("is_split", Flag(0.08)),
    ("is_fraud_suspect", Flag(0.004)),
    ("cart_id", Words(Text::Hexadecimal)),
    ("batch_number", Code("B", 4_000)),
    ("invoiced_on", Days(0, 3)),
    ("due_on", Days(14, 31)),
    ("confirmed_at", Minutes(0, 90)),
];

const EXTRAS: &[(&str, Kind)] = &[
    (
        "coupon_code",
        Choice(&["WELCOME10", "SUMMER", "FREUNDE", "NOËL", "BLACK", "BACK2SCHOOL", "VIP"]),
    ),
    ("comment", Choice(COMMENTS)),
    (
        "gift_message",
        Choice(&["Alles Gute!", "Bon anniversaire 🎉", "Thank you", "Auguri", "¡Felicidades!"]),
    ),
    ("sales_agent", Words(Text::FullName)),
    ("approval_code", Code("AP", 100_000)),
    ("hold_reason", Choice(&["address", "credit", "stock", "manual review"])),
    ("replaced_number", Code("ORD-OLD-", 500_000)),
    ("partner_fee", Amount(3_000)),
];

const CANCEL: &[(&str, Kind)] = &[
    (
        "reason",
        Choice(&["changed mind", "too slow", "found cheaper", "out of stock", "payment failed"]),
    ),
    ("requested_at", Minutes(5, 4_000)),
    ("by", Choice(&["customer", "shop", "system"])),
    ("fee_amount", Amount(1_500)),
    ("is_before_payment", Flag(0.4)),
];

const ITEM: &[(&str, Kind)] = &[
    ("id", OrderInt(|o| 100_000 + o.product.cast_signed())),
    (
        "sku",
        OrderText(|o, text| {
            let _infallible = write!(text, "{}-{:05}", &o.category()[..3], o.product);
        }),
    ),
    ("ean", Code("4006381", 999_999)),
    ("name", Words(Text::ProductName)),
    ("brand", Choice(super::super::words::BRANDS)),
    ("category", OrderText(|o, text| text.push_str(o.category()))),
    ("subcategory_number", Number(1, 40)),
    ("department", Choice(&["home", "fashion", "leisure", "technology", "fresh", "professional"])),
    ("colour", Choice(super::super::words::COLOURS)),
    ("size", Choice(&["M", "L", "S", "one size", "XL", "XS", "XXL", "42", "38"])),
    ("material", Choice(super::super::words::MATERIALS)),
    ("season", Choice(&["all year", "spring", "summer", "autumn", "winter"])),
    ("origin_country_code", Choice(&["CN", "DE", "IT", "PT", "TR", "VN", "PL", "FR", "JP"])),
    ("weight_g", Number(20, 30_000)),
    ("length_mm", Number(10, 2_400)),
    ("width_mm", Number(10, 1_200)),
    ("height_mm", Number(5, 1_800)),
    ("list_price", OrderAmount(|o| o.unit_price)),
    ("purchase_price", OrderAmount(|o| o.cost() / o.quantity)),
    ("tax_class", Choice(&["standard", "reduced", "zero"])),
    ("rating", Measure(1.0, 5.0)),
    ("review_count", Count(4_000)),
    ("return_rate", Score),
    ("stock_quantity", Count(9_000)),
    ("stock_days", Count(180)),
    ("lead_time_days", Number(1, 90)),
    ("supplier_id", Number(1_000, 1_400)),
    ("supplier_name", Choice(COMPANIES)),
    ("image_count", Number(1, 14)),
    ("is_bestseller", Flag(0.05)),
    ("is_new", Flag(0.1)),
    ("is_private_label", Flag(0.2)),
    ("is_hazardous", Flag(0.02)),
    ("is_fragile", Flag(0.15)),
    ("is_bulky", Flag(0.08)),
    ("is_digital", Flag(0.03)),
    ("is_refurbished", Flag(0.04)),
    ("is_seasonal", Flag(0.12)),
];

const ITEM_EXTRAS: &[(&str, Kind)] = &[
    ("collection", Choice(&["Nordic", "Été", "Heritage", "Studio", "Outdoor Pro", "Mini"])),
    ("energy_class", Choice(&["A", "B", "C", "D", "E", "F"])),
    ("warranty_months", Choice(&["24", "36", "12", "60"])),
    ("eco_label", Choice(&["GOTS", "FSC", "Blauer Engel", "EU Ecolabel", "Nordic Swan"])),
    ("age_group", Choice(&["adult", "kids", "baby", "teen"])),
    ("designer", Words(Text::FullName)),
];

const SHIPPING: &[(&str, Kind)] = &[
    (
        "carrier",
        Choice(&["DHL", "UPS", "Hermes", "DPD", "La Poste", "PostNord", "FedEx", "InPost"]),
    ),
    ("service", Choice(&["standard", "express", "same day", "freight", "pick-up"])),
    ("tracking_number", Words(Text::Hexadecimal)),
    ("warehouse_code", Choice(&["LEJ1", "WAW2", "MAD1", "LYS3", "BHX1", "ARN1"])),
    ("to_country_code", OrderText(|o, text| text.push_str(o.place().country_code))),
    ("to_city", OrderText(|o, text| text.push_str(o.place().city))),
    ("zone", Number(1, 8)),
    ("distance_km", Measure(1.0, 2_400.0)),
    ("weight_kg", Measure(0.1, 32.0)),
    ("parcel_count", Number(1, 3)),
    ("packaging", Choice(&["carton", "bag", "pallet", "tube", "returnable box"])),
    ("shipped_at", Minutes(120, 2_800)),
    ("promised_on", OrderDate(|o| o.day + 4)),
    ("delivered_on", OrderDate(|o| o.day + o.delivery_days)),
    ("delivery_days", OrderSmall(|o| o.delivery_days)),
    ("attempt_count", Number(1, 3)),
    ("is_late", OrderFlag(|o| o.delivery_days > 4)),
    ("is_insured", Flag(0.07)),
    ("is_signature_required", Flag(0.11)),
    ("is_drop_off", Flag(0.3)),
    ("is_customs_cleared", Flag(0.1)),
    ("cost_amount", Amount(2_000)),
    ("charged_amount", OrderAmount(Order::shipping)),
    ("fuel_surcharge_amount", Amount(200)),
    ("co2_kg", Measure(0.05, 9.0)),
    ("temperature_class", Choice(&["ambient", "cool", "frozen"])),
    ("pick_minutes", Count(40)),
    ("pack_minutes", Count(25)),
    ("queue_minutes", Count(600)),
    ("is_automated", Flag(0.35)),
];

const SHIPPING_EXTRAS: &[(&str, Kind)] = &[
    ("customs_code", Code("HS", 9_999)),
    ("customs_amount", Amount(8_000)),
    ("insured_amount", Amount(200_000)),
    ("signed_by", Words(Text::LastName)),
    ("drop_off_point", Words(Text::Address)),
    ("delivery_note", Choice(COMMENTS)),
    ("damage", Choice(&["box dented", "wet", "broken", "opened"])),
    ("claim_amount", Amount(20_000)),
    ("claimed_at", Minutes(4_000, 40_000)),
];

const BILLING: &[(&str, Kind)] = &[
    ("name", Words(Text::FullName)),
    ("street", Words(Text::Address)),
    ("city", OrderText(|o, text| text.push_str(o.place().city))),
    ("country_code", OrderText(|o, text| text.push_str(o.place().country_code))),
    ("postal_code", Code("", 99_999)),
    ("language", OrderText(|o, text| text.push_str(o.place().language))),
    ("terms", Choice(&["prepaid", "14 days", "30 days", "60 days"])),
    ("is_same_as_shipping", Flag(0.82)),
];

const PAYMENT: &[(&str, Kind)] = &[
    (
        "method",
        Choice(&["card", "wallet", "invoice", "transfer", "instalments", "cash", "voucher"]),
    ),
    ("provider", Choice(&["Northpay", "Klar", "Paycat", "Banque Directe", "SEPA", "Przelewy"])),
    ("card_brand", Choice(&["Visa", "Mastercard", "Amex", "CB", "JCB"])),
    ("card_last4", Number(1_000, 9_999)),
    ("installment_count", Number(1, 12)),
    ("authorised_at", Minutes(0, 4)),
    ("captured_at", Minutes(60, 3_000)),
    ("settled_on", Days(2, 9)),
    ("amount", OrderAmount(Order::total)),
    ("fee_amount", OrderAmount(|o| o.total() * 14 / 1_000)),
    ("status", Choice(&["captured", "authorised", "refunded", "failed"])),
    ("attempt_count", Number(1, 3)),
    ("is_3ds", Flag(0.7)),
    ("is_stored_card", Flag(0.5)),
    ("risk_score", Score),
    ("risk_band", Choice(&["low", "medium", "high"])),
    ("points_used", Count(4_000)),
    ("points_earned", OrderInt(|o| o.net() / 100)),
];

const PAYMENT_EXTRAS: &[(&str, Kind)] = &[
    ("refunded_at", Minutes(10_000, 40_000)),
    ("refund_amount", Amount(20_000)),
    ("chargeback_amount", Amount(20_000)),
    ("voucher_amount", Amount(5_000)),
    ("gift_card_amount", Amount(10_000)),
    ("bank_name", Choice(&["Sparkasse", "Crédit du Nord", "Bank Śląski", "Caja Sur", "Nordbank"])),
];

const RETURN: &[(&str, Kind)] = &[
    ("requested_at", Minutes(12_000, 30_000)),
    ("received_on", Days(10, 40)),
    (
        "reason",
        Choice(&["too small", "not as shown", "damaged", "too late", "too big", "no reason"]),
    ),
    ("condition", Choice(&["like new", "used", "damaged", "incomplete"])),
    (
        "refund_amount",
        OrderAmount(|o| o.net() * (if Noise::of(40, o.id).unit() < 0.8 { 100 } else { 50 }) / 100),
    ),
    ("refund_method", Choice(&["original", "voucher", "transfer"])),
    ("fee_amount", Amount(600)),
    ("carrier", Choice(&["DHL", "Hermes", "UPS", "DPD"])),
    ("resolution", Choice(&["refund", "exchange", "repair", "rejected"])),
    ("handling_days", Count(30)),
    ("is_resellable", Flag(0.7)),
    ("note", Choice(COMMENTS)),
];
