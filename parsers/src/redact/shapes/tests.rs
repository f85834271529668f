//! Shapes: what tells them, what is left, and that the raw record gives away whatever a value of it does.

use super::super::rule_file::{RuleFile, read};
use super::super::tests::redact_json;
use super::super::{BlockState, Redactor, Rules};
use super::*;
use crate::Arena;
use crate::record::{Key, Known, Record, Text, Value};
use proptest::prelude::*;

/// Rules that share shapes: a number by its checksum, one by its name, one by its letters.
const FILES: [&str; 6] = [
    "
name: sin
token: SIN
doc: Nine digits.
default: true
check: luhn
context: [sin, social insurance]
shapes: ['000-000-000', { shape: '000~000~000', needs_context: true }]
",
    "
name: tax
token: TAX
doc: Eleven digits.
default: true
context: [tax id, tax]
shapes: [{ shape: '00000000000', needs_context: true }]
",
    "
name: person
token: PERSON
doc: Eleven digits, too.
default: true
context: [pesel]
shapes: [{ shape: '00000000000', needs_context: true }]
",
    "
name: pass
token: PASSPORT
doc: Known by its name alone.
default: true
context: [passport]
any_case: true
shapes: [{ shape: 'A00A00A00', needs_context: true }, { shape: 'A0{7,8}', needs_context: true }]
",
    "
name: code
token: CODE
doc: Known by its letters.
default: true
shapes: ['AAAAAA00A00A000A', 'AA_00_00_00_A', 'A0000000A', '00000000A']
",
    "
name: coin
token: COIN
doc: A long word.
default: true
shapes: ['\\0xH{40}', 'bc\\1L{20,60}']
",
];

pub(in super::super) fn redactor() -> Redactor {
    let files: Vec<RuleFile> = FILES.iter().map(|file| read(file).unwrap()).collect();
    Redactor::new(std::sync::Arc::new(Rules::of(files.iter())))
}

/// What is left of a text, which the sweep over the raw record lets nobody miss.
#[track_caller]
fn check(text: &str, expect: &str) {
    assert_eq!(&*redactor().clean(text), expect, "{text}");
    let (arena, mut record) = (Arena::new(), Record::default());
    record.message = Some(Text::raw(text));
    let mut redactor = redactor();
    let redacted = redactor.redact(text, &mut record, &arena, &mut BlockState::default()).unwrap();
    assert_eq!(redacted.message().unwrap().as_stored(), expect, "as a record: {text}");
    assert_eq!(&*redactor.clean(expect), expect, "again");
}

#[test]
fn a_checksum_or_a_word_tells() {
    check("from 046-454-286 to", "from [SIN] to");
    check("from 046-454-287 to", "from 046-454-287 to");
    check("from 046454286 to", "from 046454286 to");
    check("SIN 046454286 to", "SIN [SIN] to");
    check("Social Insurance: 046 454 286.", "Social Insurance: [SIN].");
    check("sin=046+454+286&x", "sin=[SIN]&x");
    check("sin=046%20454%20286&x", "sin=[SIN]&x");
    check("SIN 046-454 286", "SIN 046-454 286");
    check("customer_sin_number: 046454286", "customer_sin_number: [SIN]");
    check("customerSin 046454286", "customerSin [SIN]");
    check("\u{1b}[36msin=\u{1b}[0m046454286", "\u{1b}[36msin=\u{1b}[0m[SIN]");
    check(r"a\nsin: 046454286", r"a\nsin: [SIN]");
    check("cousin 046454286", "cousin 046454286");
}

#[test]
fn what_is_part_of_something_longer_is_left() {
    for text in [
        "x1046-454-286",
        "046-454-2861",
        "1.046-454-286",
        "sin 12046454286",
        "sin 046454286.5",
        "sin v046454286",
        "tax 550e8400-12345678901-a716",
        "sin 046454286_1",
    ] {
        check(text, text);
    }
}

#[test]
fn the_nearest_word_has_what_several_rules_could_have() {
    check("tax id 12345678901", "tax id [TAX]");
    check("pesel 12345678901", "pesel [PERSON]");
    check("tax, pesel: 12345678901", "tax, pesel: [PERSON]");
    check("pesel, taxId: 12345678901", "pesel, taxId: [TAX]");
    check("pesel 12345678901 tax 12345678901", "pesel [PERSON] tax [TAX]");
    let far = format!("tax{}12345678901", " of somebody".repeat(5));
    check(&far, &far);
    let blanks = format!("tax{}12345678901", " ".repeat(200));
    check(&blanks, &blanks.replace("12345678901", "[TAX]"));
}

