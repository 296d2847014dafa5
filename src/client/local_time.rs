//! Times in the texts of servers, which write them in UTC, as the user reads them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

/// How people read a moment; servers write the end of a ban or a mute in the same way.
pub(super) const DATE_AND_TIME: &str = "%Y-%m-%d %H:%M";

const WRITTEN_BYTES: usize = "2026-11-21 14:00".len();

/// The zone that servers name after such a time.
const UTC: &str = " UTC";

/// The text with its times in that zone; today's without a date.
pub(super) fn localized(text: &str, zone: &TimeZone, now: Timestamp) -> String {
    let mut local_text = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.find(UTC) {
        let (before, after) = rest.split_at(end);
        let start = before.len().saturating_sub(WRITTEN_BYTES);
        match before.get(start..).and_then(read) {
            Some(at) => {
                local_text += before.get(..start).unwrap_or_default();
                local_text += &local(at, zone, now);
            }
            None => {
                local_text += before;
                local_text += UTC;
            }
        }
        rest = after.get(UTC.len()..).unwrap_or_default();
    }
    local_text + rest
}

/// A moment, without its date if that is today's.
pub(super) fn local(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    let (at, now) = (at.to_zoned_datetime(zone.clone()), now.to_zoned_datetime(zone.clone()));
    let format = if at.date() == now.date() { "%H:%M" } else { DATE_AND_TIME };
    strtime::format(format, &at).unwrap_or_default()
}

fn read(time: &str) -> Option<Timestamp> {
    let time: DateTime = strtime::parse(DATE_AND_TIME, time).ok()?.to_datetime().ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_utc_are_replaced_and_everything_else_stays() {
        let (zone, now) = (TimeZone::get("Asia/Tokyo").unwrap(), "2026-11-21T12:00:00Z".parse().unwrap());
        for (text, local) in [
            ("muted until 2026-11-21 13:00 UTC by bob", "muted until 22:00 by bob"),
            ("2026-11-21 13:00 UTC and 2026-12-24 18:00 UTC", "22:00 and 2026-12-25 03:00"),
            ("é2026-11-21 13:00 UTC", "é22:00"),
            ("in UTC, 13:00 UTC, 2026-13-99 99:99 UTC", "in UTC, 13:00 UTC, 2026-13-99 99:99 UTC"),
            ("ééééééééé UTC UTC", "ééééééééé UTC UTC"),
        ] {
            assert_eq!(localized(text, &zone, now), local);
        }
    }
}
