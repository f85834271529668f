//! What is told of what was found, and that nothing is where redaction is off.

use std::sync::Arc;

use super::{parsed, redact_json, standard};
use crate::Arena;
use crate::redact::*;

#[test]
fn explanations_tell_where_and_never_what() {
    let mut redactor = standard();
    let text = "mail bob@example.com password=hunter2";
    let place =
        |rule: &str, range, why| Match { rule: rule.into(), place: Place::Bytes(range), why };
    assert_eq!(
        redactor.explain(text),
        [place("email", 5..20, Why::Form), place("password", 30..37, Why::NameBefore)]
    );
    assert!(redactor.matches().iter().all(|count| *count == 0));

    let raw = r#"{"m":"bob@example.com","o":{"password":"x"}}"#;
    let arena = Arena::new();
    let mut record = parsed(raw);
    let (_, found) =
        redactor.redact_explained(raw, &mut record, &arena, &mut BlockState::default());
    let field = |rule: &str, path: &str, why| Match {
        rule: rule.into(),
        place: Place::Field(path.into()),
        why,
    };
    let expected =
        [field("email", "m", Why::Form), field("password", "o.password", Why::FieldName)];
    assert_eq!(found, expected);
    let rules = redactor.rules();
    assert_eq!((rules.token("email"), rules.action("email")), (Some("EMAIL"), Some(Action::Mask)));
    assert_eq!((rules.token("ipv4"), rules.action("ipv4")), (None, None));
}

#[test]
fn what_is_off_does_nothing() {
    let raw = r#"{"a":"bob@example.com"}"#;
    let mut off = Redactor::new(Arc::new(Rules::off()));
    assert_eq!(redact_json(&mut off, raw), raw);
    assert_eq!(&*off.clean("bob@example.com"), "bob@example.com");
}
