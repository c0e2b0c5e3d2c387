//! The 105 columns of the hits mart for one row group: names, order, types and distributions.
//!
//! Must not know where the arrays go: each is handed to a sink and forgotten, so that one column of
//! one row group is in memory at a time. Each column has its own random stream.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Int16Array, Int32Array, Int64Array, StringBuilder,
    TimestampMicrosecondArray,
};

use super::pools::Pools;
use super::rows::Rows;
use crate::Result;
use crate::mart_file::Sink;
use crate::random::{Random, floor, to_usize};

/// The hash of an empty referrer, which one ClickBench query asks for.
const EMPTY_REFERER_HASH: i64 = 3_594_120_000_172_545_465;
const SECONDS_PER_DAY: i64 = 86_400;
const TAGS: u64 = 900;

/// Hands all columns of `rows` to `sink`.
pub(super) fn write(seed: u64, pools: &Pools, rows: &Rows, sink: &mut Sink) -> Result<()> {
    let mut columns = Columns { seed, pools, rows, column_idx: 0, sink };
    columns.visit()?;
    columns.referer_and_screen()?;
    columns.browser()?;
    columns.search_and_client()?;
    columns.page()?;
    columns.person()?;
    columns.timings()?;
    columns.commerce_and_tags()
}

struct Columns<'a, 'sink> {
    seed: u64,
    pools: &'a Pools,
    rows: &'a Rows,
    column_idx: u64,
    sink: &'a mut Sink<'sink>,
}

impl Columns<'_, '_> {
    fn visit(&mut self) -> Result<()> {
        let (pools, rows) = (self.pools, self.rows);
        self.wide("WatchID", |random, _| random.between(1 << 62, i64::MAX))?;
        self.flag("JavaEnable", 0.8)?;
        self.text("Title", |_, row, title| pools.write_title(rows.page[row], title))?;
        self.small("GoodEvent", |_, _| 1)?;
        self.timestamp("EventTime", |_, row| rows.time[row])?;
        let day = |row: usize| rows.time[row].div_euclid(SECONDS_PER_DAY);
        let days = (0..rows.len()).map(|row| i32::try_from(day(row)).expect("a day in 2013"));
        self.put("EventDate", Arc::new(Date32Array::from_iter_values(days)))?;
        self.int("CounterID", |_, row| rows.counter[row])?;
        self.int("ClientIP", |_, row| rows.user[row].ip)?;
        self.int("RegionID", |_, row| rows.user[row].region)?;
        self.wide("UserID", |_, row| rows.user[row].id)?;
        self.flag("CounterClass", 0.1)?;
        self.small("OS", |_, row| rows.user[row].os)?;
        self.small("UserAgent", |_, row| rows.user[row].agent)?;
        self.text("URL", |_, row, url| pools.write_url(rows.page[row], url))?;
        self.text("Referer", |_, row, url| {
            if let Some(page) = rows.referer[row] {
                pools.write_url(page, url);
            }
        })?;
        self.flag("IsRefresh", 0.14)
    }

    fn referer_and_screen(&mut self) -> Result<()> {
        let rows = self.rows;
        self.mostly_zero("RefererCategoryID", 20_000, 0.6)?;
        self.uniform("RefererRegionID", 500)?;
        self.mostly_zero("URLCategoryID", 15_000, 0.4)?;
        self.uniform("URLRegionID", 300)?;
        self.small("ResolutionWidth", |_, row| rows.user[row].width)?;
        self.small("ResolutionHeight", |_, row| {
            narrow(floor(f64::from(rows.user[row].width) * 0.62))
        })?;
        self.small(
            "ResolutionDepth",
            |_, row| {
                if rows.user_idx[row].is_multiple_of(17) { 32 } else { 24 }
            },
        )
    }

    fn browser(&mut self) -> Result<()> {
        let (pools, rows) = (self.pools, self.rows);
        self.of_user("FlashMajor", 12)?;
        self.of_user("FlashMinor", 9)?;
        self.text_of_user("FlashMinor2", &["", "700", "602", "257", "202", "168", "94"])?;
        self.mostly_zero("NetMajor", 5, 0.9)?;
        self.mostly_zero("NetMinor", 7, 0.9)?;
        self.of_user("UserAgentMajor", 30)?;
        self.text_of_user("UserAgentMinor", &["", "0", "D", "1", "5", "16", "c", "q", "H"])?;
        self.flag("CookieEnable", 0.98)?;
        self.flag("JavascriptEnable", 0.97)?;
        self.small("IsMobile", |_, row| i16::from(rows.user[row].phone > 0))?;
        self.small("MobilePhone", |_, row| narrow(rows.user[row].phone % 60))?;
        self.text("MobilePhoneModel", |_, row, text| {
            text.push_str(&pools.models[to_usize(rows.user[row].phone)]);
        })?;
        self.text("Params", |random, _, text| {
            if !random.chance(0.9) {
                text.push_str(&pools.params[to_usize(1 + random.zipf(3_000, 0.6))]);
            }
        })?;
        self.uniform("IPNetworkID", 4_000_000)?;
        self.small("TraficSourceID", |random, _| i16_between(random, -1, 10))
    }

