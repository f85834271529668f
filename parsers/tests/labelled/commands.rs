//! Passwords that commands and statements hold, whose place alone tells them: behind a program's letter, in a list
//! of arguments, among the values of columns.

use super::draw::Draw;
use super::kind::Kind;
use super::text::{Text, json};

/// A password as somebody types one into a command: what a shell would take for something else is quoted.
fn password(draw: &mut Draw) -> String {
    draw.one_of(&[
        "hunter<d1-3>",
        "correct-horse-<l6>",
        "Tr0ub4dor&<d1>",
        "S3cr3t!<n4>",
        "<n12>",
        "<n20>",
        "p@ss<d4>",
        "<l5>#<d3>",
        "Winter20<d2>!",
        "<b24>",
        "<l4>\\<l3><d2>",
        "hun\\ter<d2>",
    ])
}

fn letter(draw: &mut Draw) -> Text {
    let (before, behind) = *draw.pick(&[
        ("curl -u app:", " https://db-1.internal/_cat/indices"),
        ("curl -sS -u deploy:", " -X POST https://ci-2.internal/job"),
        ("curl --user app:", " https://db-1.internal/"),
        ("redis-cli -h cache-1 -a ", " ping"),
        ("mysql -h db-1 -u app -p", " shop"),
        ("mysqldump -u root -p", " shop"),
        ("sshpass -p ", " ssh deploy@web-1"),
        ("zip -r -P ", " out.zip data"),
        ("unzip -P ", " in.zip"),
        ("docker login -u deploy -p ", " registry.internal:5000"),
        ("podman login -p ", " -u deploy registry.internal"),
        ("ldapsearch -x -D cn=app -w ", " -b dc=shop"),
        ("sqlcmd -S db-1 -U sa -P ", " -Q x"),
        ("openssl rsa -passin pass:", " -in tls.key"),
        ("htpasswd -b /etc/nginx/users deploy ", " && nginx"),
        ("htpasswd -nbB deploy ", " >> users"),
        ("redis-cli config set requirepass ", " | cat"),
    ]);
    let start = *draw.pick(&["COMMAND=/usr/bin/", "running ", "+ "]);
    let value = password(draw);
    let special = value.contains(['&', '#', '!', '\\']);
    let quote = if special && !before.ends_with(':') && draw.one_in(2) { "'" } else { "" };
    Text::ground(format!("{start}{before}{quote}"))
        .then(Text::value("command_letter", value))
        .then(format!("{quote}{behind}"))
}

fn columns(draw: &mut Draw) -> Text {
    let verb = *draw.pick(&[
        "INSERT INTO users",
        "insert into shop.users",
        "INSERT IGNORE INTO `users`",
        "REPLACE INTO users",
        "UPSERT INTO users",
        "MERGE INTO users",
    ]);
    let (names, before, behind) = *draw.pick(&[
        ("(id, name, password)", "17, 'bob', ", ""),
        ("(name,password,created)", "'bob',", ",NOW()"),
        ("(`id`, `db_password`, `note`)", "17, ", ", 'it''s new'"),
        ("(passwd)", "", ""),
        ("(id, pwd)", "NULL, ", ""),
    ]);
    let first = row(draw, before, behind);
    let statement = Text::ground(format!("statement: {verb} {names} VALUES ")).then(first);
    let more = draw.one_in(3).then(|| Text::ground(", ").then(row(draw, before, behind)));
    statement.then(more.unwrap_or_default()).then(" -- 12 ms")
}

/// The values of one row, between those that stand before the password and behind.
fn row(draw: &mut Draw, before: &str, behind: &str) -> Text {
    let value = draw.one_of(&["hunter<d3>", "<n16>", "S3cr3t!<n4>", "p@ss<d4>", "a;b,(<d4>"]);
    Text::ground(format!("({before}'"))
        .then(Text::value("column_password", value))
        .then(format!("'{behind})"))
}

/// Arguments: what stands before the password, of which the last may be its beginning, and what behind.
const ARGUMENTS: &[(&[&str], &str, &[&str])] = &[
    (&["curl", "-u"], "app:", &["https://db-1.internal/"]),
    (&["/usr/bin/curl", "--user"], "app:", &["https://db-1.internal/"]),
    (&["redis-cli", "-h", "cache-1", "-a"], "", &["ping"]),
    (&["mysql", "-u", "root"], "-p", &["shop"]),
    (&["sshpass", "-p"], "", &["ssh", "web-1"]),
    (&["zip", "-P"], "", &["out.zip", "data"]),
    (&["docker", "login", "-u", "deploy", "-p"], "", &["registry.internal"]),
    (&["openssl", "rsa", "-passin"], "pass:", &["-in", "tls.key"]),
    (&["htpasswd", "-b", "users", "deploy"], "", &[]),
    (&["worker", "--password"], "", &["serve"]),
];

fn list(draw: &mut Draw) -> Text {
    let (before, begins, behind) = *draw.pick(ARGUMENTS);
    let form = draw.between(0, 2);
    // The audit log writes others in hexadecimal, and Python other quotes.
    let value = password(draw);
    let value = Text::ground(begins).then(Text::value("argument_password", value));
    let arguments = before.iter().map(|it| Text::ground(*it)).chain([value]);
    let arguments = arguments.chain(behind.iter().map(|it| Text::ground(*it)));
    let mut text = Text::default();
    for (at, argument) in arguments.enumerate() {
        let comma = if at == 0 { "" } else { "," };
        text = match form {
            0 => text.then(format!("{comma}\"")).then(argument.spelt(json)).then("\""),
            1 => {
                let comma = if at == 0 { "" } else { ", " };
                text.then(format!("{comma}'")).then(argument.spelt(python)).then("'")
            }
            _ => text.then(format!(" a{at}=\"")).then(argument).then("\""),
        };
    }
    match form {
        0 => Text::ground("exec {\"pid\":17,\"argv\":[").then(text).then("]}"),
        1 => Text::ground("calling [").then(text).then("]"),
        _ => {
            let count = before.len() + 1 + behind.len();
            let serial = draw.grown("17<d8>.<d3>:<d4>");
            Text::ground(format!("type=EXECVE msg=audit({serial}): argc={count}")).then(text)
        }
    }
}

/// As it stands in a string of Python.
fn python(text: &str) -> String {
    text.replace('\\', "\\\\")
}

/// All of them.
pub(crate) const KINDS: &[Kind] = &[
    Kind::snippet("command_letter", letter).by(&["password"]),
    Kind::snippet("column_password", columns).by(&["password"]),
    Kind::snippet("argument_password", list).by(&["password"]),
];
