//! The times in the logs that real programs wrote: each as it stands in its file, and what it means.
//! The programs ran in UTC or in Europe/Berlin, in winter.

use super::*;

/// When the recordings were made, near enough for what leaves out its year or its day.
const THEN: i64 = 1_795_694_400 * SECOND;

struct Recorded {
    log: &'static [u8],
    name: &'static str,
    zone: &'static str,
    format: &'static str,
    text: &'static str,
    expect: &'static str,
}

macro_rules! recorded {
    ($($name:literal, $zone:literal, $format:literal, $text:literal => $expect:literal;)*) => {
        [$(Recorded {
            log: include_bytes!(concat!(
                env!("CARGO_MANIFEST_DIR"), "/../fixtures/recorded/", $name
            )),
            name: $name,
            zone: $zone,
            format: $format,
            text: $text,
            expect: $expect,
        }),*]
    };
}

fn all() -> impl Iterator<Item = Recorded> {
    let iso = recorded! {
        "caddy/console.log", "UTC", "any", "2026/11/26 02:22:45.705" => "02:22:45.705Z Millisecond";
        "nginx/error.log", "UTC", "any", "2026/11/26 02:21:10" => "02:21:10Z Second";
        "squid/cache.log", "UTC", "any", "2026/11/26 02:22:15" => "02:22:15Z Second";
        "go-log/flags.log", "UTC", "any", "2026/11/26 01:57:12.054487" => "01:57:12.054487Z Microsecond";
        "slog/default.log", "Europe/Berlin", "any", "2026/11/26 03:01:43" => "02:01:43Z Second";
        "bunyan/default.log", "UTC", "any", "2026-11-26T01:53:46.494Z" => "01:53:46.494Z Millisecond";
        "cassandra/system.log", "UTC", "any", "2026-11-26 02:04:29,927" => "02:04:29.927Z Millisecond";
        "celery/worker.log", "UTC", "any", "2026-11-26 01:54:02,108" => "01:54:02.108Z Millisecond";
        "clef/seqlog.log", "UTC", "any", "2026-11-26T02:54:41.447745+01:00" => "01:54:41.447745Z Microsecond";
        "conmon/0.log", "UTC", "any", "2026-11-26T02:54:47.437676075+01:00" => "01:54:47.437676075Z Nanosecond";
        "cowrie/text.log", "UTC", "any", "2026-11-26T01:55:21+0000" => "01:55:21Z Second";
        "docker/json.log", "UTC", "any", "2026-11-26T01:55:47.776000692Z" => "01:55:47.776000692Z Nanosecond";
        "elasticsearch/shop_server.json", "UTC", "any", "2026-11-26T02:31:47,731Z" => "02:31:47.731Z Millisecond";
        "opensearch/shop_server.json", "UTC", "any", "2026-11-26T02:19:51,778+0000" => "02:19:51.778Z Millisecond";
        "env_logger/default.log", "UTC", "any", "2026-11-26T01:56:27Z" => "01:56:27Z Second";
        "gunicorn/error.log", "UTC", "any", "2026-11-26 02:23:35 +0000" => "02:23:35Z Second";
        "hclog/text.log", "UTC", "any", "2026-11-26T02:57:18.318+0100" => "01:57:18.318Z Millisecond";
        "jul/one-line.log", "UTC", "any", "2026-11-26 02:57:21.249+0100" => "01:57:21.249Z Millisecond";
        "logback/full.log", "Europe/Berlin", "any", "2026-11-26 02:58:05.899" => "01:58:05.899Z Millisecond";
        "pino/pretty.log", "UTC", "any", "2026-11-26 02:00:17.300 +0000" => "02:00:17.3Z Millisecond";
        "rabbitmq/json.log", "UTC", "any", "2026-11-26 01:44:15.064787+00:00" => "01:44:15.064787Z Microsecond";
        "rails/production.log", "UTC", "any", "2026-11-26T02:01:16.552574" => "02:01:16.552574Z Microsecond";
        "zookeeper/zookeeper.log", "UTC", "any", "2026-11-26 02:20:37,798" => "02:20:37.798Z Millisecond";
        "mariadb/error.log", "Europe/Berlin", "any", "2026-11-26  3:24:23" => "02:24:23Z Second";
        "postgresql/default.log", "Europe/Berlin", "any", "2026-11-26 03:24:05.003 CET" => "02:24:05.003Z Millisecond";
        "postgresql/pgbadger.log", "Europe/Berlin", "any", "2026-11-26 03:24:08 CET" => "02:24:08Z Second";
    };
    let named = recorded! {
        "apache/combined.log", "UTC", "any", "26/Nov/2026:03:21:27 +0100" => "02:21:27Z Second";
        "ltsv/apache.log", "UTC", "any", "[26/Nov/2026:02:58:40 +0100]" => "01:58:40Z Second";
        "flask/run.log", "UTC", "any", "26/Nov/2026 01:56:38" => "01:56:38Z Second";
        "haproxy/raw.log", "UTC", "any", "[26/Nov/2026:02:21:52.843]" => "02:21:52.843Z Millisecond";
        "php-fpm/fpm.log", "UTC", "any", "26-Nov-2026 01:59:49" => "01:59:49Z Second";
        "php/error.log", "UTC", "any", "26-Nov-2026 02:00:07 UTC" => "02:00:07Z Second";
        "redis/redis.log", "Europe/Berlin", "any", "26 Nov 2026 03:25:16.420" => "02:25:16.42Z Millisecond";
        "sshd/auth.log", "Europe/Berlin", "any", "Nov 26 03:25:50" => "02:25:50Z Second";
        "journald/short-precise.log", "UTC", "any", "Nov 26 02:32:47.872506" => "02:32:47.872506Z Microsecond";
        "sudo/sudo.log", "UTC", "any", "Nov 26 01:50:00 2026" => "01:50:00Z Second";
        "jul/default.log", "Europe/Berlin", "any", "Nov 26, 2026 2:57:20 AM" => "01:57:20Z Second";
        "django/runserver.log", "UTC", "any", "November 26, 2026 - 01:55:37" => "01:55:37Z Second";
        "apache/error.log", "Europe/Berlin", "any", "[Thu Nov 26 03:21:27.591072 2026]" => "02:21:27.591072Z Microsecond";
        "vsftpd/vsftpd.log", "UTC", "any", "Thu Nov 26 02:18:48 2026" => "02:18:48Z Second";
        "uwsgi/uwsgi.log", "UTC", "any", "[Thu Nov 26 02:22:55 2026]" => "02:22:55Z Second";
    };
    let digits = recorded! {
        "mariadb/slow.log", "Europe/Berlin", "any", "261126  3:24:23" => "02:24:23Z Second";
        "tornado/tornado.log", "UTC", "any", "261126 02:03:33" => "02:03:33Z Second";
        "glog/stderr.log", "UTC", "glog", "1126 01:57:08.222185" => "01:57:08.222185Z Microsecond";
        "klog/text.log", "UTC", "glog", "1126 01:57:35.761644" => "01:57:35.761644Z Microsecond";
        "logback/default.log", "Europe/Berlin", "any", "02:58:05.274" => "01:58:05.274Z Millisecond";
        "zerolog/console.log", "Europe/Berlin", "any", "3:04AM" => "02:04:00Z Second";
        "squid/access.log", "UTC", "any", "1795659736.578" => "02:22:16.578Z Millisecond";
        "caddy/access.log", "UTC", "any", "1795659765.9414635" => "02:22:45.9414635Z Nanosecond";
        "auditd/audit.log", "UTC", "any", "1795658207.635" => "01:56:47.635Z Millisecond";
        "log4j2/gelf.log", "UTC", "any", "1795658274.393657813" => "01:57:54.393657813Z Nanosecond";
        "klog/json.log", "UTC", "any", "1795658255801.9912" => "01:57:35.8019912Z Nanosecond";
        "pino/default.log", "UTC", "any", "1795658417300" => "02:00:17.3Z Millisecond";
        "journald/journal.json", "UTC", "any", "1795660367872506" => "02:32:47.872506Z Microsecond";
        "opentelemetry/otlp.log", "UTC", "any", "1795658789162628864" => "02:06:29.162628864Z Nanosecond";
    };
    iso.into_iter().chain(named).chain(digits)
}

