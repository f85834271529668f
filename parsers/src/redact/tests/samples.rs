//! Every sample of every rule, and ordinary lines that all rules must leave.

use super::*;

#[test]
fn samples_hold() {
    let mut wrong = Vec::new();
    for rule in Rules::builtin() {
        let (mut redactor, name) = (only(&rule.name), &rule.name);
        for sample in &rule.must_redact {
            let clean = redactor.clean(sample);
            if !clean.contains(&format!("[{}", rule.token)) {
                wrong.push(format!("{name} leaves: {sample} → {clean}"));
            }
            if *redactor.clean(&clean) != *clean {
                wrong.push(format!("{name} goes on: {clean}"));
            }
        }
        for sample in &rule.must_leave {
            let clean = redactor.clean(sample);
            if &*clean != sample {
                wrong.push(format!("{name} takes: {sample} → {clean}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn samples_that_one_rule_redacts_are_redacted_by_all_of_them() {
    let all = RuleSelection { rules: vec!["all".into()], ..RuleSelection::default() };
    let (mut standard, mut all) = (standard(), redactor(all));
    let mut wrong = Vec::new();
    for rule in Rules::builtin() {
        for sample in &rule.must_redact {
            let left = |redactor: &mut Redactor| *redactor.clean(sample) == **sample;
            if left(&mut all) || (rule.default && left(&mut standard)) {
                wrong.push(format!("{}: {sample}", rule.name));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Ordinary lines: times, epoch milliseconds, UUIDs, versions, addresses, counters.
const CLEAN: &[&str] = &[
    r#"192.0.2.7 - - [22/Nov/2026:10:00:00 +0000] "GET /api/v1/products/17?page=2&sort=price HTTP/1.1" 200 5316 "https://shop.example.com/shoes" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36""#,
    r#"2001:db8::1 - bob [22/Nov/2026:23:59:59 -0530] "POST /login HTTP/2.0" 302 0 "-" "curl/8.5.0""#,
    r#"{"timestamp":"2026-11-22T10:00:00.123Z","level":"info","logger":"com.shop.OrderService","message":"order placed","order_id":4711,"duration_ms":12.5,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7"}"#,
    r#"{"ts":1763805600123,"us":1763805600123456,"ns":1763805600123456789,"id":"550e8400-e29b-41d4-a716-446655440000","v":"1.2.3-rc.1+build.5","lat":52.520008,"n":-1.5e10}"#,
    "2026/11/22 10:00:00 [error] 17#17: *4711 open() \"/usr/share/nginx/html/x\" failed (2: No such file or directory)",
    "Nov 22 10:00:00 web-1 sshd[4711]: session opened for user root(uid=0) by (uid=0)",
    "INFO org.apache.kafka.clients.consumer.KafkaConsumer - offset=1234567890123 partition=17 lag=0",
    "081109 203615 148 INFO dfs.DataNode$PacketResponder: PacketResponder 1 for block blk_38865049064139660 terminating",
    "level=info ts=2026-11-22T10:00:00.123456789Z caller=main.go:42 msg=\"server started\" addr=:8080 version=v1.27.3",
    "Exception in thread \"main\" java.lang.NullPointerException: null at com.example.Foo.bar(Foo.java:17)",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 pulled in 1.234s (5316 bytes)",
    "00:1b.0 Audio device: Intel Corporation 6 Series/C200 (rev 04) [8086:1c20]",
    "mem 1234 5678 9012 3456 7890 swap 100 200-300",
    "i18n key=user.name.label missing for locale=de-DE, tokens=17, passed=3",
    "GET /search?q=caf%C3%A9%20au%20lait&redirect=https%3A%2F%2Fexample.com%2F HTTP/1.1",
];

#[test]
fn ordinary_lines_are_left_alone() {
    let mut redactor = standard();
    for line in CLEAN {
        assert_eq!(&*redactor.clean(line), *line);
        assert_eq!(redactor.explain(line), [], "{line}");
    }
    assert!(redactor.matches().iter().all(|count| *count == 0));
}

#[test]
fn ordinary_lines_are_left_alone_in_an_open_private_key() {
    for line in CLEAN {
        let (mut redactor, arena) = (standard(), Arena::new());
        let mut record = Record { message: Some(Text::raw(line)), ..Record::default() };
        let mut block = BlockState::resumed(true);
        let out = shown(redactor.redact(line, &mut record, &arena, &mut block));
        assert_eq!(out["message"].as_str(), Some(*line));
    }
}

#[test]
fn epoch_times_in_every_unit_are_left_alone() {
    let mut redactor = standard();
    for second in (1_700_000_000_u64..1_900_000_000).step_by(1_234_567) {
        for unit in [1, 1_000, 1_000_000, 1_000_000_000] {
            let line = format!("{{\"t\":{},\"u\":\"at {} done\"}}", second * unit, second * unit);
            assert_eq!(&*redactor.clean(&line), line);
        }
    }
}
