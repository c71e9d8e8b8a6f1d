//! What somebody else wrote, made fit for a line of ours.

/// Longest text that is repeated, in characters.
const MAX_SHOWN: usize = 80;

/// What a reason repeats of a value, on one line and not too long.
pub(crate) fn repeated(text: &str) -> String {
    cut(escaped(text))
}

/// `text` on one line.
pub(crate) fn escaped(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() }).collect()
}

/// No more of `text` than fits.
pub(crate) fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