#[test]
fn letters_are_anchors_too() {
    check("cf RSSMRA85T10A562S.", "cf [CODE].");
    check("(QQ 12 34 56 C)", "([CODE])");
    check("(QQ+12+34+56+C)", "([CODE])");
    check("QQ 12-34 56 C", "QQ 12-34 56 C");
    check("nie X1234567L, 11234567L", "nie [CODE], [CODE]");
    check("x RSSMRA85T10A562S1", "x RSSMRA85T10A562S1");
    check("to 0x52908400098527886E0F7030069857D2E4169EE7 ok", "to [COIN] ok");
    check(
        "to 0x52908400098527886E0F7030069857D2E4169EE71",
        "to 0x52908400098527886E0F7030069857D2E4169EE71",
    );
    check("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "[COIN]");
}

#[test]
fn a_name_gives_away_what_nothing_else_does() {
    check("passport: C01X00T47 ok", "passport: [PASSPORT] ok");
    check("passport_no=c01x00t47", "passport_no=[PASSPORT]");
    check(r#"{"passport":"C01X00T47"}"#, r#"{"passport":"[PASSPORT]"}"#);
    check("passport no. C12345678", "passport no. [PASSPORT]");
    check("C01X00T47 C12345678", "C01X00T47 C12345678");
}

#[test]
fn the_name_of_a_field_is_context_wherever_its_value_stands() {
    let json = |raw: &str, expect: &str| {
        assert_eq!(redact_json(&mut redactor(), raw), expect, "{raw}");
    };
    json(r#"{"pesel":12345678901}"#, r#"{"pesel":"[PERSON]"}"#);
    json(r#"{"id":12345678901}"#, r#"{"id":12345678901}"#);
    json(r#"{"customerPeselNumber":"12345678901"}"#, r#"{"customerPeselNumber":"[PERSON]"}"#);
    json(
        r#"{"pesel":["x","the numbers that are meant are far behind the name","12345678901",12345678901]}"#,
        r#"{"pesel":["x","the numbers that are meant are far behind the name","[PERSON]","[PERSON]"]}"#,
    );
    json(r#"{"o":{"passport":["C01X00T47"]}}"#, r#"{"o":{"passport":["[PASSPORT]"]}}"#);
    json(r#"{"pesel":{"value":"12345678901"}}"#, r#"{"pesel":{"value":"[PERSON]"}}"#);
    json(r#"{"pesel":{"sum":"12345678901"}}"#, r#"{"pesel":{"sum":"12345678901"}}"#);
    json(r#"{"pesel":{"sum":"12345678901"}}"#, r#"{"pesel":{"sum":"12345678901"}}"#);
    json(
        r#"{"passport":"C01X00T47","x":"C01X00T47"}"#,
        r#"{"passport":"[PASSPORT]","x":"C01X00T47"}"#,
    );
}

#[test]
fn a_layout_may_give_a_name_that_the_line_does_not_have() {
    let raw = "12345678901 C01X00T47 17";
    let (arena, mut record) = (Arena::new(), Record::default());
    record.push(Key::Text(Text::vetted("pesel")), Value::Text(Text::raw(&raw[..11])));
    record.push(Key::Text(Text::built("passport")), Value::Text(Text::raw(&raw[12..21])));
    record.push(Key::Text(Text::vetted("tax_id")), Value::Int(12_345_678_901));
    record.push(Key::Text(Text::vetted("tax")), Value::Json("[12345678901]"));
    record.push(Key::Known(Known::User), Value::Text(Text::raw(&raw[..11])));
    let mut redactor = redactor();
    let redacted = redactor.redact(raw, &mut record, &arena, &mut BlockState::default());
    let shown = super::super::tests::shown(redacted).to_string();
    assert_eq!(
        shown,
        r#"{"pesel":"[PERSON]","passport":"[PASSPORT]","tax_id":"[TAX]","tax":["[TAX]"],"user":"12345678901"}"#
    );
}

#[test]
fn shapes_that_cannot_be_read_or_found_are_refused() {
    let add = |shape: &str, needs_context: bool, context: &[String]| {
        let shapes = [ShapeFile { shape: shape.into(), needs_context }];
        let rule = ShapeRule { shapes: &shapes, context, check: None, any_case: false, rule: 0 };
        Shapes::default().add(&rule)
    };
    let words = ["tax".to_owned()];
    for shape in ["", "B12", "0{", "{3}", "0{9,3}", "0{21}", "W{200}", "00{x}", "\\"] {
        assert_eq!(add(shape, true, &words), Err(ShapeError::Syntax(shape.into())), "{shape}");
    }
    assert_eq!(add("00-00", false, &words), Err(ShapeError::NoAnchor("00-00".into())));
    assert_eq!(add("00000000", true, &[]), Err(ShapeError::NoContext("00000000".into())));
    assert_eq!(add("00-00", true, &words), Ok(Some(0)));
}

/// Pieces of texts in which shapes are found, or nearly.
const PIECES: [&str; 36] = [
    "046454286",
    "046-454-286",
    "046 454 286",
    "12345678901",
    "RSSMRA85T10A562S",
    "QQ 12 34 56 C",
    "X1234567L",
    "11234567L",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "C01X00T47",
    "C12345678",
    "sin",
    "tax",
    "taxId",
    "tax id",
    "pesel",
    "passport",
    "social insurance",
    "customer_pesel_number",
    " ",
    ": ",
    "=",
    "\"",
    "\":\"",
    "\":",
    ",",
    "[",
    "{",
    "-",
    ".",
    "_",
    "\n",
    "\\n",
    "\u{1b}[0m",
    "1",
    "x",
];

/// Whether a place lies within a word: parsers take care of what they cut from there.
fn within_word(text: &str, at: usize) -> bool {
    let word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = text.as_bytes();
    word(bytes.get(at)) && word(at.checked_sub(1).and_then(|at| bytes.get(at)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn the_raw_record_gives_away_whatever_a_value_of_it_does(
        picks in proptest::collection::vec(0..PIECES.len(), 1..14),
        from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>(),
        name in proptest::option::of(11..19_usize),
    ) {
        let raw: String = picks.iter().map(|pick| PIECES[*pick]).collect();
        let cuts: Vec<usize> = (0..=raw.len())
            .filter(|&at| raw.is_char_boundary(at) && !within_word(&raw, at))
            .collect();
        let (one, other) = (*from.get(&cuts), *to.get(&cuts));
        let value = &raw[one.min(other)..one.max(other)];
        let mut redactor = redactor();
        let alone = redactor.clean_field(name.map_or("x", |name| PIECES[name]), value).1;
        let (arena, mut record) = (Arena::new(), Record::default());
        let key = name.map_or("x", |name| PIECES[name]);
        record.push(Key::Text(Text::vetted(key)), Value::Text(Text::raw(value)));
        let redacted = redactor.redact(&raw, &mut record, &arena, &mut BlockState::default());
        let redacted = redacted.unwrap();
        let Value::Text(left) = redacted.fields()[0].value else { panic!("a text") };
        prop_assert_eq!(left.as_stored(), &*alone, "of {:?}", raw);
    }

    #[test]
    fn a_member_goes_by_its_name_wherever_it_stands(
        name in 11..19_usize, blanks in 0..200_usize, list in any::<bool>(), pick in 0..11_usize,
    ) {
        let value = PIECES[pick];
        let blanks = " ".repeat(blanks);
        let value = if list {
            format!("[\"first\",\"{}\",\"{value}\"]", "x y ".repeat(blanks.len() / 4))
        } else {
            format!("\"{value}\"")
        };
        let key = PIECES[name];
        let alone = {
            let (arena, mut record) = (Arena::new(), Record::default());
            let json = arena.alloc_str(&format!("{{\"{key}\":{value}}}"));
            record.push(Key::Text(Text::vetted("o")), Value::Json(json));
            record.decoded = true;
            let mut redactor = redactor();
            let redacted = redactor.redact(json, &mut record, &arena, &mut BlockState::default());
            super::super::tests::shown(redacted)["o"].to_string()
        };
        let raw = format!("{{\"o\":{{\"{key}\":{blanks}{value}}}}}");
        let nested = raw.get(5..raw.len() - 1).unwrap();
        let (arena, mut record) = (Arena::new(), Record::default());
        record.push(Key::Text(Text::raw(&raw[2..3])), Value::Json(nested));
        let mut redactor = redactor();
        let redacted = redactor.redact(&raw, &mut record, &arena, &mut BlockState::default());
        prop_assert_eq!(super::super::tests::shown(redacted)["o"].to_string(), alone, "{}", raw);
    }
}
