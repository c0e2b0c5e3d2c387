//! Zones beside what another crate reads in another release of the database.

use chrono::{DateTime, MappedLocalTime, Offset, TimeZone as _};

use super::*;

fn at(text: &str) -> i64 {
    crate::types::text::parse_timestamp(text).expect("a timestamp").seconds
}

#[test]
fn transitions_are_resolved_as_postgres_does() -> Result<()> {
    let zone = TimeZone::named("America/New_York")?;
    let offset_at = |seconds| zone.span_at(seconds).offset;
    assert_eq!(offset_at(at("2024-03-10 06:59:59")), -5 * 3600);
    assert_eq!(offset_at(at("2024-03-10 07:00:00")), -4 * 3600);
    // 02:30 does not exist: 03:30-04. 01:30 occurs twice: 01:30-05.
    assert_eq!(zone.offset_of_local(at("2024-03-10 02:30:00")), -5 * 3600);
    assert_eq!(zone.offset_of_local(at("2024-11-03 01:30:00")), -5 * 3600);
    assert_eq!(zone.offset_of_local(at("2024-11-03 00:59:59")), -4 * 3600);
    assert_eq!(zone.offset_of_local(at("2024-11-03 02:00:00")), -5 * 3600);
    assert_eq!(offset_at(i64::MAX), offset_at(Timestamp::MAX.as_second()));
    assert_eq!(offset_at(i64::MIN), -17_762);
    Ok(())
}

#[test]
fn zones_are_named_in_any_case_or_by_their_offset() -> Result<()> {
    for (name, offset) in [
        ("utc", 0),
        ("GMT", 0),
        ("Etc/UTC", 0),
        ("asia/kolkata", 19_800),
        ("+05:30", 19_800),
        ("-0800", -28_800),
        ("+02", 7_200),
    ] {
        assert_eq!(TimeZone::named(name)?.span_at(0).offset, offset, "{name}");
    }
    for name in ["Mars/Olympus", "", "+", "+5", "+24:00", "+0:530", "05:30", "é+1"] {
        assert!(TimeZone::named(name).is_err(), "{name}");
    }
    Ok(())
}

#[test]
fn rules_go_on_for_ever() -> Result<()> {
    let berlin = TimeZone::named("Europe/Berlin")?;
    for (instant, offset) in [
        ("2100-03-28 00:59:59", 3_600),
        ("2100-03-28 01:00:00", 7_200),
        ("2999-10-27 00:59:59", 7_200),
        ("2999-10-27 01:00:00", 3_600),
        ("9999-12-31 23:59:59", 3_600),
    ] {
        assert_eq!(berlin.span_at(at(instant)).offset, offset, "{instant}");
    }
    let lord_howe = TimeZone::named("Australia/Lord_Howe")?;
    assert_eq!(lord_howe.span_at(at("2050-01-01")).offset, 11 * 3_600);
    assert_eq!(lord_howe.span_at(at("2050-07-01")).offset, 10 * 3_600 + 1_800);
    Ok(())
}

/// The two are of different releases of the database, which corrects its past now and then.
#[test]
fn every_zone_is_as_chrono_has_it() -> Result<()> {
    let (first, last) = (at("1850-01-01"), at("2090-01-01"));
    let (mut zones, mut spans) = (0, 0);
    let (mut other, mut other_zones) = (0, 0);
    for name in DATABASE.available() {
        let name = name.as_str();
        let Ok(theirs) = name.parse::<chrono_tz::Tz>() else { continue };
        let ours = TimeZone::named(name)?;
        let offset = |seconds: i64| {
            let instant = DateTime::from_timestamp(seconds, 0).expect("in range").naive_utc();
            theirs.offset_from_utc_datetime(&instant).fix().local_minus_utc()
        };
        zones += 1;
        let before = other;
        let mut seconds = first;
        while seconds < last {
            let span = ours.span_at(seconds);
            assert!((span.start..span.end).contains(&seconds), "{name} {seconds} {span:?}");
            spans += 1;
            let middle = span.start.max(first) / 2 + span.end.min(last) / 2;
            let probes = [seconds, middle, span.end.min(last) - 1];
            other += i32::from(probes.iter().any(|probe| offset(*probe) != span.offset));
            seconds = span.end;
        }
        other_zones += i32::from(other > before);
    }
    assert!(zones > 500 && spans > 50_000, "{zones} zones, {spans} spans");
    assert!(other_zones * 8 < zones && other * 100 < spans, "{other} spans of {other_zones} zones");
    Ok(())
}

#[test]
fn clocks_are_read_as_chrono_reads_them() -> Result<()> {
    for name in ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"] {
        let (ours, theirs) = (TimeZone::named(name)?, name.parse::<chrono_tz::Tz>().expect(name));
        for step in 0..200_000 {
            // Half hours, of which many are skipped or repeated.
            let seconds = at("2008-06-01") + step * 1_800;
            let clock = DateTime::from_timestamp(seconds, 0).expect("in range").naive_utc();
            let expected = match theirs.offset_from_local_datetime(&clock) {
                MappedLocalTime::Single(offset) => offset,
                MappedLocalTime::Ambiguous(_, second) => second,
                MappedLocalTime::None => {
                    theirs.offset_from_utc_datetime(&(clock - chrono::TimeDelta::days(1)))
                }
            };
            assert_eq!(
                ours.offset_of_local(seconds),
                expected.fix().local_minus_utc(),
                "{name} {clock}"
            );
        }
    }
    Ok(())
}
