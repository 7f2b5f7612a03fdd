//! Made-up words that stand for what people said, and the search for them in any of the forms that bytes take.

use std::{collections::BTreeSet, sync::LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};

/// How every canary begins. No word of any language, and no hexadecimal digit in it.
const MARK: &str = "qzxjvkw";

/// What must look like a number.
pub const NHS_NO: &str = "9730518264";
/// The same.
pub const UPN: &str = "Q973051826417";

/// The canary of this field: it spells the field, so that what is found says where it comes from.
pub fn word(field: &str) -> String {
    let letters: String = field.chars().filter(char::is_ascii_alphabetic).collect();
    format!("Q{}{}", &MARK[1..], letters.to_lowercase())
}

/// The canaries in these bytes: plain in any case, JSON-escaped, percent-encoded, in base64 at any place, in hexadecimal
/// digits, or as a list of numbers.
pub fn find(bytes: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in [bytes.to_vec(), unescaped(bytes, b"\\u"), unescaped(bytes, b"\\x"), unescaped(bytes, b"%")] {
        let text = String::from_utf8_lossy(&text).to_lowercase();
        for (at, _) in text.match_indices(MARK) {
            let word = text[at..].chars().take_while(char::is_ascii_alphabetic);
            found.insert(word.collect());
        }
        let numbers = [NHS_NO, UPN].map(str::to_lowercase);
        found.extend(numbers.into_iter().filter(|number| text.contains(number)));
    }
    let text = String::from_utf8_lossy(bytes);
    static ENCODED: LazyLock<Vec<String>> = LazyLock::new(encoded);
    for needle in ENCODED.iter() {
        for (at, _) in text.match_indices(needle) {
            found.insert(text[at..].chars().take(60).collect());
        }
    }
    found
}

/// With every escape written out: this prefix and the digits of a byte, or of a character of 16 bits.
fn unescaped(bytes: &[u8], prefix: &[u8]) -> Vec<u8> {
    let digits = if prefix == b"\\u" { 4 } else { 2 };
    let (mut plain, mut rest) = (Vec::with_capacity(bytes.len()), bytes);
    while let Some((first, after)) = rest.split_first() {
        let code = rest.strip_prefix(prefix).and_then(|code| code.get(..digits));
        let code = code.and_then(|code| u32::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        match code.and_then(|code| u8::try_from(code).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = &rest[prefix.len() + digits..];
            }
            None => {
                plain.push(*first);
                rest = after;
            }
        }
    }
    plain
}

/// How canaries begin in other codes. Of base64 what does not depend on its neighbours.
fn encoded() -> Vec<String> {
    let mut needles = Vec::new();
    for mark in [MARK.to_owned(), word("")] {
        for before in 0..3 {
            let bytes = [vec![0; before], mark.clone().into_bytes()].concat();
            let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
            needles.push(STANDARD.encode(&bytes)[from..to].to_owned());
        }
        let numbers: Vec<String> = mark.bytes().map(|byte| byte.to_string()).collect();
        needles.push(numbers.join(", "));
        needles.push(numbers.join(","));
        needles.push(mark.bytes().map(|byte| format!("{byte:02x}")).collect());
        needles.push(mark.bytes().map(|byte| format!("{byte:02X}")).collect());
    }
    needles
}

#[test]
fn the_canary_scan_finds_every_form() {
    let canary = word("persons.first_name");
    let percent: String = canary.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let escaped: String = canary.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let hexadecimal: String = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![canary.clone(), canary.to_uppercase(), percent, escaped, hexadecimal];
    forms.push(format!("{:?}", canary.as_bytes()));
    forms.extend(["", "x", "xy"].map(|before| STANDARD.encode(format!("{before}{canary}"))));
    forms.extend([NHS_NO, UPN].map(str::to_owned));
    for form in forms {
        assert!(!find(format!("before {form} after").as_bytes()).is_empty(), "{form}");
    }
    assert_eq!(find(canary.as_bytes()), BTreeSet::from([canary.to_lowercase()]));
    assert_eq!(
        find(b"{\"level\":\"INFO\",\"elapsed_us\":9730518263,\"message\":\"%zz \\u00 answered\"}"),
        BTreeSet::new()
    );
}
