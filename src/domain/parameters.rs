//! Parameters of an OAuth request, from a query or a form (RFC 6749 §3.1 and §3.2).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;
use url::form_urlencoded;

/// How many parameters a request may carry.
pub const MOST_PARAMETERS: usize = 64;

/// Parameters by name: an empty value counts as absent, and a repeated name is remembered so that
/// asking for it is an error. Names nobody asks for are ignored.
#[derive(Clone, Default)]
pub struct Parameters {
    values: BTreeMap<String, String>,
    repeated: BTreeSet<String>,
}

/// Why parameters can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParameterError {
    /// The name was sent more than once.
    #[error("the parameter {0} is repeated (RFC 6749 §3.1)")]
    Repeated(&'static str),
    /// The name was not sent, or sent empty.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// More than [`MOST_PARAMETERS`] were sent.
    #[error("more than {MOST_PARAMETERS} parameters")]
    TooMany,
}

impl Parameters {
    /// Parses `application/x-www-form-urlencoded` bytes.
    ///
    /// # Errors
    /// [`ParameterError::TooMany`].
    pub fn parse(encoded: &[u8]) -> Result<Self, ParameterError> {
        let mut parameters = Self::default();
        for (index, (name, value)) in form_urlencoded::parse(encoded).enumerate() {
            if index >= MOST_PARAMETERS {
                return Err(ParameterError::TooMany);
            }
            parameters.insert(name.into_owned(), value.into_owned());
        }
        Ok(parameters)
    }

    fn insert(&mut self, name: String, value: String) {
        if value.is_empty() {
            return;
        }
        match self.values.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(entry) => {
                self.repeated.insert(entry.key().clone());
            }
        }
    }

    /// The value, if one was sent.
    ///
    /// # Errors
    /// [`ParameterError::Repeated`].
    pub fn optional(&self, name: &'static str) -> Result<Option<&str>, ParameterError> {
        if self.repeated.contains(name) {
            return Err(ParameterError::Repeated(name));
        }
        Ok(self.values.get(name).map(String::as_str))
    }

    /// The value.
    ///
    /// # Errors
    /// [`ParameterError::Missing`] or [`ParameterError::Repeated`].
    pub fn required(&self, name: &'static str) -> Result<&str, ParameterError> {
        self.optional(name)?.ok_or(ParameterError::Missing(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn az_01_a_repeated_parameter_is_an_error_only_for_who_asks() {
        let parameters = Parameters::parse(b"a=1&b=2&b=3&foo=&foo=").unwrap();
        assert_eq!(parameters.optional("a"), Ok(Some("1")));
        assert_eq!(parameters.optional("b"), Err(ParameterError::Repeated("b")));
        assert_eq!(parameters.optional("foo"), Ok(None));
    }

    #[test]
    fn an_empty_parameter_is_absent() {
        let parameters = Parameters::parse(b"code=").unwrap();
        assert_eq!(parameters.required("code"), Err(ParameterError::Missing("code")));
    }

    #[test]
    fn a_flood_of_parameters_is_refused() {
        let flood = "a=1&".repeat(MOST_PARAMETERS + 1);
        assert!(matches!(Parameters::parse(flood.as_bytes()), Err(ParameterError::TooMany)));
    }
}
