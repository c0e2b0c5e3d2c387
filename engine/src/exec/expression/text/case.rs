//! Upper and lower case by simple mapping: one character for one, whatever the language.

/// Appends the text in lower case.
pub(in super::super) fn push_lower(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        out[start..].make_ascii_lowercase();
        return;
    }
    out.extend(text.chars().map(lower));
}

/// Appends the text in upper case.
pub(in super::super) fn push_upper(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        out[start..].make_ascii_uppercase();
        return;
    }
    out.extend(text.chars().map(upper));
}

/// Appends the text with the first character of each word in upper case, the others in lower case.
pub(in super::super) fn push_initcap(text: &str, out: &mut String) {
    let mut is_inside = false;
    out.extend(text.chars().map(|c| {
        let cased = if is_inside { lower(c) } else { upper(c) };
        is_inside = c.is_alphanumeric();
        cased
    }));
}

fn lower(c: char) -> char {
    // The one character whose full lower case is two: i with a dot above it.
    if c == 'İ' { 'i' } else { single(c, c.to_lowercase()) }
}

fn upper(c: char) -> char {
    match c {
        // Greek with iota below: full upper case writes the iota out, simple upper case is the
        // title-case letter.
        'ᾀ'..='ᾇ' | 'ᾐ'..='ᾗ' | 'ᾠ'..='ᾧ' => {
            char::from_u32(u32::from(c) + 8).unwrap_or(c)
        }
        'ᾳ' => 'ᾼ',
        'ῃ' => 'ῌ',
        'ῳ' => 'ῼ',
        _ => single(c, c.to_uppercase()),
    }
}

/// The mapping if it is one character, else the character itself.
fn single(c: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(mapped), None) => mapped,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initcap_begins_words_and_lowers_the_rest() {
        let mut out = String::new();
        push_initcap("hello wORLD-foo_bar 1st o'neil ÄRGER élan", &mut out);
        assert_eq!(out, "Hello World-Foo_Bar 1st O'Neil Ärger Élan");
    }

    #[test]
    fn case_maps_one_character_to_one() {
        // PostgreSQL 15 with C.UTF-8.
        for (text, upper, lower) in [
            ("straße", "STRAßE", "straße"),
            ("İstanbul", "İSTANBUL", "istanbul"),
            ("Ärger", "ÄRGER", "ärger"),
            ("ΑΣ", "ΑΣ", "ας"),
            ("ᾳᾀ", "ᾼᾈ", "ᾳᾀ"),
            ("ﬁ", "ﬁ", "ﬁ"),
        ] {
            let mut out = String::new();
            push_upper(text, &mut out);
            assert_eq!(out, upper);
            out.clear();
            push_lower(text, &mut out);
            // The final sigma is context, which simple mapping does not have.
            assert_eq!(out, lower.replace('ς', "σ"));
        }
    }
}
