//! How an error is explained to the developer of a client.

/// `text` in the characters that an `error_description` may have (RFC 6749 §4.1.2.1 and §5.2,
/// RFC 6750 §3): a quote becomes an apostrophe, a backslash a slash, what is not ASCII a space.
#[must_use]
pub(crate) fn error_text(text: &str) -> String {
    let spelled_out = text.replace('§', "section ");
    let character = |character| match character {
        '"' => '\'',
        '\\' => '/',
        ' '..='~' => character,
        _ => ' ',
    };
    spelled_out.chars().map(character).collect()
}

/// The beginning of what a stranger sent, to be repeated in an error: 200 characters at most.
#[must_use]
pub fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_text_has_no_character_that_its_receivers_may_choke_on() {
        assert_eq!(
            error_text("\"a\\b\"\r\n(RFC 6749 §3.1) é~"),
            "'a/b'  (RFC 6749 section 3.1)  ~"
        );
    }
}
