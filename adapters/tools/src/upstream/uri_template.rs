//! Whether a URI may come from a template (RFC 6570). When that is not sure, it may.

/// The literal parts of the template must be in the URI, in order, the first at its beginning and the
/// last at its end. What stands for an expression may be anything.
pub(super) fn may_match(template: &str, uri: &str) -> bool {
    let Some(literals) = literals(template) else { return true };
    let [first, rest @ ..] = literals.as_slice() else { return true };
    let Some(mut left) = uri.strip_prefix(first) else { return false };
    let [between @ .., last] = rest else { return left.is_empty() };
    for literal in between {
        match left.find(literal) {
            Some(at) => left = &left[at + literal.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

/// What stands outside of braces: always one more than there are expressions. `None` when the braces
/// don't match.
fn literals(template: &str) -> Option<Vec<&str>> {
    let mut literals = Vec::new();
    let mut left = template;
    while let Some((literal, expression)) = left.split_once('{') {
        literals.push(literal);
        left = expression.split_once('}')?.1;
    }
    literals.push(left);
    Some(literals)
}

#[cfg(test)]
mod tests {
    use super::may_match;

    #[test]
    fn a_uri_matches_by_the_literal_parts_of_a_template() {
        for (template, uri, expected) in [
            ("note:///{name}", "note:///a%20b", true),
            ("note:///{name}", "file:///a", false),
            ("note:///{name}/text", "note:///a/text", true),
            ("note:///{name}/text", "note:///a/body", false),
            ("note:///{a}/{b}.md", "note:///x/y.md", true),
            ("note:///fixed", "note:///fixed", true),
            ("note:///fixed", "note:///fixed/more", false),
            ("search:///{?q}", "search:///?q=1", true),
            ("{+anything}", "x:y", true),
            ("broken:///{name", "x:y", true),
        ] {
            assert_eq!(may_match(template, uri), expected, "{template} {uri}");
        }
    }
}
