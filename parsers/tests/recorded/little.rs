//! Little files, as programs begin them: which records they become, by a parser's name and by `auto`.

use serde_json::{Value as Json, json};

fn check(parser: &str, log: &str, expect: &[Json]) {
    let found: Vec<Json> =
        super::records(log.as_bytes(), parser).into_iter().map(|(_, record)| record).collect();
    assert_eq!(found, expect, "by {parser}:\n{log}");
}

const WHOLE: &str = r#"{"type": "server", "timestamp": "2026-11-26T02:31:47Z", "level": "INFO", "component": "o.e.n.Node", "cluster.name": "shop", "node.name": "web-1", "message": "JVM home" }"#;

/// Lines below an object that is whole are none of it; below one that is not, they are.
#[test]
fn a_whole_object_goes_on_with_nothing_but_a_trace() {
    let whole = json!({
        "time": "2026-11-26T02:31:47Z", "level": "info", "message": "JVM home", "type": "server",
        "logger": "o.e.n.Node", "cluster.name": "shop", "node": "web-1"
    });
    let mut open = whole.clone();
    open["stacktrace"] = json!(["a.B: no", "at a.B.c(B.java:1)"]);
    let spread =
        WHOLE.replace(" }", ", \n\"stacktrace\": [\"a.B: no\",\n\"at a.B.c(B.java:1)\"] }");
    let log = format!("{WHOLE}\n{spread}\nsome other line\n{WHOLE}\n");
    let other = json!({"unparsed": true, "message": "some other line"});
    for parser in ["elasticsearch_json", "auto"] {
        check(parser, &log, &[whole.clone(), open.clone(), other.clone(), whole.clone()]);
    }
}

#[test]
fn kafka_is_known_by_a_record_of_several_lines_that_a_file_begins_with() {
    let started = json!({
        "time": "2026-11-26T02:20:16.331Z", "level": "info", "message": "started",
        "logger": "kafka.server.KafkaServer"
    });
    let tail = "[2026-11-26 02:20:16,331] INFO started (kafka.server.KafkaServer)\n";
    let values = "[2026-11-26 02:20:16,330] INFO KafkaConfig values: \n\tacks = all\n\
                  \tzookeeper.connect = \n (kafka.server.KafkaConfig)\n";
    let config = json!({
        "time": "2026-11-26T02:20:16.33Z", "level": "info", "logger": "kafka.server.KafkaConfig",
        "message": "KafkaConfig values: \n\tacks = all\n\tzookeeper.connect = \n"
    });
    check("auto", &format!("{values}{tail}"), &[config, started.clone()]);
    let trace = "a.b.InvalidRequestException: Unknown API key\n\tat kafka.P.run(S.scala:914)";
    let error = json!({
        "time": "2026-11-26T02:20:16.33Z", "level": "error", "message": "Closing socket (9)",
        "logger": "kafka.network.Processor", "error_type": "a.b.InvalidRequestException",
        "stack_trace": trace
    });
    let head = "[2026-11-26 02:20:16,330] ERROR Closing socket (9) (kafka.network.Processor)";
    check("auto", &format!("{head}\n{trace}\n{tail}"), &[error, started]);
}

#[test]
fn an_old_rabbitmqs_message_goes_on_below_its_head() {
    let log = "2026-11-26 10:00:00.123 [warning] <0.709.0> closing AMQP connection <0.709.0>:\n\
               client unexpectedly closed TCP connection\n\
               2026-11-26 10:00:01.123 [info] <0.710.0> accepting\n";
    let closing = json!({
        "time": "2026-11-26T10:00:00.123Z", "level": "warn", "process_name": "0.709.0",
        "message": "closing AMQP connection <0.709.0>:\nclient unexpectedly closed TCP connection"
    });
    let accepting = json!({
        "time": "2026-11-26T10:00:01.123Z", "level": "info", "process_name": "0.710.0",
        "message": "accepting"
    });
    for parser in ["rabbitmq", "auto"] {
        check(parser, log, &[closing.clone(), accepting.clone()]);
    }
}

#[test]
fn mysqls_general_log_has_a_record_for_each_command() {
    let log = "2026-11-26T10:00:00.123456Z\t    8 Query\tselect 1\n\
               2026-11-26T10:00:01.123456Z\t    8 Query\tselect 2\n";
    let record = |second: u8, message: &str| {
        json!({
            "time": format!("2026-11-26T10:00:0{second}.123456Z"), "thread": 8,
            "command": "Query", "message": message
        })
    };
    for parser in ["mysql_general", "auto"] {
        check(parser, log, &[record(0, "select 1"), record(1, "select 2")]);
    }
}

/// What the journal holds is read as what syslog holds is.
#[test]
fn messages_in_the_journal_are_read_further() {
    let line = |program: &str, message: &str| {
        let message = Json::from(message);
        format!(
            "{{\"__REALTIME_TIMESTAMP\":\"1795660367872506\",\"_HOSTNAME\":\"web-1\",\
             \"SYSLOG_IDENTIFIER\":\"{program}\",\"MESSAGE\":{message},\"__CURSOR\":\"s=0;i=1\"}}\n"
        )
    };
    let journal = |program: &str, more: Json| {
        let mut record = json!({
            "time": "2026-11-26T02:32:47.872506Z", "host": "web-1", "program": program,
            "__CURSOR": "s=0;i=1"
        });
        let more = more.as_object().expect("an object").clone();
        record.as_object_mut().expect("an object").extend(more);
        record
    };
    for (program, message, more) in [
        ("app", r#"{"level":"error","msg":"x"}"#, json!({"level": "error", "message": "x"})),
        (
            "dockerd",
            r#"time="2026-11-26T10:00:00Z" level=error msg="no such image""#,
            json!({"time": "2026-11-26T10:00:00Z", "level": "error", "message": "no such image"}),
        ),
        (
            "kubelet",
            r#"E1126 10:00:00.123456    1 kubelet.go:9] "Sync failed" pod="shop""#,
            json!({
                "time": "2026-11-26T10:00:00.123456Z", "level": "error", "thread": 1,
                "file": "kubelet.go", "line": 9, "message": "Sync failed", "pod": "shop"
            }),
        ),
        (
            "sshd",
            "Invalid user admin from 10.0.0.1 port 22",
            json!({
                "message": "Invalid user admin from 10.0.0.1 port 22", "user": "admin",
                "client_ip": "10.0.0.1", "client_port": 22
            }),
        ),
        ("app", "no more than text", json!({"message": "no more than text"})),
    ] {
        check("auto", &line(program, message), &[journal(program, more)]);
    }
}

/// A line with a level alone says nothing of its file.
#[test]
fn a_level_alone_makes_no_choice() {
    let expect = [
        json!({"message": "starting up"}),
        json!({"level": "warn", "message": "this is slow"}),
        json!({"message": "and text again"}),
    ];
    check("auto", "starting up\nWARNING: this is slow\nand text again\n", &expect);
}
