//! The logs the demo writes: one record of each format, as the programs it is named for write it.

use fastrand::Rng;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::planted::{self, pick};

/// A log format, and its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Nginx,
    Json,
    Java,
    Logfmt,
    Cri,
    Syslog,
}

/// A record's text, and the values in it that must not arrive.
#[derive(Debug)]
pub(super) struct Composed {
    /// One line or more, each with its newline.
    pub(super) text: String,
    pub(super) planted: Vec<String>,
}

impl Format {
    pub(super) const ALL: [Self; 6] =
        [Self::Nginx, Self::Json, Self::Java, Self::Logfmt, Self::Cri, Self::Syslog];

    /// Its source's name in the configuration.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Nginx => "web",
            Self::Json => "shop",
            Self::Java => "billing",
            Self::Logfmt => "gateway",
            Self::Cri => "pod",
            Self::Syslog => "host",
        }
    }

    /// Its file's name.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Nginx => "access.log",
            Self::Json => "shop.log",
            Self::Java => "billing.log",
            Self::Logfmt => "gateway.log",
            Self::Cri => "pod.log",
            Self::Syslog => "syslog.log",
        }
    }

    /// The joiner its source names.
    pub(super) fn joiner(self) -> Option<&'static str> {
        (self == Self::Java).then_some("java")
    }

    /// Writes record `number`. Each carries `line-NUMBER` once, by which it is known again.
    pub(super) fn compose(self, number: usize, now: Timestamp, rng: &mut Rng) -> Composed {
        let mut composed = Composed { text: String::new(), planted: Vec::new() };
        let text = match self {
            Self::Nginx => nginx(number, now, rng, &mut composed.planted),
            Self::Json => shop(number, now, rng, &mut composed.planted),
            Self::Java => billing(number, now, rng, &mut composed.planted),
            Self::Logfmt => gateway(number, now, rng, &mut composed.planted),
            Self::Cri => pod(number, now, rng, &mut composed.planted),
            Self::Syslog => syslog(number, now, rng, &mut composed.planted),
        };
        composed.text = text;
        composed
    }
}

fn plant(planted: &mut Vec<String>, value: String) -> String {
    planted.push(value.clone());
    value
}

fn utc(now: Timestamp, format: &str) -> String {
    now.to_zoned(TimeZone::UTC).strftime(format).to_string()
}

fn nginx(number: usize, now: Timestamp, rng: &mut Rng, planted: &mut Vec<String>) -> String {
    let time = utc(now, "%d/%b/%Y:%H:%M:%S %z");
    let path = pick(rng, &["/", "/basket", "/checkout", "/images/logo.svg", "/search"]);
    let query = match rng.u32(0..4) {
        0 => format!("&email={}", plant(planted, planted::email(rng))),
        1 => format!("&token={}", plant(planted, planted::bearer(rng))),
        _ => String::new(),
    };
    let status = pick(rng, &["200", "200", "200", "304", "404", "502"]);
    let bytes = rng.u32(100..50_000);
    format!(
        "198.51.100.{} - - [{time}] \"GET {path}?ref=line-{number}{query} HTTP/1.1\" {status} {bytes} \
         \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\"\n",
        rng.u32(1..255)
    )
}

fn shop(number: usize, now: Timestamp, rng: &mut Rng, planted: &mut Vec<String>) -> String {
    let time = utc(now, "%Y-%m-%dT%H:%M:%S%.3fZ");
    let record = match rng.u32(0..4) {
        0 => {
            let email = plant(planted, planted::email(rng));
            let password = plant(planted, planted::password(rng));
            json!({"time": time, "level": "info", "msg": format!("sign-in line-{number}"),
                "account": {"email": email, "password": password}})
        }
        1 => {
            let card = plant(planted, planted::card(rng));
            json!({"time": time, "level": "info", "msg": format!("paid line-{number} with {card}"),
                "amount": f64::from(rng.u32(100..99_999)) / 100.0, "currency": "EUR"})
        }
        2 => {
            let iban = plant(planted, planted::iban(rng));
            json!({"time": time, "level": "warn", "msg": format!("refund line-{number} delayed"),
                "refund": {"to": iban, "attempts": rng.u32(1..5)}})
        }
        _ => json!({"time": time, "level": "debug", "msg": format!("cache hit line-{number}"),
            "took_ms": rng.u32(0..40), "cached": rng.bool()}),
    };
    format!("{record}\n")
}

