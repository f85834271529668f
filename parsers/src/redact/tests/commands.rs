//! Secrets that commands, statements and markup hold, in all the places in which logs have them.

use super::planted::{PLACES, gone, lines};
use super::*;
use crate::parse::{Library, Parser, ParserState, ReadAt};

/// What has `hunter2` for a secret, and no quotes that those of a place could be taken for.
const SAID: &[&str] = &[
    "curl -u bob:hunter2 https://db/",
    "curl -sku bob:hunter2 -H Accept:a/b;c https://db/?a=1&b=2",
    "curl -ubob:hunter2 https://db/",
    "curl --user=bob:hunter2 https://db/",
    "curl --proxy-user bob:hunter2 https://db/",
    "smbclient -U bob%hunter2 //db/x",
    "redis-cli -h db -a hunter2 ping",
    "redis-server --requirepass hunter2",
    "sshpass -p hunter2 ssh bob@db",
    "mysqldump -u root -phunter2 shop",
    "docker login -u bob -p hunter2 db:5000",
    "rclone copy --webdav-pass hunter2 a b",
    "REPLACE INTO users (password) VALUES (`hunter2`)",
    "MERGE INTO users (password) KEY(name) VALUES (`hunter2`)",
    "openssl rsa -passin pass:hunter2 -in k",
    "htpasswd -b users bob hunter2 ",
    "/bin/htpasswd -nbB bob hunter2 ",
    "CONFIG SET requirepass hunter2",
    "INSERT INTO users (password) VALUES (`hunter2`)",
    "&lt;password&gt;hunter2&lt;/password&gt;",
    "&lt;ns:password n=1 &gt;hunter2&lt;/ns:password&gt;",
];

#[test]
fn they_are_gone_wherever_they_stand() {
    let mut redactor = standard();
    for said in SAID {
        for place in PLACES {
            for line in lines(place, said) {
                gone(&mut redactor, "password", &line, "hunter2");
            }
        }
    }
}

/// What leaves of a line that such a parser has read.
fn leaves(parser: &str, line: &str) -> String {
    let mut parser = Parser::new(&Library::builtin(), parser, ParserState::default()).unwrap();
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse(line, ReadAt::default(), &arena, &mut record);
    assert!(!record.marks.unparsed, "{line}");
    shown(standard().redact(line, &mut record, &arena, &mut BlockState::default())).to_string()
}

