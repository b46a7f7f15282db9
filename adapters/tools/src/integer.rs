//! An integer argument, as JSON Schema understands integers.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// The largest magnitude below which a number in float form is one integer exactly, 2^53.
const EXACT_FLOATS: f64 = 9_007_199_254_740_992.0;

/// A 64-bit integer. In JSON Schema `2.0` is an integer and `"2"` is none (Validation §6.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(transparent)]
pub struct Integer(pub i64);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntegerVisitor)
    }
}

struct IntegerVisitor;

impl Visitor<'_> for IntegerVisitor {
    type Value = Integer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer of at most 64 bits")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Integer, E> {
        Ok(Integer(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Integer, E> {
        let fits = i64::try_from(number).map(Integer);
        fits.map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Integer, E> {
        if number.fract() != 0.0 || number.abs() > EXACT_FLOATS {
            return Err(E::invalid_value(de::Unexpected::Float(number), &self));
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53, checked above")]
        Ok(Integer(number as i64))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(value: Value) -> Result<Integer, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn a_number_without_fraction_is_an_integer_however_it_is_written() {
        for (written, meant) in [(json!(2), 2), (json!(2.0), 2), (json!(-3e2), -300)] {
            assert_eq!(read(written), Ok(Integer(meant)));
        }
        assert_eq!(read(json!(i64::MAX)), Ok(Integer(i64::MAX)));
        assert_eq!(read(json!(i64::MIN)), Ok(Integer(i64::MIN)));
    }

    #[test]
    fn anything_else_is_refused_with_what_was_expected() {
        let foreign = [json!(2.5), json!("2"), json!(null), json!(true), json!([2]), json!({})];
        for value in foreign.into_iter().chain([json!(9_223_372_036_854_775_808_u64), json!(2e20)])
        {
            let refusal = read(value.clone()).unwrap_err();
            assert!(
                refusal.contains("expected an integer of at most 64 bits"),
                "{value}: {refusal}"
            );
        }
    }
}
