//! What stands in syslog: a file of lines of many programs, in whatever order.

use super::*;

/// Lines of one file, and the format of each.
const LINES: [(&str, &str); 24] = [
    (
        "haproxy",
        r#"Nov 22 10:00:00 lb haproxy[14389]: 10.0.1.2:33317 [22/Nov/2026:10:00:00.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1""#,
    ),
    (
        "haproxy",
        r#"2026-11-22T10:00:00.123456+01:00 lb haproxy[1]: 10.0.1.2:33317 [22/Nov/2026:10:00:00.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1""#,
    ),
    (
        "haproxy",
        "<134>Nov 22 10:00:00 haproxy[9]: 10.0.1.2:33317 [22/Nov/2026:10:00:00.655] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0",
    ),
    (
        "access",
        r#"Nov 22 10:00:00 web nginx: 10.0.0.1 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "x""#,
    ),
    (
        "nginx",
        r#"<190>Nov 22 10:00:00 web nginx: 10.0.0.1 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "x""#,
    ),
    (
        "apache",
        r#"2026-11-22T10:00:00.123456+01:00 web httpd: 10.0.0.1 - frank [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 612"#,
    ),
    (
        "access",
        r#"<190>1 2026-11-22T10:00:00Z web nginx - - - 10.0.0.1 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 612 "-" "x""#,
    ),
    (
        "nginx_error",
        r#"<187>Nov 22 10:00:00 web nginx: 2026/11/22 10:00:00 [error] 29#29: *1 open() "/x" failed, client: 10.0.0.1, server: localhost, request: "GET / HTTP/1.1", host: "localhost""#,
    ),
    (
        "apache_error",
        "Nov 22 10:00:00 web apache2[12]: [Sun Nov 22 10:00:00.123456 2026] [core:error] [pid 12:tid 34] [client 10.0.0.1:5] AH00124: x",
    ),
    (
        "traefik",
        r#"Nov 22 10:00:00 lb traefik[12]: 10.0.0.1 - - [22/Nov/2026:10:00:00 +0000] "GET /api HTTP/1.1" 200 12 "-" "-" 1 "shop@docker" "http://172.18.0.3:80" 3ms"#,
    ),
    (
        "squid",
        "Nov 22 10:00:00 px squid[12]: 1795341600.123    345 10.0.0.1 TCP_MISS/200 1234 GET http://example.com/ - HIER_DIRECT/10.0.0.3 text/html",
    ),
    (
        "caddy",
        r#"Nov 22 10:00:00 px caddy[12]: {"level":"info","ts":1795341600.1,"msg":"handled request","request":{"client_ip":"10.0.0.1"},"duration":0.001,"status":200}"#,
    ),
    (
        "netfilter",
        "Nov 22 10:00:00 web kernel: [1234.5] [UFW BLOCK] IN=eth0 OUT= SRC=10.0.0.1 DST=10.0.0.2 LEN=40 PROTO=TCP SPT=443 DPT=22 SYN URGP=0 ",
    ),
    ("json", r#"<11>1 2026-11-22T10:00:00Z web app 1 - - {"level":"error","msg":"x"}"#),
    (
        "klog",
        "Nov 22 10:00:00 web kubelet[1]: E1122 10:00:00.123456    1234 kubelet.go:2421] failed",
    ),
    ("logfmt", r#"Nov 22 10:00:00 web dockerd[1]: time="2026-11-22T10:00:00Z" level=error msg=x"#),
    ("cef", "<134>Nov 22 10:00:00 gate CEF:0|V|P|1|2|x|5|src=10.0.0.1"),
    ("cef", "Nov 22 10:00:00 gate app[1]: CEF:0|V|P|1|2|x|5|src=10.0.0.1"),
    // rsyslog takes the name for a tag.
    ("cef", "Nov 22 10:00:00 gate CEF: 0|V|P|1|2|x|5|src=10.0.0.1"),
    (
        "postgresql_syslog",
        "Nov 22 10:00:00 db postgres[1]: [5-1] 2026-11-22 10:00:00.123 UTC [1] LOG:  started",
    ),
    (
        "sshd",
        "Nov 22 10:00:00 web sshd[1]: Failed password for invalid user admin from 10.0.0.1 port 22 ssh2",
    ),
    // Somebody's name that looks like a request is no request.
    (
        "sshd",
        r#"Nov 22 10:00:00 web sshd[1]: Invalid user - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5 from 10.0.0.1 port 22"#,
    ),
    ("syslog", "Nov 22 10:00:00 web systemd[1]: Started IN=x: [22/Nov] \"y\" {z}."),
    ("syslog", "<13>Nov 22 10:00:00 web no tag here"),
];

fn read(parser: &mut Parser, line: &str) -> String {
    let (arena, mut record) = (Arena::new(), Record::default());
    parser.parse(line, AT, &arena, &mut record);
    assert!(!record.marks.unparsed, "{line}");
    let text = |name: &str| match record.get(name) {
        Some(Value::Text(text)) => text.as_stored(),
        _ => "",
    };
    if line.contains("10.0.0.1") {
        assert_eq!(text("client_ip"), "10.0.0.1", "{line}");
    }
    format!("{:?} {:?} {:?} {:?}", record.time, record.level, record.message, record.fields)
}

#[test]
fn a_line_in_syslog_is_read_by_its_own_format_whatever_came_before() {
    for first in 0..LINES.len() {
        let mut auto = parser("auto");
        for (name, line) in LINES.iter().cycle().skip(first).take(LINES.len()) {
            assert_eq!(read(&mut auto, line), read(&mut parser(name), line), "{line}");
        }
    }
}

/// A file of bare lines may have some of syslog, and the other way round.
#[test]
fn bare_lines_and_wrapped_ones_stand_in_one_file() {
    for (name, line) in
        LINES.iter().filter(|(name, _)| !["sshd", "postgresql_syslog", "syslog"].contains(name))
    {
        let bare = match line.split_once("]: ").or_else(|| line.split_once("nginx: ")) {
            Some((_, bare)) => bare,
            None => continue,
        };
        let (mut auto, mut named) = (parser("auto"), parser(name));
        for line in [bare, line, bare, line] {
            assert_eq!(read(&mut auto, line), read(&mut named, line), "{line}");
        }
    }
}
