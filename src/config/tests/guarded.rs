//! Parsers of one's own and the rules about names, and steps that could do nothing.

use super::text;

/// Why a parser that has this is refused, beside rules about fields of one's own; nothing if it is not.
fn refusal(parser: &str) -> String {
    let yaml = format!(
        "state: /tmp/none\nredact: {{fields: {{cust: mask, user.name: mask}}}}\n\
         parsers: {{shop: {{grammar: json, {parser}}}}}\n\
         sources: {{app: {{files: [/a/*.log], parser: shop}}}}\n\
         destinations: {{screen: {{console: {{}}}}}}\n"
    );
    text(&yaml).err().map(|problems| problems.to_string()).unwrap_or_default()
}

#[test]
fn a_parser_does_not_rename_what_is_redacted_by_name() {
    for (parser, problem) in [
        ("fields: {cust: note}", "`cust` is redacted because of its name, and as `note`"),
        ("fields: {password: note}", "`password` is redacted because of its name, and as `note`"),
        ("fields: {a.user: user_id}", "`a.user` is redacted because of its name, and as `user_id`"),
        ("fields: {cust: message}", "`cust` is redacted because of its name, and as `message`"),
        ("open: [user]", "what is in `user` is redacted because of its name"),
        ("open: [cust.]", "what is in `cust` is redacted because of its name"),
    ] {
        let refused = refusal(parser);
        assert!(refused.contains(problem), "{parser}: {refused}");
    }
    for parser in ["fields: {name: cust}", "fields: {id: user}", "open: [user.]", "open: [log]"] {
        assert_eq!(refusal(parser), "", "{parser}");
    }
}

#[test]
fn built_in_parsers_leave_such_a_field_its_name() {
    let yaml = "state: /tmp/none\nredact: {fields: {user_id: mask}}\n\
                sources: {app: {files: [/a/*.log]}}\ndestinations: {screen: {console: {}}}\n";
    let settings = text(yaml).expect("good");
    let caddy = settings.library.definition("caddy").expect("built in");
    assert!(!caddy.fields.contains_key("user_id") && caddy.fields.contains_key("logger"));
}

#[test]
fn a_text_is_not_made_of_what_names_lead_into() {
    let refusal = |step: &str| {
        let yaml = format!(
            "state: /tmp/none\nredact: {{fields: {{user.name: mask, person.name: mask, who: mask}}}}\n\
             sources: {{app: {{files: [/a/*.log]}}}}\n\
             destinations: {{screen: {{console: {{}}}}}}\nsteps: [{{add: {{{step}}}}}]\n"
        );
        text(&yaml).err().map(|problems| problems.to_string()).unwrap_or_default()
    };
    let problem = "`user` is redacted because of its name, and as `person` it would not be";
    assert!(refusal("person: '{user} x'").contains(problem), "{}", refusal("person: '{user} x'"));
    for step in ["person: '{user}'", "who: '{user} x'", "note: '{id} x'"] {
        assert_eq!(refusal(step), "", "{step}");
    }
}

#[test]
fn what_cannot_be_a_level_or_a_time_is_not_added_as_one() {
    let refusal = |step: &str| {
        let yaml = format!(
            "state: /tmp/none\nsources: {{app: {{files: [/a/*.log]}}}}\n\
             destinations: {{screen: {{console: {{}}}}}}\nsteps: [{{add: {{{step}}}}}]\n"
        );
        text(&yaml).err().map(|problems| problems.to_string()).unwrap_or_default()
    };
    for step in ["level: true", "level: 999", "level: loud"] {
        assert!(refusal(step).contains("this is no level"), "{step}: {}", refusal(step));
    }
    for step in ["time: true", "time: yesterday"] {
        assert!(refusal(step).contains("this is no time"), "{step}: {}", refusal(step));
    }
    for step in
        ["level: warn", "level: '{severity}'", "time: '{at}'", "time: 1795658255", "up: true"]
    {
        assert_eq!(refusal(step), "", "{step}");
    }
}
