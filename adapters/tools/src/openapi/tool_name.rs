//! The names of tools and arguments: made from what the document calls things, and the same whatever
//! the order of the document and whatever is left out of it.

use std::collections::HashMap;

use mcp_oauth_core::domain::secret::sha256;
use mcp_oauth_core::domain::tool::{LONGEST_TOOL_NAME, is_tool_name};

/// The longest name of an argument: what the interfaces of models take.
const LONGEST_ARGUMENT: usize = 64;

/// What a tool is named after.
pub(super) struct NameSource<'a> {
    /// The `operationId`.
    pub(super) operation_id: Option<&'a str>,
    /// In capitals.
    pub(super) method: &'a str,
    /// With expressions in braces.
    pub(super) path: &'a str,
}

/// A name for each, in their order. Those that would have the same name all get a mark of their
/// method and path at its end.
pub(super) fn tool_names(sources: &[NameSource<'_>], prefix: &str) -> Vec<String> {
    let plain: Vec<String> = sources.iter().map(|source| plain(source, prefix)).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    for name in &plain {
        *times.entry(name).or_default() += 1;
    }
    let unique = |(name, source): (&String, &NameSource<'_>)| match times.get(name.as_str()) {
        Some(1) if name.len() <= LONGEST_TOOL_NAME => name.clone(),
        _ => marked(name, &format!("{} {}", source.method, source.path), LONGEST_TOOL_NAME),
    };
    plain.iter().zip(sources).map(unique).collect()
}

fn plain(source: &NameSource<'_>, prefix: &str) -> String {
    let own = source.operation_id.map(sanitised).filter(|name| !name.is_empty());
    let own = own.unwrap_or_else(|| sanitised(&format!("{}_{}", source.method, source.path)));
    format!("{prefix}{own}")
}

/// A parameter as an argument: `filter[name]` is `filter_name`.
pub(super) fn argument_name(parameter: &str) -> String {
    match sanitised(parameter) {
        name if name.is_empty() => marked("argument", parameter, LONGEST_ARGUMENT),
        name if name.len() > LONGEST_ARGUMENT => marked(&name, parameter, LONGEST_ARGUMENT),
        name => name,
    }
}

/// Whether a text can stand before the name of a tool.
pub(super) fn is_prefix(text: &str) -> bool {
    text.is_empty() || (text.len() <= LONGEST_TOOL_NAME / 2 && is_tool_name(text))
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.')
}

/// Each run of other characters as one `_`, none at the ends.
fn sanitised(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            it if is_allowed(it) && it != '_' => name.push(it),
            _ if name.ends_with('_') || name.is_empty() => {}
            _ => name.push('_'),
        }
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

/// The name with eight digits that follow from `of`, no longer than `longest`.
fn marked(name: &str, of: &str, longest: usize) -> String {
    let digest = sha256(&[of.as_bytes()]);
    let mark: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
    let kept: String = name.chars().take(longest - mark.len() - 1).collect();
    format!("{}_{mark}", kept.trim_end_matches('_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source<'a>(operation_id: &'a str, method: &'a str, path: &'a str) -> NameSource<'a> {
        let operation_id = Some(operation_id).filter(|id| !id.is_empty());
        NameSource { operation_id, method, path }
    }

    #[test]
    fn a_tool_is_named_after_its_operation_or_its_method_and_path() {
        let sources = [
            source("repos/get-content", "GET", "/a"),
            source("", "GET", "/pets/{petId}/photo.{format}"),
            source("日本", "POST", "/日本"),
        ];
        let names = tool_names(&sources, "x_");
        assert_eq!(names, ["x_repos_get-content", "x_GET_pets_petId_photo._format", "x_POST"]);
    }

    #[test]
    fn names_that_clash_are_told_apart_in_the_same_way_whatever_the_order() {
        let (one, two) = (source("a b", "GET", "/1"), source("a/b", "GET", "/2"));
        let names = tool_names(&[one, two], "");
        let (one, two) = (source("a b", "GET", "/1"), source("a/b", "GET", "/2"));
        let turned = tool_names(&[two, one], "");
        assert_ne!(names[0], names[1]);
        assert_eq!([&names[0], &names[1]], [&turned[1], &turned[0]]);
        assert!(names[0].starts_with("a_b_"), "{}", names[0]);
    }

    #[test]
    fn a_long_name_is_cut_and_stays_unique() {
        let id = "x".repeat(300);
        let names = tool_names(&[source(&id, "GET", "/1")], "p_");
        assert_eq!(names[0].len(), LONGEST_TOOL_NAME);
        assert_eq!(argument_name(&id).len(), LONGEST_ARGUMENT);
        assert_eq!(argument_name("filter[name]"), "filter_name");
        assert_eq!(argument_name("$top"), "top");
        assert!(argument_name("日本").starts_with("argument_"));
    }
}