#[test]
fn arguments_that_stand_apart_belong_together() {
    for (parser, line) in [
        (
            "auditd",
            r#"type=EXECVE msg=audit(1700000000.123:17): argc=4 a0="curl" a1="-u" a2="bob:hunter2" a3="x""#,
        ),
        (
            "auditd",
            r#"type=EXECVE msg=audit(1700000000.123:17): argc=3 a0="sshpass" a1="-p" a2=68756E7465723220 a3="x""#,
        ),
        (
            "auditd",
            r#"type=EXECVE msg=audit(1700000000.123:17): argc=3 a0="app" a1="--password" a2="hunter2""#,
        ),
        ("key_value", r#"argc=3 a0="mysql" a1="-u" a2="root" a3="-phunter2""#),
        ("key_value", r#"argc=3 a0="curl" a1="-u" a2="bob:hunter2""#),
        ("logfmt", r#"argc=3 a0="curl" a1="-u" a2="bob:hunter2""#),
        ("logfmt", "cmd=1 mysql --password hunter2 shop"),
        ("json", r#"{"runargv":["/usr/bin/curl","-u","bob:hunter2","https://db/"]}"#),
        ("json", r#"{"runargv":["/usr/bin/mysql","-u","root","-phunter2"]}"#),
        ("json", r#"{"msg":"password\t= hunter2"}"#),
        ("json", r#"{"a":{"argv":["curl","--user","bob:hunter2"]}}"#),
        ("json", r#"{"msg":"[\"docker\",\"login\",\"-p\",\"hunter2\"]"}"#),
        ("json", r#"{"argv":["curl","-u","bob:hunt\u0065r2"]}"#),
        ("json", r#"{"argv":["rclone","--webdav-pass","hunter2"]}"#),
        ("json", r#"{"argv":["CONFIG","SET","requirepass","hunter2"]}"#),
        ("json", r#"{"argv":["htpasswd","-b","-B","users","bob","hunter2"]}"#),
        ("json", r#"{"msg":"[0 127.0.0.1:40] \"CONFIG\" \"SET\" \"requirepass\" \"hunter2\""}"#),
        ("json", r#"{"msg":"port 6379\nmasterauth hunter2\nport 6379"}"#),
        ("logfmt", r#"argc=5 a0="htpasswd" a1="-b" a2="users" a3="bob" a4="hunter2""#),
        (
            "auditd",
            r#"type=EXECVE msg=audit(1700000000.123:17): argc=4 a0="htpasswd" a1="-nb" a2="bob" a3="hunter2""#,
        ),
        ("json", r#"{"argv":["openssl","rsa","-passin","pass:hunter2"]}"#),
        ("json", r#"{"msg":"[\"app\",\"-passphrase\",\"hunter2\"]"}"#),
        (
            "auditd",
            r#"type=EXECVE msg=audit(1700000000.123:17): argc=4 a0="openssl" a1="rsa" a2="-passin" a3="pass:hunter2""#,
        ),
    ] {
        let left = leaves(parser, line);
        assert!(left.contains("[PASSWORD]"), "{line}: {left}");
        assert!(!left.contains("hunt") && !left.contains("68756E"), "{line}: {left}");
    }
    for line in [
        r#"{"runargv":["/usr/bin/tar","-cf","/dev/null","/srv/shop"]}"#,
        r#"{"argv":["docker","run","-u","1000:1000","-p","80:80"]}"#,
        r#"{"argv":["mysql","-u","root","-p"],"n":[-1,"-p"]}"#,
        r#"{"argv":["curl","-u","bob:[PASSWORD]"]}"#,
        r#"{"argv":["htpasswd","-b","users","bob","[PASSWORD]"]}"#,
        r#"{"argv":["htpasswd","-b","users","bob"],"n":["a","b","c"]}"#,
        r#"{"argv":["openssl","-passin","pass:[PASSWORD]"]}"#,
        r#"{"argv":["x265","--pass","2","--first-pass","fast"]}"#,
        r#"{"argv":["CONFIG","GET","requirepass","masterauth"],"n":["requirepass",""]}"#,
    ] {
        assert_eq!(redact_json(&mut standard(), line), line);
    }
}

#[test]
fn what_an_argument_has_beside_a_password_stays() {
    assert_eq!(
        redact_json(&mut standard(), r#"{"argv":["curl","-u","b\"ob:hunter2","x"],"n":1}"#),
        r#"{"argv":["curl","-u","b\"ob:[PASSWORD]","x"],"n":1}"#
    );
    let by_rule = |action| RuleSelection {
        actions_by_rule: vec![("password".into(), action)],
        ..RuleSelection::standard()
    };
    let raw = r#"{"argv":["mysql","-phunter2"],"n":1}"#;
    check(by_rule(Action::DropField), raw, r#"{"argv":["mysql","-p[PASSWORD]"],"n":1}"#);
    check(by_rule(Action::DropRecord), raw, "null");
}

#[test]
fn columns_of_a_statement_have_rules_of_their_own() {
    let check = |line: &str, expect: &str| assert_eq!(&*standard().clean(line), expect);
    check(
        "INSERT INTO t (id, api_key, password, note) VALUES (1, 'abc123def456', 'a''b', 'c'), (2, NULL, 17, 'd')",
        "INSERT INTO t (id, api_key, password, note) VALUES (1, '[SECRET]', '[PASSWORD]', 'c'), (2, NULL, [PASSWORD], 'd')",
    );
    check(
        "INSERT INTO t (password) VALUES (crypt('hunter2', 'x')) RETURNING id",
        "INSERT INTO t (password) VALUES (crypt('[PASSWORD]', 'x')) RETURNING id",
    );
    for line in [
        "INSERT INTO t (id, password) VALUES ($1, $2), (?, ?), (:id, :password), (1, DEFAULT)",
        "INSERT INTO passwords (id, note) VALUES (1, 'x')",
        "went into the house (password) and left",
    ] {
        check(line, line);
    }
}

#[test]
fn a_word_behind_an_escape_is_one() {
    for line in [r#"{"msg":"a\npassport C01X00T47"}"#, r#"{"msg":"a\u000apassport C01X00T47"}"#] {
        let left = redact_json(&mut standard(), line);
        assert!(!left.contains("C01X00T47"), "{left}");
    }
    gone(&mut standard(), "passport", "GET /?q=passport%20C01X00T47 HTTP/1.1", "C01X00T47");
    gone(&mut standard(), "passport", "\u{1b}[31mpassport C01X00T47\u{1b}[0m", "C01X00T47");
}

#[test]
fn what_looks_like_a_blank_or_a_hyphen_is_one() {
    for (line, secret) in [
        ("card 4111\u{a0}1111\u{a0}1111\u{a0}1111", "1111"),
        ("card 4111\u{2011}1111\u{2011}1111\u{2011}1111", "1111"),
        ("card 4111%E2%80%931111%E2%80%931111%E2%80%931111", "1111"),
        (r#"{"n":"4111\u20111111\u20111111\u20111111"}"#, "1111"),
        (r#"{"n":"{\"a\":\"4111\\u20111111\\u20111111\\u20111111\"}"}"#, "1111"),
        ("ssn 123–45–6789", "45"),
        ("tel +1\u{2011}415\u{2011}555\u{2011}2671", "2671"),
        ("DE89\u{a0}3704\u{a0}0044\u{a0}0532\u{a0}0130\u{a0}00", "3704"),
        ("card ４１１１１１１１１１１１１１１１", "１１"),
    ] {
        gone(&mut standard(), "card", line, secret);
    }
    for line in ["1–2, 10\u{a0}000 and 3月1日", "４１１ items", "4111–1111–1111–1112"]
    {
        assert_eq!(&*standard().clean(line), line);
    }
}

/// Commands whose password has a backslash, before each letter that an escape has.
#[test]
fn a_password_with_a_backslash_goes_to_its_end() {
    for letter in ["t", "n", "r", "w", "\\t", "\\n", "u00", "x"] {
        for command in [
            "mysql -p'HUN\\@er2' shop",
            "mysql -pHUN\\@er2 shop",
            "curl -u bob:HUN\\@er2 https://db/",
            "curl --user bob:HUN\\@er2 https://db/",
            "redis-cli -a HUN\\@er2 ping",
            "redis-cli -a 'HUN\\@er2'",
            "app --password HUN\\@er2 x",
            "app -password HUN\\@er2 x",
        ] {
            let said = command.replace('@', letter);
            for place in PLACES {
                for line in lines(place, &said) {
                    gone(&mut standard(), "password", &line, "HUN");
                    gone(&mut standard(), "password", &line, "er2");
                }
            }
        }
    }
}

#[test]
fn what_a_backslash_has_behind_an_argument_stays() {
    becomes(r"ran mysql -phunter2\nok", r"ran mysql -p[PASSWORD]");
    becomes(
        r#"{"log":"curl -u bob:hunter2\n","n":1}"#,
        r#"{"log":"curl -u bob:[PASSWORD]\n","n":1}"#,
    );
    becomes(r#"{"log":"x \"mysql -phunter2\""}"#, r#"{"log":"x \"mysql -p[PASSWORD]\""}"#);
    becomes(r#"{"argv":["mysql","-phunter2\\"]}"#, r#"{"argv":["mysql","-p[PASSWORD]"]}"#);
}

#[test]
fn statements_that_replace_and_merge_have_columns_too() {
    for verb in ["REPLACE", "MERGE", "UPSERT", "INSERT"] {
        becomes(
            &format!("{verb} INTO t (name, password) VALUES ('bob', 'hunter2'), ('al', 'p17')"),
            &format!(
                "{verb} INTO t (name, password) VALUES ('bob', '[PASSWORD]'), ('al', '[PASSWORD]')"
            ),
        );
        becomes(
            &format!(
                "<q>{verb} INTO &quot;t&quot; (&quot;name&quot;, &quot;password&quot;) VALUES ('bob', 'hunter2')</q>"
            ),
            &format!(
                "<q>{verb} INTO &quot;t&quot; (&quot;name&quot;, &quot;password&quot;) VALUES ('bob', '[PASSWORD]')</q>"
            ),
        );
        becomes(
            &format!(
                r#"{{"q":"{verb} INTO &quot;t&quot; (&quot;password&quot;) VALUES (&#39;hunter2&#39;)"}}"#
            ),
            &format!(
                r#"{{"q":"{verb} INTO &quot;t&quot; (&quot;password&quot;) VALUES (&#39;[PASSWORD]&#39;)"}}"#
            ),
        );
    }
    for line in [
        "we replace into the form (password) values that were lost",
        "REPLACE INTO is not INSERT (password) VALUES (?)",
        "MERGE INTO t (password) KEY (id) VALUES ($1)",
        "git merge into main (password reset) values ok",
    ] {
        becomes(line, line);
    }
}

#[test]
fn passes_over_something_are_no_passwords() {
    for line in [
        "opt --first-pass 3 --second-pass 12 --multi-pass slow",
        "enc --two-pass fast in.y4m --last-pass 2",
        "fsck --dry-pass yes /dev/sda --pass 2",
    ] {
        becomes(line, line);
    }
    becomes(
        "app --db-pass y --user-pass fast y",
        "app --db-pass [PASSWORD] --user-pass [PASSWORD] y",
    );
}

/// A line, and what is left of it.
fn becomes(line: &str, expect: &str) {
    let mut redactor = Redactor::new(Rules::builtin_default());
    let left = redactor.clean(line);
    assert_eq!(&*left, expect, "{line}");
    assert_eq!(&*redactor.clean(&left), expect, "again: {line}");
}

#[test]
fn what_is_assigned_within_the_values_of_a_statement_goes_too() {
    becomes(
        r#"INSERT INTO t (data, password) VALUES ('{"api_key":"Gh7kPq92LmXz81Tr"}', 'hunter2')"#,
        r#"INSERT INTO t (data, password) VALUES ('{"api_key":"[SECRET]"}', '[PASSWORD]')"#,
    );
    becomes(
        "INSERT INTO t (data, password) VALUES ('password=foobar99 ok', 'hunter2')",
        "INSERT INTO t (data, password) VALUES ('password=[PASSWORD] ok', '[PASSWORD]')",
    );
    becomes(
        "INSERT INTO a (name, password) VALUES (it's, x) token=Gh7kPq92LmXz81Tr",
        "INSERT INTO a (name, password) VALUES (it's, x) token=[SECRET]",
    );
}

#[test]
fn what_else_an_argument_holds_goes_too() {
    becomes(
        r#"{"args":["curl","-u","bob@example.com:hunter2","x"]}"#,
        r#"{"args":["curl","-u","[EMAIL]:[PASSWORD]","x"]}"#,
    );
    becomes(
        r#"{"args":["app","--password=hunter2","serve"]}"#,
        r#"{"args":["app","--password=[PASSWORD]","serve"]}"#,
    );
}

#[test]
fn passwords_that_look_like_markers_and_templates_go() {
    becomes("password:password", "password:[PASSWORD]");
    becomes("password=$MONKEY", "password=[PASSWORD]");
    becomes("password=#{Secret!1", "password=[PASSWORD]");
    becomes(r#"{"password":"${DB-hunter2}"}"#, r#"{"password":"[PASSWORD]"}"#);
    becomes("sshpass -p 2024-11:12 ssh x", "sshpass -p [PASSWORD] ssh x");
}

#[test]
fn what_only_its_place_tells_goes_once() {
    becomes("htpasswd -b users bob 'hun ter2'", "htpasswd -b users bob '[PASSWORD]'");
    becomes("htpasswd -b users bob@example.com hunter2", "htpasswd -b users [EMAIL] [PASSWORD]");
    becomes("requirepass hunter2", "requirepass [PASSWORD]");
    becomes("user-masterauth x\nmasterauth monkey", "user-masterauth x\nmasterauth [PASSWORD]");
    for line in [
        "htpasswd -b users bob {{ password }}",
        "htpasswd -nb bob $PASSWORD",
        "htpasswd -b users bob [REDACTED]",
        "requirepass [REDACTED]",
        "requirepass {{ redis_password }}",
        "WARN no requirepass configured, masterauth ignored since 6.0",
        "tried htpasswd -b users bob: no such file",
        "Warning: masterauth is set but requirepass is not",
    ] {
        becomes(line, line);
    }
}

#[test]
fn what_belongs_to_other_commands_and_names_stays() {
    let options: String = (0..60).map(|port| format!(" -p {port}")).collect();
    let many =
        ["docker run".to_owned() + &options, "java ".to_owned() + &"-Xmx2g -cp a ".repeat(60)];
    let lines = [
        "password=${env:DB_PASSWORD}",
        "password: ${file:/run/secrets/db}",
        "curl -sf https://x/y && echo \"$(date -u +%Y-%m-%dT%H:%M:%SZ) ok\"",
        "curl -fsSL https://x | docker run -u root:root img",
        "curl -s https://x; docker exec -u www-data:www-data app ls",
        "wget https://host/foo.zip -P /tmp/dir",
        "id=40a1b2c3.be file=40main.go commit=40deadbe.go:12",
    ];
    for line in lines.into_iter().chain(many.iter().map(String::as_str)) {
        becomes(line, line);
    }
}
