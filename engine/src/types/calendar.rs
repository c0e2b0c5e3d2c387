//! The proleptic Gregorian calendar over day numbers; 0 is 1970-01-01.
//!
//! Plain integer arithmetic (Howard Hinnant, "chrono-compatible low-level date algorithms"), so that
//! no date that fits a column can fail or panic. Knows no time zones and no types.

/// A date taken apart. Year 0 is 1 BC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CivilDate {
    /// Astronomical year.
    pub year: i64,
    /// 1…12.
    pub month: i64,
    /// 1…31.
    pub day: i64,
}

/// Seconds in a day; the calendar has no leap seconds.
pub const SECONDS_PER_DAY: i64 = 86_400;

const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const EPOCH_OFFSET_DAYS: i64 = 719_468;

/// The date of a day number.
pub fn civil_from_days(days: i64) -> CivilDate {
    let shifted = days + EPOCH_OFFSET_DAYS;
    let era = shifted.div_euclid(DAYS_PER_ERA);
    let day_of_era = shifted.rem_euclid(DAYS_PER_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    CivilDate { year: year_of_era + era * 400 + i64::from(month <= 2), month, day }
}

/// The day number of a date; `month` is 1…12, `day` may lie outside its month.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_PER_ERA + day_of_era - EPOCH_OFFSET_DAYS
}

/// Days of a month.
pub fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether the year has a 29 February.
pub fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// 0 is Sunday, 6 Saturday.
pub fn day_of_week(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

/// 1 is Monday, 7 Sunday.
pub fn iso_day_of_week(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// 1 is 1 January.
pub fn day_of_year(days: i64) -> i64 {
    days - days_from_civil(civil_from_days(days).year, 1, 1) + 1
}

/// ISO year and week: a week belongs to the year that its Thursday is in.
pub fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - iso_day_of_week(days) + 4;
    let year = civil_from_days(thursday).year;
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}

/// A date moved by `months`; a day past the month's end becomes its last day.
pub fn add_months(days: i64, months: i64) -> i64 {
    let date = civil_from_days(days);
    let month_count = date.year * 12 + (date.month - 1) + months;
    let (year, month) = (month_count.div_euclid(12), month_count.rem_euclid(12) + 1);
    days_from_civil(year, month, date.day.min(days_in_month(year, month)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_eight_centuries_survives_the_round_trip() {
        let mut expected = CivilDate { year: 1600, month: 1, day: 1 };
        for days in days_from_civil(1600, 1, 1)..days_from_civil(2400, 1, 1) {
            assert_eq!(civil_from_days(days), expected);
            assert_eq!(days_from_civil(expected.year, expected.month, expected.day), days);
            expected.day += 1;
            if expected.day > days_in_month(expected.year, expected.month) {
                (expected.day, expected.month) = (1, expected.month + 1);
            }
            if expected.month > 12 {
                (expected.month, expected.year) = (1, expected.year + 1);
            }
        }
    }

    #[test]
    fn iso_weeks_cross_the_new_year() {
        // PostgreSQL 15: extract(isoyear …), extract(week …).
        for ((year, month, day), expected) in [
            ((2021, 1, 3), (2020, 53)),
            ((2024, 12, 30), (2025, 1)),
            ((2005, 1, 1), (2004, 53)),
            ((2008, 12, 29), (2009, 1)),
            ((1969, 12, 28), (1969, 52)),
        ] {
            assert_eq!(iso_week(days_from_civil(year, month, day)), expected);
        }
        assert_eq!(day_of_week(days_from_civil(2021, 1, 3)), 0);
        assert_eq!(iso_day_of_week(days_from_civil(2021, 1, 3)), 7);
    }

    #[test]
    fn months_clamp_to_the_last_day() {
        let day = |y, m, d| days_from_civil(y, m, d);
        assert_eq!(add_months(day(2024, 1, 31), 1), day(2024, 2, 29));
        assert_eq!(add_months(day(2024, 3, 31), -1), day(2024, 2, 29));
        assert_eq!(add_months(day(2023, 12, 31), 2), day(2024, 2, 29));
        assert_eq!(add_months(day(2024, 2, 29), -48), day(2020, 2, 29));
    }

    #[test]
    fn the_extremes_of_every_column_type_have_a_date() {
        for days in [i64::from(i32::MIN), i64::from(i32::MAX), i64::MIN / 86_400, i64::MAX / 86_400]
        {
            let date = civil_from_days(days);
            assert_eq!(days_from_civil(date.year, date.month, date.day), days);
        }
    }
}
