//! What a configuration adds is found wherever it may stand: names of several words, odd names, allowed names
//! behind others, shapes with any end, long words.

use std::sync::Arc;

use super::super::{Action, Allow, CustomRule, Redactor, RuleSelection, Rules};

fn check(selection: RuleSelection, text: &str, expect: &str) {
    let mut redactor = Redactor::new(Arc::new(Rules::build(selection).unwrap()));
    // A name that is remembered says the same.
    for _ in 0..2 {
        assert_eq!(&*redactor.clean(text), expect, "{text}");
    }
}

fn fields(names: &[&str]) -> RuleSelection {
    let fields = names.iter().map(|&name| (name.to_owned(), Action::Mask)).collect();
    RuleSelection { fields, ..RuleSelection::standard() }
}

fn shapes(shape: &str, context: &[String]) -> RuleSelection {
    let rule = CustomRule {
        name: "mine".into(),
        shapes: vec![shape.to_owned()],
        context: context.to_vec(),
        ..CustomRule::default()
    };
    RuleSelection { custom: vec![rule], ..RuleSelection::default() }
}

#[test]
fn fields_of_several_words() {
    let selection = || fields(&["full name", "foo bar", "user.full name"]);
    check(selection(), "full name: Ada", "full name: [FULL_NAME]");
    check(selection(), "the foo bar=zzz9", "the foo bar=[FOO_BAR]");
    check(selection(), "a bar=zzz9", "a bar=zzz9");
}

#[test]
fn keys_without_letters() {
    let line = "the password 12 = Gh7kPq92LmXz81Tr";
    check(fields(&["4711"]), line, "the password 12 = [PASSWORD]");
}

#[test]
fn an_allowed_name_is_not_allowed_behind_other_words() {
    let allow = Allow { keys: vec!["password".into()], ..Allow::default() };
    let selection = || RuleSelection { allow: allow.clone(), ..RuleSelection::standard() };
    let line = "password=Gh7kPq92LmXz81Tr";
    check(selection(), line, line);
    check(selection(), &format!("login {line}"), "login password=[PASSWORD]");
}

#[test]
fn shapes_of_words_that_end_in_no_letter() {
    let key = "abcdefghij0123456789ABCDEFGHIJ0123456789abc=";
    check(shapes("W{43}=", &[]), &format!("here {key} end"), "here [MINE] end");
    check(shapes("\\L\\I\\C-W{16}-", &[]), "here LIC-abcdefghij012345- end", "here [MINE] end");
}

#[test]
fn words_longer_than_the_reach() {
    for word in ["\u{e01}".repeat(33), "\u{e01}".repeat(40), "a".repeat(100)] {
        let words = [word.clone()];
        let line = format!("{word} QQ1234567");
        check(shapes("\\Q\\Q0{7}", &words), &line, &format!("{word} [MINE]"));
    }
}