    fn search_and_client(&mut self) -> Result<()> {
        let (pools, rows) = (self.pools, self.rows);
        self.small("SearchEngineID", |random, row| {
            if rows.searching[row] { narrow(1 + random.zipf(90, 0.9)) } else { 0 }
        })?;
        self.text("SearchPhrase", |random, row, text| {
            if rows.searching[row] {
                pools.write_phrase(random.zipf(pools.phrase_count, 0.5), text);
            }
        })?;
        self.small("AdvEngineID", |random, _| {
            if random.chance(0.0063) { narrow(1 + random.zipf(60, 0.9)) } else { 0 }
        })?;
        self.flag("IsArtifical", 0.05)?;
        self.small("WindowClientWidth", |_, row| {
            rows.user[row].width - narrow(rows.user_idx[row] % 31)
        })?;
        self.small("WindowClientHeight", |random, _| i16_between(random, 0, 1_100))?;
        self.mostly_zero("ClientTimeZone", 12, 0.2)?;
        self.timestamp("ClientEventTime", |random, row| {
            rows.time[row] + random.between(-7_200, 7_200)
        })?;
        self.mostly_zero("SilverlightVersion1", 6, 0.6)?;
        self.mostly_zero("SilverlightVersion2", 3, 0.7)?;
        self.uniform("SilverlightVersion3", 60_000)?;
        self.mostly_zero("SilverlightVersion4", 3, 0.8)
    }

    fn page(&mut self) -> Result<()> {
        let (pools, rows) = (self.pools, self.rows);
        let charsets = ["utf-8", "windows-1251", "", "koi8-r", "iso-8859-1"];
        self.text("PageCharset", |random, _, text| {
            text.push_str(charsets[to_usize(random.zipf(5, 0.9))]);
        })?;
        self.uniform("CodeVersion", 1_700)?;
        self.flag("IsLink", 0.05)?;
        self.flag("IsDownload", 0.01)?;
        self.flag("IsNotBounce", 0.4)?;
        self.wide("FUniqID", |_, row| crate::random::mix(rows.user_idx[row] + 99).cast_signed())?;
        self.text("OriginalURL", |random, row, url| {
            if !random.chance(0.75) {
                pools.write_url(rows.page[row], url);
            }
        })?;
        self.uniform("HID", 1 << 30)?;
        self.flag("IsOldCounter", 0.02)?;
        self.flag("IsEvent", 0.1)?;
        self.flag("IsParameter", 0.1)?;
        self.flag("DontCountHits", 0.12)?;
        self.flag("WithHash", 0.1)?;
        self.text("HitColor", |random, _, text| {
            text.push_str(["5", "F", "D", "T", "S"][to_usize(random.zipf(5, 0.9))]);
        })?;
        self.timestamp("LocalEventTime", |_, row| rows.time[row] + 14_400)
    }

    fn person(&mut self) -> Result<()> {
        let (pools, rows) = (self.pools, self.rows);
        self.of_user("Age", 60)?;
        self.of_user("Sex", 3)?;
        self.of_user("Income", 5)?;
        self.of_user("Interests", 20_000)?;
        self.mostly_zero("Robotness", 5, 0.95)?;
        self.int("RemoteIP", |_, row| pools.user(rows.user_idx[row] * 3 % pools.user_count).ip)?;
        self.uniform("WindowName", 60_000)?;
        self.uniform("OpenerName", 60_000)?;
        self.small("HistoryLength", |random, _| i16_between(random, -1, 40))?;
        let languages = ["ru", "en", "uk", "", "de", "tr", "kk"];
        self.text_of_user("BrowserLanguage", &languages)?;
        self.text_of_user("BrowserCountry", &languages[..5])?;
        self.tag("SocialNetwork", 0.01)?;
        self.tag("SocialAction", 0.008)
    }

    fn timings(&mut self) -> Result<()> {
        self.mostly_zero("HTTPError", 500, 0.99)?;
        let names = [
            "SendTiming",
            "DNSTiming",
            "ConnectTiming",
            "ResponseStartTiming",
            "ResponseEndTiming",
            "FetchTiming",
        ];
        for name in names {
            self.int(name, |random, _| {
                let milliseconds = floor(random.exponential(300.0));
                if random.chance(0.5) { 0 } else { i32::try_from(milliseconds).unwrap_or(i32::MAX) }
            })?;
        }
        Ok(())
    }

