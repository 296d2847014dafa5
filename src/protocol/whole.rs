//! Whole numbers in clients' packets. JSON has one kind of number (RFC 8259 6), and some programs write every
//! number with a fraction, so `7.0` counts as 7.

use serde::Deserializer;
use serde::de::{self, Unexpected, Visitor};
use std::fmt;

/// Above this, a fraction may have been rounded from another whole number (RFC 8259 6).
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a required number.
///
/// # Errors
/// If it is not a whole number from 0 on.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Whole)
}

/// Reads an optional number; `null` means absent.
///
/// # Errors
/// If it is not a whole number from 0 on.
pub(super) fn maybe<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    deserializer.deserialize_option(Maybe)
}

/// Converts a number with a fraction, if it is whole.
pub(super) fn of_fraction(number: f64) -> Option<u64> {
    let is_whole = (0.0..=MAX_EXACT).contains(&number) && number.fract() == 0.0;
    is_whole.then_some(number as u64)
}

struct Whole;

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 on")
    }

    fn visit_u64<E>(self, number: u64) -> Result<u64, E> {
        Ok(number)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<u64, E> {
        of_fraction(number).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

struct Maybe;

impl<'de> Visitor<'de> for Maybe {
    type Value = Option<u64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Whole.expecting(f)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        number(deserializer).map(Some)
    }
}