#[test]
fn recorded_times_mean_what_they_meant() {
    for Recorded { log, name, zone, format, text, expect } in all() {
        let at = log.windows(text.len()).position(|window| window == text.as_bytes());
        let at = at.unwrap_or_else(|| panic!("{name} does not hold {text}"));
        let format = if format == "any" { Format::Any } else { Format::new(format).unwrap() };
        let mut clock = Clock::new(Zone::from_name(zone).unwrap());
        clock.set_now(THEN);
        let expect = format!("2026-11-26T{expect}");
        // Alone, and at the beginning of what follows it in the log; each also from the memo.
        for _ in 0..2 {
            assert_eq!(show(clock.read(&format, text)), expect, "{name}: {text}");
            let read = clock.read_prefix(&format, &log[at..]);
            let (time, used) = read.unwrap_or_else(|| panic!("{name}: {text} and what follows"));
            assert_eq!((show(Some(time)), used), (expect.clone(), text.len()), "{name}: {text}");
        }
    }
}

#[test]
fn recorded_numbers_that_are_no_times_are_none() {
    // Seconds since the machine, the program or the virtual machine started.
    for text in ["[13832.647170]", "[0.175s]", "[0000]", "0.175"] {
        assert_eq!(show(clock("UTC").any(text)), "none", "{text}");
    }
}