    fn commerce_and_tags(&mut self) -> Result<()> {
        let (pools, rows) = (self.pools, self.rows);
        self.mostly_zero("SocialSourceNetworkID", 20, 0.98)?;
        self.tag("SocialSourcePage", 0.02)?;
        self.wide("ParamPrice", |random, _| {
            if random.chance(0.98) { 0 } else { random.between(0, 10_000_000) }
        })?;
        self.tag("ParamOrderID", 0.01)?;
        self.text("ParamCurrency", |random, _, text| {
            if !random.chance(0.98) {
                text.push_str(&pools.tags[to_usize(1 + random.below(5))]);
            }
        })?;
        self.mostly_zero("ParamCurrencyID", 5, 0.98)?;
        let openstat =
            ["OpenstatServiceName", "OpenstatCampaignID", "OpenstatAdID", "OpenstatSourceID"];
        for name in openstat {
            self.tag(name, 0.02)?;
        }
        self.tag("UTMSource", 0.06)?;
        self.tag("UTMMedium", 0.05)?;
        self.tag("UTMCampaign", 0.05)?;
        self.tag("UTMContent", 0.03)?;
        self.tag("UTMTerm", 0.02)?;
        self.tag("FromTag", 0.01)?;
        self.flag("HasGCLID", 0.01)?;
        self.wide("RefererHash", |_, row| {
            rows.referer[row].map_or(EMPTY_REFERER_HASH, Pools::url_hash)
        })?;
        self.wide("URLHash", |_, row| Pools::url_hash(rows.page[row]))?;
        self.uniform("CLID", 20_000)
    }

    /// 1 for a share of the rows, else 0.
    fn flag(&mut self, name: &'static str, share: f64) -> Result<()> {
        self.small(name, |random, _| i16::from(random.chance(share)))
    }

    /// 0 for a share of the rows, else uniform below `bound`.
    fn mostly_zero(&mut self, name: &'static str, bound: u64, zero_share: f64) -> Result<()> {
        self.small(
            name,
            |random, _| {
                if random.chance(zero_share) { 0 } else { narrow(random.below(bound)) }
            },
        )
    }

    /// An int32 uniform below `bound`.
    fn uniform(&mut self, name: &'static str, bound: u64) -> Result<()> {
        self.int(name, |random, _| i32::try_from(random.below(bound)).expect("bounds fit int32"))
    }

    /// A number below `bound` that is the visitor's own.
    fn of_user(&mut self, name: &'static str, bound: u64) -> Result<()> {
        let rows = self.rows;
        self.small(name, |_, row| narrow(rows.user_idx[row] % bound))
    }

    /// One of `choices` that is the visitor's own.
    fn text_of_user(&mut self, name: &'static str, choices: &[&str]) -> Result<()> {
        let rows = self.rows;
        let choice = |row: usize| choices[to_usize(rows.user_idx[row] % choices.len() as u64)];
        self.text(name, |_, row, text| text.push_str(choice(row)))
    }

    /// A tag for a share of the rows, else empty.
    fn tag(&mut self, name: &'static str, share: f64) -> Result<()> {
        let pools = self.pools;
        self.text(name, |random, _, text| {
            if random.chance(share) {
                text.push_str(&pools.tags[to_usize(1 + random.zipf(TAGS, 0.8))]);
            }
        })
    }

    fn small(
        &mut self,
        name: &'static str,
        mut value: impl FnMut(&mut Random, usize) -> i16,
    ) -> Result<()> {
        let mut random = self.random();
        let values = (0..self.rows.len()).map(|row| value(&mut random, row));
        self.put(name, Arc::new(Int16Array::from_iter_values(values)))
    }

    fn int(
        &mut self,
        name: &'static str,
        mut value: impl FnMut(&mut Random, usize) -> i32,
    ) -> Result<()> {
        let mut random = self.random();
        let values = (0..self.rows.len()).map(|row| value(&mut random, row));
        self.put(name, Arc::new(Int32Array::from_iter_values(values)))
    }

    fn wide(
        &mut self,
        name: &'static str,
        mut value: impl FnMut(&mut Random, usize) -> i64,
    ) -> Result<()> {
        let mut random = self.random();
        let values = (0..self.rows.len()).map(|row| value(&mut random, row));
        self.put(name, Arc::new(Int64Array::from_iter_values(values)))
    }

    fn timestamp(
        &mut self,
        name: &'static str,
        mut seconds: impl FnMut(&mut Random, usize) -> i64,
    ) -> Result<()> {
        let mut random = self.random();
        let values = (0..self.rows.len()).map(|row| seconds(&mut random, row) * 1_000_000);
        self.put(name, Arc::new(TimestampMicrosecondArray::from_iter_values(values)))
    }

    fn text(
        &mut self,
        name: &'static str,
        mut write: impl FnMut(&mut Random, usize, &mut String),
    ) -> Result<()> {
        let mut random = self.random();
        let mut builder = StringBuilder::with_capacity(self.rows.len(), self.rows.len() * 8);
        let mut text = String::new();
        for row in 0..self.rows.len() {
            text.clear();
            write(&mut random, row, &mut text);
            builder.append_value(&text);
        }
        self.put(name, Arc::new(builder.finish()))
    }

    /// The random stream of the next column.
    fn random(&self) -> Random {
        Random::stream(self.seed, 1_000 + self.column_idx, self.rows.first_row)
    }

    fn put(&mut self, name: &'static str, array: ArrayRef) -> Result<()> {
        self.column_idx += 1;
        (self.sink)(name, array)
    }
}

fn narrow(x: u64) -> i16 {
    i16::try_from(x).expect("bounds fit int16")
}

fn i16_between(random: &mut Random, low: i16, high: i16) -> i16 {
    low + narrow(random.below((high - low).unsigned_abs().into()))
}
