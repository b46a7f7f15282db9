//! Rules of the operator about who may use what of the catalog.

use std::collections::BTreeSet;
use std::fmt;

use percent_encoding::percent_decode_str;
use url::Url;

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
        let any = |patterns: &[Pattern], text: &str| patterns.iter().any(|it| it.matches(text));
        match item {
            Item::Tool(name) => any(&self.tools, name),
            Item::Prompt(name) => any(&self.prompts, name),
            Item::Resource(_) if self.resources.is_empty() => false,
            Item::Resource(uri) => spellings(uri).iter().any(|it| any(&self.resources, it)),
        }
    }
}

/// How often a server may decode a URI.
const DECODINGS: usize = 3;

/// What a server may take for the same URI (RFC 3986 §6.2): whoever reads one resource under another
/// spelling meets the same rules. A spelling too many only demands more.
fn spellings(uri: &str) -> BTreeSet<String> {
    let mut spellings = BTreeSet::from([uri.to_owned()]);
    let mut decoded = uri.to_owned();
    for _ in 0..DECODINGS {
        add_normal(&decoded, &mut spellings);
        let next = percent_decode_str(&decoded).decode_utf8_lossy().into_owned();
        if next == decoded {
            break;
        }
        decoded = next;
        spellings.insert(decoded.clone());
    }
    spellings
}

/// The normal form: scheme and host in small letters, no `.`, `..` or empty steps in its path; and the
/// same without query and fragment.
fn add_normal(uri: &str, spellings: &mut BTreeSet<String>) {
    let Ok(mut url) = Url::parse(uri) else { return };
    spellings.insert(url.as_str().to_owned());
    if let Some(host) = url.host_str().map(str::to_ascii_lowercase) {
        // A host that can't be written in small letters stays as it is.
        let _ = url.set_host(Some(&host));
    }
    if !url.cannot_be_a_base() {
        let steps: Vec<&str> = url.path().split('/').filter(|step| !step.is_empty()).collect();
        let end = if url.path().ends_with('/') { "/" } else { "" };
        let path = format!("/{}{end}", steps.join("/"));
        url.set_path(&path);
    }
    spellings.insert(url.as_str().to_owned());
    url.set_fragment(None);
    url.set_query(None);
    spellings.insert(url.into());
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

    #[test]
    fn rs_12_another_spelling_of_a_uri_meets_the_same_rules() {
        let rules = AccessRules(vec![AccessRule {
            resources: vec![Pattern::new("file:///secret/*"), Pattern::new("note://board/plan")],
            requirement: Requirement::scope(ScopeSet::parse("admin").unwrap()),
            ..AccessRule::default()
        }]);
        let needs = |uri| rules.requirement(Item::Resource(uri), &Requirement::default());
        for uri in [
            "file:///secret/a",
            "FILE:///secret/a",
            "file://localhost/secret/a",
            "file:/secret/a",
            "file:///%73ecret/a",
            "file:///%2573ecret/a",
            "file:///secret%2Fa",
            "file:///open/../secret/a",
            "file:///open/%2e%2E/secret/a",
            "file:///open%2F..%2Fsecret/a",
            "file:////secret//a",
            "file:///./secret/a",
            "file:///open\\..\\secret\\a",
            "file:///secret/a?x#y",
            "note://board/plan#a",
            "note://BOARD/plan?",
        ] {
            assert!(!needs(uri).scope.is_empty(), "{uri}");
        }
        for uri in ["file:///open/a", "file:///open/secret/a", "note://board/other", "no uri"] {
            assert!(needs(uri).scope.is_empty(), "{uri}");
        }
    }
}
