//! What is given over a file, and what only several parts together can get wrong.

use std::path::Path;
use std::time::Duration;

use super::{environment, state, text};
use crate::config::settings::Settings;
use crate::config::{Diagnostics, Over, from_bytes, from_simple, from_text};

/// The messages of what is refused, each with where it is shown.
fn refused(found: Result<Settings, Diagnostics>) -> Vec<String> {
    let shown = found.map(drop).expect_err("refused").to_string();
    let lines = shown.lines().filter(|line| line.starts_with("error: ") || line.contains("--> "));
    lines.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn the_state_directory_is_never_read_wherever_it_is_said() {
    let config = "
sources: { all: { files: [/data/**] }, other: { files: [/data/*.log, /data/**/*.log] } }
destinations: { b: { console: {} } }
";
    let message = "error: `all` reads pillion's own state directory `/data/pillion`";
    let own = refused(from_text("x", &format!("state: /data//pillion/\n{config}"), &|_| None));
    assert_eq!(own, [message, "--> x:3:12"]);
    let over = |over: &Over| from_bytes("x", config.as_bytes().to_vec(), over, &environment);
    assert_eq!(refused(over(&state("/data/pillion"))), [message, "--> x:2:12"]);
    let set = |name: &str| (name == "PILLION_STATE").then(|| "/data/pillion".to_owned());
    let found = from_bytes("x", config.as_bytes().to_vec(), &Over::default(), &set);
    assert_eq!(refused(found), [message, "--> x:2:12"]);
    let files = ["/data/**".to_owned()];
    let to = ["console".to_owned()];
    let found = from_simple(&files, &to, &state("/data/x"), &environment);
    assert_eq!(refused(found)[0], "error: `files` reads pillion's own state directory `/data/x`");
    let dead = ["/data/**/*.ndjson".to_owned()];
    assert!(from_simple(&dead, &to, &state("/data/x"), &environment).is_err());
    // Elsewhere, or excluded, it is no loop.
    over(&state("/elsewhere")).expect("accepted");
    let excluded = config.replace("[/data/**]", "[/data/**], exclude: [/data/pillion/**]");
    from_text("x", &format!("state: /data/pillion\n{excluded}"), &|_| None).expect("accepted");
}

#[test]
fn what_is_given_over_a_file_is_checked_like_it() {
    let config = "
state: /data
admin: off
sources: { a: { files: [/l/*.log] } }
destinations: { b: { console: {} } }
";
    let with = |over: &Over, set: &[(&str, &str)]| {
        let environment = |name: &str| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        from_bytes("x", config.as_bytes().to_vec(), over, &environment)
    };
    let none = Over::default();
    let wrong = [("PILLION_STATE", "here"), ("PILLION_ADMIN", "2028"), ("PILLION_GRACE", "25")];
    assert_eq!(
        refused(with(&none, &wrong)),
        [
            "error: `here` is not absolute",
            "--> PILLION_STATE:1:1",
            "error: `2028` is no address with a port",
            "--> PILLION_ADMIN:1:1",
            "error: a duration needs a unit",
            "--> PILLION_GRACE:1:1",
        ]
    );
    assert_eq!(
        refused(with(&state("there"), &wrong[..1])),
        ["error: `there` is not absolute", "--> --state:1:1"]
    );
    let empty = [("PILLION_STATE", ""), ("PILLION_ADMIN", " "), ("PILLION_GRACE", "")];
    let settings = with(&none, &empty).expect("empty is not set");
    assert_eq!((settings.state.as_path(), settings.admin), (Path::new("/data"), None));
    assert_eq!(settings.grace, Duration::from_secs(25));
    let set = [("PILLION_STATE", "/s"), ("PILLION_ADMIN", "[::1]:1"), ("PILLION_GRACE", "1m")];
    let settings = with(&none, &set).expect("accepted");
    assert_eq!(settings.state, Path::new("/s"));
    assert_eq!(settings.admin, Some("[::1]:1".parse().expect("an address")));
    assert_eq!(settings.grace, Duration::from_secs(60));
    let over = Over { state: Some("/o".into()), admin: Some("off".into()), ..Over::default() };
    let settings = with(&over, &set).expect("the command line counts");
    assert_eq!((settings.state.as_path(), settings.admin), (Path::new("/o"), None));
}

#[test]
fn one_mistake_hides_no_other() {
    let found = refused(text(
        "
memory: 1MiB
sources:
  a: { files: [/var/tmp/*.ndjson], start_at: begin, max_record: 512KiB }
  b: { files: [relative], parser: nothing }
destinations:
  out: { file: /var/tmp/out.ndjson }
  search: { elasticsearch: { url: es:9200, index: x } }
",
    ));
    let messages: Vec<_> = found.iter().filter(|line| line.starts_with("error: ")).collect();
    for part in [
        "`memory` of 1MiB is too small: ",
        "`memory` of 1MiB is too small for `max_record` of 512KiB in `a`",
        "`start_at` cannot be `begin`",
        "`a` reads `/var/tmp/out.ndjson`, which `out` writes",
        "`relative` is not absolute",
        "there is no parser `nothing`",
        "the URL does not say how to connect",
    ] {
        assert!(messages.iter().any(|message| message.contains(part)), "{part}: {messages:#?}");
    }
    // What was refused takes no part: nothing is made up on top.
    let found = refused(text(
        "
memory: 3MiB
sources: { a: { files: [/var/tmp/*.ndjson], exclude: ['/tmp/{'], max_record: 64MB1 } }
destinations:
  out: { file: /var/tmp/out.ndjson }
  search: { elasticsearch: { url: es:9200, index: x } }
",
    ));
    assert_eq!(found.iter().filter(|line| line.starts_with("error: ")).count(), 3, "{found:#?}");
}
