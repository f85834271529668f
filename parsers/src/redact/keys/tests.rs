//! Which keys are whose.

use super::*;

fn keys() -> Keys {
    let mut keys = Keys::default();
    keys.add("password", 1);
    keys.add("pwd", 1);
    keys.add("api key", 2);
    keys.add("token", 2);
    keys.add_exception("page token", 2);
    keys.add_field("user.Email", 7);
    keys.add_field("pw", 8);
    keys.add_field("line2", 9);
    keys
}

#[test]
fn rules_names_match_the_end_of_a_key_however_joined() {
    let check = |key: &str, expect| assert_eq!(keys().find(key, &[]), expect, "{key}");
    check("password", Some(1));
    check("db_password", Some(1));
    check("dbpassword", Some(1));
    check("userPassword2", Some(1));
    check("PASSWORD", Some(1));
    check("mysql.pwd", Some(1));
    check("spwd", None);
    check("API_KEY", Some(2));
    check("x-api-key", Some(2));
    check("apiKey", Some(2));
    check("access_token", Some(2));
    check("nextPageToken", None);
    check("tokens", None);
    check("password_changed", None);
    check("key", None);
    check("", None);
}

#[test]
fn configured_names_match_whole_parts_of_a_path() {
    let path = |parts: &[&str]| parts.iter().map(|&part| part.into()).collect::<Vec<String>>();
    let check = |key: &str, around: &[&str], expect| {
        assert_eq!(keys().find(key, &path(around)), expect, "{around:?} {key}");
    };
    check("email", &["user"], Some(7));
    check("EMAIL", &["request", "User"], Some(7));
    check("user.email", &[], Some(7));
    check("user.email", &["x"], Some(7));
    check("email", &["superuser"], None);
    check("email", &["a.user"], Some(7));
    check("email", &[], None);
    check("pw", &[], Some(8));
    check("xpw", &[], None);
    check("line2", &[], Some(9));
    check("line3", &[], None);
    // what comes again, and what made room for another
    check("email_2", &["user"], Some(7));
    check("user.email_17", &[], Some(7));
    check("user.email_", &[], Some(7));
    check("line2_2", &[], Some(9));
    check("pw2", &[], None);
    check("xpw_2", &[], None);
    check("_2", &[], None);
}

#[test]
fn odd_ends_and_blanks_are_no_part_of_a_name() {
    let check = |key: &str, expect| assert_eq!(keys().find(key, &[]), expect, "{key}");
    for key in ["user[password]", "password ", "password_", "$password$", "Password:", "pwd[0]"] {
        check(key, Some(1));
    }
    check("API Key", Some(2));
    check("password?x", None);
}

#[test]
fn a_raw_name_may_be_the_last_part_of_a_configured_one() {
    let mut keys = keys();
    keys.add_field("a/first name", 10);
    keys.add_string("pass", 11);
    let check = |key: &str, expect| assert_eq!(keys.may_find(key), expect, "{key}");
    check("email", Some(7));
    check("x.EMAIL", Some(7));
    check("user.email", Some(7));
    check("x_email", None);
    check("name", Some(10));
    check("first name", Some(10));
    check("pass", Some(11));
    check("bypass", None);
    check("x-api-key", Some(2));
    assert_eq!((keys.find("pass", &[]), keys.find_string("Pass")), (None, Some(11)));
    assert_eq!((keys.find_string("pass_2"), keys.find_string("pass2")), (Some(11), None));
}

proptest::proptest! {
    /// What the last eight bytes before a sign tell holds whatever stands before them.
    #[test]
    fn what_eight_bytes_reject_no_longer_text_has(
        before in "([a-zA-Z0-9_ .\\\\\":-]|\u{e9}){0,12}",
        end in "(pass|word|user|order|tax|passport|[a-z_\"{,]){1,4}(id|no|nr|number|key|name|[a-z]{2,3}|Id)",
        quoted: bool,
    ) {
        let rules = super::super::Rules::builtin_default();
        let text = format!("{before}{end}");
        let whole = if quoted { format!("{text}\"") } else { text.clone() };
        if let Some(last) = whole.as_bytes().last_chunk::<8>()
            && rules.keys.none_stands_before(*last)
        {
            // A shorter text is not tried by its ending first: what may stand there by its hash may be no name.
            let short = text.len() < 8 && rules.keys.may_find(&text).is_none();
            proptest::prop_assert!(short || !rules.keys.may_stand(text.as_bytes()), "{text}");
        }
    }
}
