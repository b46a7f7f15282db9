//! How commands say things: as JSON for programs, or as text for people.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use serde_json::ser::PrettyFormatter;

/// How a command answers.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Format {
    /// Answer in JSON; moments are in RFC 3339
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints one JSON document over several lines.
pub(super) fn print_json(document: &impl Serialize) -> io::Result<()> {
    let mut text = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"  ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    document.serialize(&mut serializer)?;
    print_json_text(&text)
}

/// Prints one JSON document on one line.
pub(super) fn print_json_line(document: &impl Serialize) -> io::Result<()> {
    print_json_text(&serde_json::to_vec(document)?)
}

fn print_json_text(text: &[u8]) -> io::Result<()> {
    let text = String::from_utf8_lossy(text);
    // JSON may have these as they are, but a terminal may obey them.
    let safe = text.chars().map(|character| match character {
        '\n' => character.to_string(),
        _ if is_harmless(character) => character.to_string(),
        _ => character
            .encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect(),
    });
    print_line(&safe.collect::<String>())
}

/// Prints a line, or several.
pub(super) fn print_line(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// A text as a terminal may show it: what could not be seen, or would move the cursor, change
/// colours or turn the reading direction, is spelled out.
pub(super) fn visible(text: &str) -> String {
    let spell = |character: char| match is_harmless(character) {
        true => character.to_string(),
        false => character.escape_unicode().to_string(),
    };
    text.chars().map(spell).collect()
}

/// Rust spells out whatever can't be printed when it debugs a text; quotes and backslashes for
/// another reason. An accent can be printed after a letter.
fn is_harmless(character: char) -> bool {
    matches!(character, '"' | '\'' | '\\') || format!("a{character}").escape_debug().count() == 2
}

/// Columns as wide as their widest cell.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|heading| heading.to_uppercase()).collect()] }
    }

    pub(super) fn row(&mut self, cells: &[&str]) {
        self.rows.push(cells.iter().map(|cell| visible(cell)).collect());
    }

    pub(super) fn print(&self) -> io::Result<()> {
        print_line(&lines(&self.rows).join("\n"))
    }
}

/// Prints names and what they stand for, indented.
pub(super) fn print_pairs(pairs: &[(&str, String)]) -> io::Result<()> {
    let rows: Vec<_> =
        pairs.iter().map(|(name, value)| vec![format!("  {name}"), visible(value)]).collect();
    print_line(&lines(&rows).join("\n"))
}

fn lines(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// What is not there.
pub(super) const NONE: &str = "-";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn az_31_what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(
            visible("a\u{1b}[2J\u{9b}31m\u{202E}b\n\u{200B}"),
            "a\\u{1b}[2J\\u{9b}31m\\u{202e}b\\u{a}\\u{200b}"
        );
        assert_eq!(visible("Café \"x\" 'y' \\ 日本"), "Café \"x\" 'y' \\ 日本");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["id", "name"]);
        table.row(&["long-identifier", "é"]);
        table.row(&["x", ""]);
        let expected = ["ID               NAME", "long-identifier  é", "x"];
        assert_eq!(lines(&table.rows), expected);
    }
}
