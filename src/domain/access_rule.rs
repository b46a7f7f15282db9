//! Rules of the operator about who may use what of the catalog.

use std::fmt;

use super::requirement::Requirement;

/// Something of the catalog that a caller may use or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// The tool of that name.
    Tool(&'a str),
    /// The prompt of that name.
    Prompt(&'a str),
    /// The resource of that URI, or the template spelled so.
    Resource(&'a str),
}

/// A text in which `*` stands for any number of characters, none included, and `?` for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

/// What the operator demands of whoever uses any of these, beside what they demand themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessRule {
    /// Tools by their names.
    pub tools: Vec<Pattern>,
    /// Prompts by their names.
    pub prompts: Vec<Pattern>,
    /// Resources by their URIs.
    pub resources: Vec<Pattern>,
    /// What it takes.
    pub requirement: Requirement,
}

/// Every rule. All that match must be met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessRules(pub Vec<AccessRule>);

impl Pattern {
    /// The pattern.
    #[must_use]
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// Whether the whole of a text is as the pattern says.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text): (Vec<char>, Vec<char>) =
            (self.0.chars().collect(), text.chars().collect());
        let mut pieces: Vec<&[char]> = pattern.split(|&character| character == '*').collect();
        let (Some(last), first) = (pieces.pop(), pieces.first()) else { return text.is_empty() };
        let Some(first) = first else { return fits(last, &text) };
        let (middle, room) = (&pieces[1..], text.len().checked_sub(first.len() + last.len()));
        if room.is_none() || !fits(first, &text[..first.len()]) {
            return false;
        }
        let (mut rest, end) = text[first.len()..].split_at(text.len() - first.len() - last.len());
        // Taking each piece where it first fits leaves the most for those after it.
        for piece in middle.iter().filter(|piece| !piece.is_empty()) {
            let at = rest.windows(piece.len()).position(|here| fits(piece, here));
            let Some(at) = at else { return false };
            rest = &rest[at + piece.len()..];
        }
        fits(last, end)
    }
}

/// Whether a text is as a piece without stars says.
fn fits(piece: &[char], text: &[char]) -> bool {
    let same = |(wanted, here): (&char, &char)| *wanted == '?' || wanted == here;
    piece.len() == text.len() && piece.iter().zip(text).all(same)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AccessRules {
    /// What it takes to use an item whose own requirement is `own`.
    #[must_use]
    pub fn requirement(&self, item: Item<'_>, own: &Requirement) -> Requirement {
        let about = self.0.iter().filter(|rule| rule.is_about(item));
        about.fold(own.clone(), |requirement, rule| requirement.and(&rule.requirement))
    }
}

impl AccessRule {
    fn is_about(&self, item: Item<'_>) -> bool {
        let (patterns, text) = match item {
            Item::Tool(name) => (&self.tools, name),
            Item::Prompt(name) => (&self.prompts, name),
            Item::Resource(uri) => (&self.resources, uri),
        };
        patterns.iter().any(|pattern| pattern.matches(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scope::ScopeSet;

    #[test]
    fn a_star_stands_for_any_text_and_a_question_mark_for_one_character() {
        for (pattern, text) in [
            ("hello", "hello"),
            ("*", ""),
            ("*", "anything"),
            ("files_*", "files_read"),
            ("*_delete_*", "pets_delete_all"),
            ("a*b*c", "aXbYbZc"),
            ("gr?ß", "groß"),
            ("file:///*/secret", "file:///a/b/secret"),
        ] {
            assert!(Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("hello", "hello2"),
            ("", "a"),
            ("files_*", "file_"),
            ("a*b", "abc"),
            ("?", ""),
            ("A", "a"),
        ] {
            assert!(!Pattern::new(pattern).matches(text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_ends_soon() {
        let pattern = Pattern::new("*a".repeat(40));
        assert!(!pattern.matches(&"a".repeat(39)));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(5_000))));
    }

    #[test]
    fn rs_12_every_rule_about_an_item_adds_to_its_own_requirement() {
        let scope = |text: &str| Requirement::scope(ScopeSet::parse(text).unwrap());
        let rule = |tools: &str, needs: &str| AccessRule {
            tools: vec![Pattern::new(tools)],
            requirement: scope(needs),
            ..AccessRule::default()
        };
        let rules = AccessRules(vec![rule("pets_*", "pets"), rule("*_delete", "admin")]);
        let of = |item| rules.requirement(item, &scope("own")).scope.to_string();
        assert_eq!(of(Item::Tool("pets_delete")), "admin own pets");
        assert_eq!(of(Item::Tool("pets_list")), "own pets");
        assert_eq!(of(Item::Tool("hello")), "own");
        assert_eq!(of(Item::Prompt("pets_delete")), "own");
    }
}
