//! Valid numbers of every kind, in every way that a line of a log may hold them, are gone; without a word
//! that says what they are, those that need one stay.

use super::*;

/// Numbers that another library holds for valid, by the name of their check.
fn numbers() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let lines = include_str!("../check/tests/numbers.txt").lines();
    lines.filter(|line| !line.starts_with('#')).map(|line| {
        let mut words = line.split(' ');
        (words.next().unwrap(), words.collect())
    })
}

/// A value in the grouping of a shape, if it can be: `0` and capitals stand for its bytes, in order.
fn grouped(shape: &str, value: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = shape.chars().peekable();
    while let Some(kind) = rest.next() {
        if kind == '{' {
            let count: String = rest.by_ref().take_while(|c| *c != '}').collect();
            let last = plain.pop()?;
            plain.extend(std::iter::repeat_n(last, count.parse().ok()?));
        } else if kind == '\\' {
            plain.push(if rest.next()?.is_ascii_digit() { '0' } else { 'A' });
        } else {
            plain.push(if kind == '_' { '-' } else { kind });
        }
    }
    let mut bytes = value.chars();
    let mut out = String::new();
    for kind in plain.chars() {
        let byte = match kind {
            '0' => bytes.next().filter(char::is_ascii_digit)?,
            'A' => bytes.next().filter(char::is_ascii_uppercase)?,
            'X' | 'W' => bytes.next()?,
            other => other,
        };
        out.push(byte);
    }
    bytes.next().is_none().then_some(out)
}

/// Lines with a value after a word that says what it is, or in a field of such a name.
fn lines(word: &str, value: &str) -> Vec<String> {
    let name = word.replace(' ', "_");
    let mut lines = vec![
        format!("2026-11-26 INFO {name}={value} ok"),
        format!("user {word}: {value}, next"),
        format!("({word}: {value})"),
        format!("{{\"{name}\":\"{value}\"}}"),
        format!("{{\"a\":[{{\"{name}\":\"{value}\"}}]}}"),
        format!("{{\"m\":\"{{\\\"{name}\\\":\\\"{value}\\\"}}\"}}"),
    ];
    if name.is_ascii() {
        lines.push(format!("GET /x?{name}={}&y=1 HTTP/1.1", value.replace(' ', "+")));
    }
    if value.bytes().all(|byte| byte.is_ascii_digit()) && !value.starts_with('0') {
        lines.push(format!("{{\"{name}\":{value}}}"));
    }
    lines
}

#[test]
fn numbers_of_every_kind_are_gone_after_their_name() {
    let mut left = Vec::new();
    for (check, numbers) in numbers() {
        let rules = Rules::builtin().iter().filter(|rule| rule.check.as_deref() == Some(check));
        for rule in rules.filter(|rule| !rule.context.is_empty()) {
            let mut redactor = only(&rule.name);
            for number in numbers.iter().take(8) {
                let shapes = rule.shapes.iter().filter_map(|shape| grouped(&shape.shape, number));
                for value in shapes {
                    for line in rule.context.iter().flat_map(|word| lines(word, &value)) {
                        let clean = redactor.clean(&line);
                        if clean.contains(&value) || *clean == *line {
                            left.push(format!("{}: {line} → {clean}", rule.name));
                        }
                    }
                }
            }
        }
    }
    let shown = left.iter().take(60).map(String::as_str).collect::<Vec<_>>();
    assert!(left.is_empty(), "{} of\n{}", left.len(), shown.join("\n"));
}

#[test]
fn numbers_that_need_their_name_stay_without_it() {
    let mut standard = standard();
    let mut taken = Vec::new();
    for (check, numbers) in numbers() {
        let rules = Rules::builtin().iter().filter(|rule| rule.check.as_deref() == Some(check));
        for rule in rules.filter(|rule| rule.shapes.iter().all(|shape| shape.needs_context)) {
            for number in &numbers {
                let line = format!("order {number} shipped");
                let clean = standard.clean(&line);
                if *clean != *line {
                    taken.push(format!("{}: {line} → {clean}", rule.name));
                }
            }
        }
    }
    // Thirteen digits from 4 on may be a card by chance.
    assert!(
        taken.len() <= 4 && taken.iter().all(|line| line.contains("[CREDIT_CARD]")),
        "{} of\n{}",
        taken.len(),
        taken.join("\n")
    );
}
