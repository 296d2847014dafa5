//! Bounds that options set, or take away with the word `off`.
//!
//! Each parses from a string with an error fit for a user, and from the config file also as a number.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use super::values::Size;
use crate::pace::{NoRate, Rate};
use crate::protocol::Term;

/// The word that takes a bound away.
const OFF: &str = "off";

/// A count that may not be exceeded, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub enum Cap {
    /// So many at most.
    At(NonZeroU32),
    /// No bound.
    Off,
}

impl FromStr for Cap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case(OFF) {
            return Ok(Self::Off);
        }
        let wrong = |_| format!("expected a number above zero or {OFF}, not '{text}'");
        text.parse().map(Self::At).map_err(wrong)
    }
}

/// How many messages a second may come, or any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub enum Pace {
    /// So many.
    At(Rate),
    /// No bound.
    Off,
}

impl FromStr for Pace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case(OFF) {
            return Ok(Self::Off);
        }
        text.parse().map(Self::At).map_err(|error: NoRate| error.to_string())
    }
}

/// How old something may get, or any age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub enum Age {
    /// No older than this.
    At(Duration),
    /// No bound.
    Off,
}

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case(OFF) {
            return Ok(Self::Off);
        }
        match text.parse() {
            Ok(Term::For(age)) => Ok(Self::At(age)),
            Ok(Term::Forever) => Ok(Self::Off),
            Err(_) => Err(format!("expected an age such as 12h, 90d or 4w, or {OFF}, not '{text}'")),
        }
    }
}

/// How many bytes something may take, or any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
pub enum Volume {
    /// So many at most.
    At(u64),
    /// No bound.
    Off,
}

impl FromStr for Volume {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case(OFF) {
            return Ok(Self::Off);
        }
        let size: Size = text.parse().map_err(|why| format!("{why}, or {OFF}"))?;
        u64::try_from(size.0).map(Self::At).map_err(|error| error.to_string())
    }
}

/// A value of the config file: `64` or `"off"`.
#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a number or a text")]
enum Written {
    Number(u64),
    Text(String),
}

impl Written {
    fn read<T: FromStr<Err = String>>(self) -> Result<T, String> {
        match self {
            Self::Number(number) => number.to_string().parse(),
            Self::Text(text) => text.parse(),
        }
    }
}

impl TryFrom<Written> for Cap {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        written.read()
    }
}

impl TryFrom<Written> for Pace {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        written.read()
    }
}

impl TryFrom<Written> for Age {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        written.read()
    }
}

impl TryFrom<Written> for Volume {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        written.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(number: u32, burst: u32) -> Pace {
        Pace::At(Rate::per_second(number, burst).unwrap())
    }

    #[test]
    fn a_pace_is_a_rate_or_off() {
        for (text, pace) in [("5", at(5, 20)), ("5:50", at(5, 50)), ("OFF", Pace::Off)] {
            assert_eq!(text.parse(), Ok(pace), "{text}");
        }
        for wrong in ["", "0", "5:", "-1", "never"] {
            assert!(wrong.parse::<Pace>().unwrap_err().contains("5:20"), "{wrong}");
        }
    }

    #[test]
    fn a_cap_is_a_number_above_zero_or_off() {
        assert_eq!("64".parse(), Ok(Cap::At(NonZeroU32::new(64).unwrap())));
        assert_eq!("off".parse(), Ok(Cap::Off));
        for wrong in ["", "0", "-1", "many"] {
            assert!(wrong.parse::<Cap>().unwrap_err().contains("above zero"), "{wrong}");
        }
    }

    #[test]
    fn an_age_has_a_unit_and_a_volume_needs_none() {
        let day = Duration::from_secs(86_400);
        for (text, age) in [("90d", Age::At(90 * day)), ("4w", Age::At(28 * day)), ("Off", Age::Off)] {
            assert_eq!(text.parse(), Ok(age), "{text}");
        }
        assert_eq!("forever".parse(), Ok(Age::Off));
        for wrong in ["", "90", "0d", "-1d", "never"] {
            assert!(wrong.parse::<Age>().unwrap_err().contains("90d"), "{wrong}");
        }
        for (text, volume) in
            [("2GiB", Volume::At(2 << 30)), ("4096", Volume::At(4096)), ("off", Volume::Off)]
        {
            assert_eq!(text.parse(), Ok(volume), "{text}");
        }
        assert!("much".parse::<Volume>().unwrap_err().contains("or off"));
    }

    #[test]
    fn a_config_file_may_hold_numbers_and_words() {
        #[derive(Deserialize)]
        struct Table {
            cap: Cap,
            pace: Pace,
        }
        let read = |text| toml::from_str::<Table>(text);
        let table = read("cap = 'off'\npace = 5").unwrap();
        assert_eq!((table.cap, table.pace), (Cap::Off, at(5, 20)));
        assert!(read("cap = 0\npace = 5").is_err() && read("cap = 1\npace = true").is_err());
    }
}
