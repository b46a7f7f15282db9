//! What a client calls itself, fit to be shown.

/// The longest client name shown, in characters.
pub const LONGEST_CLIENT_NAME: usize = 100;

/// A name without characters that can't be seen or that change how the text around it is shown, cut
/// to a decent length; `None` when nothing is left.
#[must_use]
pub fn presentable(name: &str) -> Option<String> {
    let shown = |character: &char| !character.is_control() && !is_invisible(*character);
    let name: String = name.chars().filter(shown).take(LONGEST_CLIENT_NAME).collect();
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// Formatting characters and blanks that look like nothing (Unicode `Default_Ignorable_Code_Point`,
/// line separators, and the bidirectional controls of UAX #9 §2).
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn az_31_a_name_is_what_can_be_seen_of_it() {
        assert_eq!(presentable(" a\u{202E}b\u{200B}c\n").as_deref(), Some("abc"));
        assert_eq!(presentable("\u{3164}\u{FEFF} "), None);
        assert_eq!(presentable(&"x".repeat(500)).map(|name| name.len()), Some(LONGEST_CLIENT_NAME));
    }
}