fn billing(number: usize, now: Timestamp, rng: &mut Rng, planted: &mut Vec<String>) -> String {
    let time = utc(now, "%Y-%m-%d %H:%M:%S%.3f");
    if rng.u32(0..4) > 0 {
        let invoice = rng.u32(1..9999);
        return format!(
            "{time}  INFO 1 --- [nio-8080-exec-{}] c.example.billing.Invoices       : invoice {invoice} sent, line-{number}\n",
            rng.u32(1..9)
        );
    }
    let email = plant(planted, planted::email(rng));
    let card = plant(planted, planted::card(rng));
    let token = plant(planted, planted::bearer(rng));
    format!(
        "{time} ERROR 1 --- [nio-8080-exec-{}] c.example.billing.Charge         : charge of {email} failed, line-{number}\n\
         java.lang.IllegalStateException: card {card} was declined\n\
         \tat com.example.billing.Charge.run(Charge.java:88)\n\
         \tat com.example.billing.Charge$Retry.call(Charge.java:131)\n\
         \tat java.base/java.lang.Thread.run(Thread.java:1583)\n\
         Caused by: java.io.IOException: gateway said 401 to Authorization: Bearer {token}\n\
         \tat com.example.gateway.Client.post(Client.java:52)\n\
         \t... 3 more\n",
        rng.u32(1..9)
    )
}

fn gateway(number: usize, now: Timestamp, rng: &mut Rng, planted: &mut Vec<String>) -> String {
    let time = utc(now, "%Y-%m-%dT%H:%M:%S%.6fZ");
    let more = match rng.u32(0..3) {
        0 => format!(" user={}", plant(planted, planted::email(rng))),
        1 => {
            let password = plant(planted, planted::password(rng));
            format!(" upstream=\"postgres://shop:{password}@db.internal/orders\"")
        }
        _ => String::new(),
    };
    format!(
        "time={time} level=info msg=\"request done line-{number}\" method=GET status=200 duration={}ms{more}\n",
        rng.u32(1..900)
    )
}

fn pod(number: usize, now: Timestamp, rng: &mut Rng, planted: &mut Vec<String>) -> String {
    let time = utc(now, "%Y-%m-%dT%H:%M:%S%.9fZ");
    let stream = pick(rng, &["stdout", "stdout", "stderr"]);
    match rng.u32(0..3) {
        0 => {
            let key = plant(planted, planted::aws_key(rng));
            format!("{time} {stream} F worker line-{number} uploads with key {key}\n")
        }
        // Cut in two by the container runtime, as it does with lines over 16 KiB.
        1 => {
            let ssn = plant(planted, planted::ssn(rng));
            let (head, tail) = ssn.split_at(5);
            format!(
                "{time} {stream} P worker line-{number} found a form with {head}\n\
                 {time} {stream} F {tail} on it\n"
            )
        }
        _ => format!(
            "{time} {stream} F worker line-{number} is idle, queue depth {}\n",
            rng.u32(0..9)
        ),
    }
}

fn syslog(number: usize, now: Timestamp, rng: &mut Rng, planted: &mut Vec<String>) -> String {
    let time = utc(now, "%b %e %H:%M:%S");
    let process = rng.u32(100..32_000);
    match rng.u32(0..3) {
        0 => {
            let email = plant(planted, planted::email(rng));
            format!(
                "<22>{time} web-1 postfix/smtp[{process}]: line-{number}: to=<{email}>, relay=none, status=deferred\n"
            )
        }
        1 => {
            let ssn = plant(planted, planted::ssn(rng));
            format!("<14>{time} web-1 payroll[{process}]: line-{number}: no match for SSN {ssn}\n")
        }
        _ => format!(
            "<86>{time} web-1 sshd[{process}]: line-{number}: session opened for user deploy\n"
        ),
    }
}

/// The number of the record a text belongs to: of its first `line-NUMBER`.
pub(super) fn number_in(text: &str) -> Option<usize> {
    let (_, rest) = text.split_once("line-")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end)?.parse().ok()
}
