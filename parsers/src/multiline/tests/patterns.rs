//! Joiners by patterns.

use super::*;

#[test]
fn a_start_pattern_begins_records() {
    let joiner = start(r"^\d{4}-").expect("a pattern");
    check_joiner(&joiner, "|2026-11-22 a\n.b\n.\n.  c\n|2026-11-23 d", "start");
}

#[test]
fn patterns_continue_and_end_records() {
    let joiner = |patterns: &[(Part, &str)]| {
        Joiner::of_patterns(
            patterns
                .iter()
                .map(|(part, pattern)| LinePattern::new(*part, pattern).expect("a pattern")),
        )
    };
    let goes_on = joiner(&[(Part::Continue, r"^(\s|and )")]);
    check_joiner(&goes_on, "|a\n. b\n.and c\n|d\n|\n. e\n|f", "continue");
    let end = joiner(&[(Part::End, ";$")]);
    check_joiner(&end, "|SELECT *\n.FROM a\n.\n.WHERE b;\n|COMMIT;\n|BEGIN\n.;", "end");
    let both = joiner(&[(Part::Start, "^BEGIN"), (Part::End, "^END")]);
    check_joiner(&both, "|a\n|b\n|BEGIN\n.x\n.END\n|c\n|BEGIN\n|BEGIN\n.y", "start and end");
    let run = joiner(&[(Part::Start, ":$"), (Part::Continue, "^- ")]);
    check_joiner(&run, "|- a\n|list:\n.- a\n.- b\n|c\n|- d", "start and continue");
    assert!(joiner(&[]).is_none());
    assert_eq!(format!("{both:?}"), r#"Joiner(start "^BEGIN", end "^END")"#);
}

/// A line that stands ahead of a record's first one begins the record, and no other does.
#[test]
fn a_record_may_begin_with_what_stands_ahead_of_its_start() {
    let pattern = |pattern| LinePattern::new(Part::Start, pattern).unwrap();
    let joiner = Joiner::of_starts(pattern("^# User"), Some(pattern("^# Time")));
    let mut state = JoinState::default();
    for (line, joined) in [
        ("# User a", false),
        ("select 1", true),
        ("# Time 1", false),
        ("# User a", true),
        ("select 1", true),
        ("# User b", false),
        ("# Time 2", false),
        ("# Time 3", false),
        ("# what else", true),
        ("# User c", false),
    ] {
        assert_eq!(joiner.joins(&mut state, line.as_bytes()), joined, "{line}");
    }
}

#[test]
fn patterns_that_cannot_be_are_refused() {
    let error = LinePattern::new(Part::Continue, "").expect_err("refused");
    assert!(error.contains("join everything"), "{error}");
    for (pattern, part) in [
        ("(", "unclosed group"),
        (r"\d*", "matches any line"),
        ("", "matches any line"),
        (r"(\w{1000}){1000}", "size"),
    ] {
        let error = start(pattern).expect_err("refused");
        assert!(error.contains(part), "{error}");
    }
}

/// A thousand files of one source must not have a compiled pattern each.
#[test]
fn clones_share_the_pattern() {
    let joiner = start("^>").expect("a pattern");
    let (Kind::Patterns(one), Kind::Patterns(other)) = (&joiner.clone().0, &joiner.0) else {
        panic!("patterns")
    };
    assert!(Arc::ptr_eq(one, other));
}
