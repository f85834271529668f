//! A wall clock that is set while the tail runs.

use std::time::SystemTime;

use super::archives::put;
use super::*;
use crate::tail::inflate::tests::gzip;

const DAY: u64 = 86_400;

/// Writes a file that was changed at a time.
fn stamped(bench: &Bench, name: &str, text: &str, at: SystemTime) {
    bench.write(name, text);
    let file = OpenOptions::new().write(true).open(bench.path(name)).expect("opened");
    file.set_modified(at).expect("stamped");
}

#[test]
fn s33_a_clock_that_jumps_a_day_stalls_nothing_and_has_no_file_ignored() {
    let day = Duration::from_secs(DAY);
    for forward in [true, false] {
        let mut bench = Bench::with(|options| {
            options.files = vec!["*.log".to_owned()];
            options.ignore_older = Some(day / 2);
        });
        let real = SystemTime::now();
        let jumped = if forward { real + day } else { real - day };
        let nanos = i64::try_from(day.as_nanos()).expect("fits");
        let jump = if forward { nanos } else { -nanos };
        bench.write("before.log", "one\n");
        bench.start();

        bench.clock.wall += jump;
        stamped(&bench, "stamped-before.log", "one\n", real);
        stamped(&bench, "stamped-after.log", "one\n", jumped);
        bench.write("before.log", "two\n");
        bench.pass(2);
        for name in ["stamped-before.log", "stamped-after.log"] {
            assert_eq!(bench.text(name), "one\n", "{name}, {forward}");
        }
        // And back again, as when a wrong time server was asked.
        bench.clock.wall -= jump;
        stamped(&bench, "stamped-wrongly.log", "one\n", jumped);
        bench.rename("before.log", "before.log.1");
        stamped(&bench, "before.log", "three\n", real);
        bench.truncate("stamped-after.log");
        bench.write("stamped-after.log", "two\n");
        bench.pass(2);
        stamped(&bench, "old.log", "old\n", real - 3 * day);
        bench.pass(2);

        assert_eq!(bench.text("before.log"), "one\ntwo\nthree\n", "{forward}");
        assert_eq!(bench.text("stamped-before.log"), "one\n", "{forward}");
        assert_eq!(bench.text("stamped-after.log"), "one\ntwo\n", "{forward}");
        let wrongly = bench.text("stamped-wrongly.log");
        // A clock that was behind by a day when it stamped a file makes it a day old for good.
        assert_eq!(wrongly, if forward { "one\n" } else { "" }, "{forward}");
        assert_eq!(bench.text("old.log"), "", "what is old is old by both clocks");
        assert_eq!(bench.stat(|s| &s.lag_bytes), 0, "all is settled and saved");
    }
}

/// A machine without a clock of its own begins in 1970, and one that asks the wrong server may be days
/// ahead for a moment: a rotation that was shipped stays known.
#[test]
fn a_clock_that_jumps_by_years_makes_no_finished_file_new() {
    for early in [true, false] {
        let mut bench = Bench::with(|options| {
            options.files = vec!["app.log".to_owned(), "*.gz".to_owned()];
        });
        let right = bench.clock.wall;
        if early {
            bench.clock.wall = 60_000_000_000;
        }
        let text = lines(1000, 200);
        bench.write("app.log", &text);
        bench.start().pass(2);
        bench.remove("app.log");
        bench.pass(30);
        bench.clock.wall = if early { right } else { right + 9 * 24 * 3_600_000_000_000 };
        bench.write("app.log", "another\n");
        bench.pass(2);
        bench.clock.wall = right;
        bench.write("app.log", "and another\n");
        bench.pass(2).finish();
        put(&bench, "app.log.1.gz", &gzip(text.as_bytes()));
        for _ in 0..2 {
            bench.start().pass(10).finish();
            assert_eq!(bench.text("app.log.1.gz"), "", "{early}: {:?}", bench.log);
        }
        // By a clock that is right all the time they go, when they are old.
        bench.remove("app.log.1.gz");
        bench.start();
        for _ in 0..8 {
            bench.clock.wall += 24 * 3_600_000_000_000;
            bench.clock.instant += Duration::from_secs(24 * 3600);
            bench.write("app.log", "a line\n");
            bench.pass(2);
        }
        bench.finish();
        assert_eq!(bench.saved().tombstones, [], "{early}");
    }
}
