//! Steps on the common path allocate nothing: they are asked about every record.

#![expect(clippy::expect_used, reason = "a test that cannot go on is a failed test")]

use pillion_parsers::Arena;
use pillion_parsers::condition::Condition;
use pillion_parsers::record::{Key, Level, Record, Text, Value};
use pillion_parsers::step::{
    Action, Addition, Identity, Moment, Rate, Sample, Step, Stepper, Template, Throttle,
};

const JSON: &str = r#"{"id":1,"headers":{"cookie":"x","host":"h"}}"#;

fn steps() -> Vec<Step> {
    let condition = |text: &str| Condition::new(text).expect("sound");
    let template = |text: &str| Template::new(text).expect("sound");
    let fields = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned())).collect()
    };
    let rate = Rate { records: 1_000_000, per: 1_000_000_000 };
    let actions = [
        Action::Drop(condition(r#"level == "debug" && !message.contains("slow")"#)),
        Action::Keep(condition(
            r#"status in [200, 503] && message.matches("s.ow") && size(req) == 2"#,
        )),
        Action::Rename(fields(&[("remote", "client_ip"), ("status", "code")])),
        Action::Remove(vec!["req.headers.cookie".to_owned()]),
        Action::Add(vec![
            ("copy".to_owned(), Addition::Text(template("{code}"))),
            ("joined".to_owned(), Addition::Text(template("{level} {req.headers.host} {code}"))),
        ]),
        Action::Sample(Sample::rate(1.0, Some("client_ip".to_owned()))),
        Action::Throttle(Throttle::new(rate, 1_000_000, Some(template("{client_ip}")))),
    ];
    let step = |(index, action)| Step { name: format!("s{index}"), when: None, action };
    actions.into_iter().enumerate().map(step).collect()
}

#[test]
fn steps_allocate_nothing_once_they_are_warm() {
    let steps = steps();
    let which: Vec<_> = (0..steps.len()).collect();
    let mut stepper = Stepper::default();
    let mut arena = Arena::with_capacity(4096);
    let mut spare: Record<'static> = Record::default();
    let mut run = |offset: u64| {
        let mut record = std::mem::take(&mut spare).recycle();
        record.level = Some(Level::Debug);
        record.message = Some(Text::raw_escaped(r#"a \"slow\" one"#));
        for (key, value) in [
            ("remote", Value::Text(Text::raw("10.0.0.1"))),
            ("status", Value::Number("503")),
            ("req", Value::Json(JSON)),
        ] {
            record.push(Key::Text(Text::raw(key)), value);
        }
        let identity = Identity { file: 1, offset, hash: 2 };
        let moment = Moment { identity, read_at: 0, throttled_at: 0, max_record: 1 << 18 };
        let dropped = stepper.run(&steps, &which, moment, &arena, &mut record);
        assert_eq!(dropped, None);
        assert_eq!(record.fields.len(), 5);
        spare = record.recycle();
        arena.reset();
    };
    (0..10).for_each(&mut run);
    let counted = allocation_counter::measure(|| (10..1_000).for_each(&mut run));
    // A pattern's matcher may learn something more; nothing is allocated for each record.
    assert!(counted.count_total < 10, "{counted:?}");
}
