//! Whole configurations from `fixtures/configs/`: the good ones mean what they should, the bad ones
//! are refused with exactly the message in the `.txt` beside them. `PILLION_BLESS=1` rewrites those.

mod guarded;
mod hidden;
mod over;
mod parsers;
mod properties;
mod schema;

use std::path::{Path, PathBuf};
use std::time::Duration;

use pillion_parsers::multiline::Part;
use pillion_parsers::step::{Action, Addition, Template};

use super::settings::*;
use super::*;

fn fixtures(kind: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/configs").join(kind);
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .expect("fixtures")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

/// What the fixtures find in the environment.
fn environment(name: &str) -> Option<String> {
    let value = match name {
        "PILLION_STATE" => "/var/lib/pillion",
        "ENV" => "staging",
        "EMPTY" => "",
        "MEMORY" => "16MiB",
        "NUMBER" => "3",
        "INJECTION" => "a]\ndestinations: {x: {console: {}}}\nto: [b, c]",
        "CREDENTIAL" => "sesame",
        _ => return None,
    };
    Some(value.to_owned())
}

fn text(content: &str) -> Result<Settings, Diagnostics> {
    from_text("test.yaml", content, &environment)
}

fn from_text_bytes(bytes: Vec<u8>) -> Result<Settings, Diagnostics> {
    from_bytes("x", bytes, &Over::default(), &environment)
}

#[test]
fn bad_configurations_are_refused_in_these_words() {
    let bless = std::env::var_os("PILLION_BLESS").is_some();
    for path in fixtures("bad") {
        let name = path.file_name().expect("a name").to_string_lossy();
        let content = std::fs::read(&path).expect("readable");
        let Err(found) = from_bytes(&name, content, &Over::default(), &environment) else {
            panic!("{name} is accepted")
        };
        let shown = format!("{found}\n");
        let expected = path.with_extension("txt");
        if bless {
            std::fs::write(&expected, &shown).expect("written");
            continue;
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        assert_eq!(shown, expected, "{name}: PILLION_BLESS=1 rewrites what is expected");
    }
}

#[test]
fn good_configurations_are_accepted() {
    for path in fixtures("good") {
        let name = path.display().to_string();
        let settings = load(&path, &Over::default(), &environment).expect(&name);
        assert!(!settings.sources.is_empty() && !settings.destinations.is_empty(), "{name}");
    }
}

fn good(name: &str) -> Settings {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/configs/good").join(name);
    load(&path, &Over::default(), &environment).expect(name)
}

#[test]
fn the_smallest_file_gets_the_defaults() {
    let settings = good("smallest.yaml");
    assert_eq!((settings.memory, settings.pin), (12 << 20, 256 << 20));
    assert_eq!(settings.state, Path::new("/var/lib/pillion"));
    assert_eq!(settings.threads.get(), 1);
    assert_eq!(settings.admin, Some("127.0.0.1:2028".parse().expect("an address")));
    assert_eq!((settings.schema, settings.namespace.as_str()), (Schema::Ecs, "app"));
    let [source] = settings.sources.as_slice() else { panic!("one source") };
    assert_eq!(source.files, ["/var/log/app/*.log"]);
    assert_eq!((source.start_at, source.ignore_older), (StartAt::Beginning, None));
    assert_eq!((source.max_record, source.parser()), (256 << 10, "auto"));
    assert_eq!((&source.multiline, source.to.as_slice()), (&Multiline::Default, [0].as_slice()));
    let [destination] = settings.destinations.as_slice() else { panic!("one destination") };
    assert_eq!(destination.batch.bytes, 5 << 20);
    assert_eq!(destination.batch.linger, Duration::from_secs(1));
    assert_eq!(destination.compression, Compression::Fast);
    assert_eq!(destination.when_full, WhenFull::Block);
    let DestinationKind::Elasticsearch(server) = &destination.kind else { panic!("of this kind") };
    assert_eq!(server.urls, ["http://elasticsearch:9200"]);
    assert_eq!(server.index, "logs-shop-prod");
    assert!(matches!(server.auth, Auth::None) && server.ids && !server.lenient);
    assert_eq!(server.timeout, Duration::from_secs(90));
}

#[test]
fn a_full_file_means_what_it_says() {
    let settings = good("full.yaml");
    assert_eq!((settings.memory, settings.pin), (24 << 20, 0));
    assert_eq!((settings.threads.get(), settings.admin), (2, None));
    assert_eq!(settings.schema, Schema::Flat);
    assert!(settings.library.definition("orders").is_some());
    let source =
        |name: &str| settings.sources.iter().find(|source| source.name == name).expect("a source");
    let app = source("app");
    assert_eq!(app.exclude, ["*.gz"]);
    assert_eq!(app.links_to, [Path::new("/var/log/pods")]);
    assert_eq!(app.ignore_older, Some(Duration::from_secs(7 * 86_400)));
    assert_eq!(app.multiline, Multiline::Named("java".into()));
    assert_eq!(app.fields["env"], "staging");
    assert_eq!(app.fields["service.name"], "shop");
    assert_eq!(app.to, [0, 1, 2]);
    let access = source("access");
    assert_eq!((access.start_at, access.to.as_slice()), (StartAt::End, [0].as_slice()));
    assert_eq!(access.multiline, Multiline::Patterns(vec![(Part::Start, r"^\d{4}-".into())]));
    let DestinationKind::Elasticsearch(search) = &settings.destinations[0].kind else {
        panic!("of this kind")
    };
    assert_eq!(search.urls.len(), 2);
    let Auth::ApiKey(key) = &search.auth else { panic!("an API key") };
    assert_eq!(key.read().as_deref(), Ok("id:sesame"));
    assert!(!format!("{settings:?}").contains("sesame"));
    let DestinationKind::Loki(loki) = &settings.destinations[1].kind else {
        panic!("of this kind")
    };
    assert_eq!(loki.labels["level"], "{level}");
    assert_eq!((loki.tenant.as_deref(), loki.timeout), (Some("shop"), Duration::from_secs(15)));
    assert_eq!(settings.destinations[1].batch.bytes, 1 << 20);
}

#[test]
fn anchors_and_merges_work() {
    let settings = good("anchors.yaml");
    let parsers: Vec<_> = settings.sources.iter().map(|source| source.parser()).collect();
    assert_eq!(parsers, ["plain", "plain"]);
    assert_eq!(settings.sources[1].max_record, 64 << 10);
}

#[test]
fn what_interpolation_brings_stays_a_value() {
    let config = "
sources: { a: { files: '/l/${INJECTION}', fields: { k: '${INJECTION}' } } }
destinations: { b: { console: {} }, c: { console: {} } }
";
    let settings = text(config).expect("accepted");
    assert_eq!(settings.sources[0].fields["k"], environment("INJECTION").expect("set"));
    assert_eq!(settings.sources[0].files.len(), 1);
    assert_eq!((settings.destinations.len(), settings.sources[0].to.len()), (2, 2));
    let found = text(&config.replace("fields: { k: '${INJECTION}' }", "to: '${INJECTION}'"));
    let found = found.expect_err("no such destination");
    assert_eq!(found.messages().collect::<Vec<_>>(), ["there is no destination `${INJECTION}`"]);
}

#[test]
fn a_zone_is_a_value_and_a_format_is_none() {
    let with = |zone: &str| {
        text(&format!(
            "
parsers:
  p:
    pattern: '^(?<time>.*)$'
    time: {{ format: '%Y-%m-%d %H:%M', zone: '{zone}' }}
    samples: [{{ line: '2026-11-22 10:00', record: {{ time: '2026-11-22T09:00:00Z' }} }}]
sources: {{ a: {{ files: /l/a, parser: p }} }}
destinations: {{ b: {{ console: {{}} }} }}
"
        ))
    };
    with("${UNSET:-Europe/Berlin}").expect("accepted");
    let found = with("${UNSET}").expect_err("refused");
    assert!(found.to_string().contains("the environment variable `UNSET` is not set"), "{found}");
}

#[test]
fn files_of_secrets_are_read_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("key");
    std::fs::write(&path, "first\n").expect("written");
    let settings = text(&format!(
        "sources: {{a: {{files: /l/a}}}}
destinations: {{b: {{elasticsearch: {{url: http://es, index: x, bearer: '${{file:{}}}'}}}}}}",
        path.display()
    ))
    .expect("accepted");
    let DestinationKind::Elasticsearch(server) = &settings.destinations[0].kind else {
        panic!("of this kind")
    };
    let Auth::Bearer(secret) = &server.auth else { panic!("a token") };
    std::fs::write(&path, "second\n").expect("written");
    assert_eq!(secret.read().as_deref(), Ok("second"));
}

fn state(directory: &str) -> Over {
    Over { state: Some(directory.to_owned()), ..Over::default() }
}

#[test]
fn without_a_file() {
    let strings = |values: &[&str]| values.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let files = strings(&["/var/log/my app/{a,b}.log,/m/*.log", "/n/*.log"]);
    let to = strings(&["elasticsearch=http://es:9200", "loki=http://l,loki=http://m", "console"]);
    let settings = from_simple(&files, &to, &Over::default(), &environment).expect("accepted");
    let globs = ["/var/log/my app/{a,b}.log", "/m/*.log", "/n/*.log"];
    assert_eq!(settings.sources[0].files, globs);
    let names: Vec<_> = settings.destinations.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["elasticsearch", "loki", "loki-2", "console"]);
    let DestinationKind::Elasticsearch(server) = &settings.destinations[0].kind else {
        panic!("of this kind")
    };
    assert_eq!((server.urls[0].as_str(), server.index.as_str()), ("http://es:9200", DEFAULT_INDEX));
    assert_eq!(settings.state, Path::new("/var/lib/pillion"));

    let environment = |name: &str| match name {
        "PILLION_FILES" => Some("/l/{a,b}.log, /m/*.log /n".to_owned()),
        "PILLION_TO" => Some("file=/tmp/out".to_owned()),
        _ => None,
    };
    assert!(is_simple(&[], &[], &environment) && !is_simple(&[], &[], &|_| None));
    let settings = from_simple(&[], &[], &state("/s"), &environment).expect("accepted");
    assert_eq!(settings.sources[0].files, ["/l/{a,b}.log", "/m/*.log", "/n"]);
    assert_eq!(settings.state, Path::new("/s"));
}

#[test]
fn mistakes_without_a_file_are_shown_in_the_option() {
    let files = ["var/log/*.log".to_owned()];
    let to = ["elasticserch=http://es:9200".to_owned(), "loki=loki:3100".to_owned()];
    let found = from_simple(&files, &to, &state("here"), &environment).expect_err("refused");
    let expected = "\
error: `var/log/*.log` is not absolute
 --> --files:1:1
  |
1 | var/log/*.log
  | ^^^^^^^^^^^^^
  |
  = help: begin it with `/`

error: there is no kind of destination `elasticserch`
 --> --to:1:1
  |
1 | elasticserch=http://es:9200
  | ^^^^^^^^^^^^
  |
  = help: did you mean `elasticsearch`?

error: the URL does not say how to connect
 --> --to:1:6
  |
1 | loki=loki:3100
  |      ^^^^^^^^^
  |
  = help: begin it with `http://` or `https://`, like `http://loki:3100`

error: `here` is not absolute
 --> --state:1:1
  |
1 | here
  | ^^^^
  |
  = help: begin it with `/`

4 mistakes in the command line";
    assert_eq!(found.to_string(), expected);
    let found = from_simple(&[], &[], &Over::default(), &environment).expect_err("refused");
    assert_eq!(
        found.messages().collect::<Vec<_>>(),
        ["no files are named", "no destination is named"]
    );
}

#[test]
fn the_memory_needed_is_the_sum_of_its_parts() {
    let need = memory::Need::of(&good("full.yaml"));
    let batches: usize = need.batches.iter().map(|(_, bytes)| bytes).sum();
    let taken: usize = need.taken.iter().map(|(_, bytes)| bytes).sum();
    assert!(taken > 0, "there is a disk buffer");
    assert_eq!(need.total(), 2 * (need.chunk + need.record + batches) + taken);
    assert!(need.to_string().ends_with(&format!("= {}", units::shown(need.total()))), "{need}");
}

/// Else reading would stop first, and a destination in trouble that is to be dropped for would hold up all.
#[test]
fn what_may_be_held_before_dropping_fits_into_what_reads_may_fill() {
    const MIB: usize = 1 << 20;
    let kinds = [
        ("loki: {url: 'http://h:3100', labels: {app: a}, format: protobuf}", [1, 2, 4].as_slice()),
        ("loki: {url: 'http://h:3100', labels: {app: a}, format: json}", &[1, 2, 4]),
        ("elasticsearch: {url: 'http://h:9200', index: logs-a-b}", &[1, 4, 8]),
        ("console: {}", &[1, 4]),
    ];
    let mut accepted = 0;
    for (kind, batches) in kinds {
        for (batch, memory) in batches.iter().flat_map(|b| (2..40).map(move |m| (b, m))) {
            for (destinations, threads) in [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (1, 4)] {
                let one =
                    format!("{{when_full: drop_newest, batch: {{bytes: {batch}MiB}}, {kind}}}");
                let all: String = (0..destinations).map(|it| format!("  d{it}: {one}\n")).collect();
                let content = format!(
                    "state: /data\nmemory: {memory}MiB\nthreads: {threads}\n\
                     sources: {{a: {{files: [/l/*.log]}}}}\ndestinations:\n{all}"
                );
                let settings = match text(&content) {
                    Ok(settings) => settings,
                    Err(found) => {
                        assert!(found.to_string().contains("memory"), "{found}");
                        continue;
                    }
                };
                let share = memory::drop_share(&settings);
                let chunk = memory::chunk_share(memory::CHUNK, &settings.destinations);
                // One thread sees the share as held, and each other has as good as half of one open.
                let held = destinations * (share + share / 2 * (threads - 1));
                let room = memory * MIB - memory::set_aside(&settings);
                assert!(
                    share > 0 && held + threads * chunk <= room,
                    "{share} of {room}\n{content}"
                );
                accepted += 1;
            }
        }
    }
    assert!(accepted > 500, "{accepted}");
}

#[test]
fn a_bomb_of_aliases_is_refused_before_it_goes_off() {
    let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for level in 1..12 {
        let before = level - 1;
        let aliases = vec![format!("*a{before}"); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let found = text(&bomb).expect_err("refused");
    assert!(found.to_string().contains("too large once aliases are resolved"), "{found}");
    let deep = format!("a: {}", "[".repeat(5000));
    assert_eq!(text(&deep).expect_err("refused").count(), 1);
    let mut chain = String::from("a0: &a0 [x]\n");
    for level in 1..500 {
        chain.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(text(&chain).expect_err("refused").to_string().contains("nested deeper"));
    assert!(text("a: &a [*a]").is_err());
}

#[test]
fn a_file_that_cannot_be_read_is_said_so() {
    let found = load(Path::new("/nowhere/pillion.yaml"), &Over::default(), &environment)
        .expect_err("refused");
    assert!(
        found.to_string().starts_with(
            "error: cannot read the configuration `/nowhere/pillion.yaml`: no such file"
        )
    );
    assert!(load(Path::new("/"), &Over::default(), &environment).is_err());
    let found = from_text_bytes(b"a: 1\nb: \xff".to_vec()).expect_err("refused");
    assert_eq!(found.messages().collect::<Vec<_>>(), ["line 2 of `x` is not UTF-8"]);
    assert!(from_text_bytes(vec![b' '; FILE_LIMIT + 1]).is_err());
}

#[test]
fn steps_at_the_top_come_before_a_sources_own() {
    let settings = good("steps.yaml");
    let names: Vec<_> = settings.steps.iter().map(|step| step.name.as_str()).collect();
    let top = ["drop-1", "rename-2", "remove-3", "health", "add-5"];
    let own = ["app/sample-1", "app/throttle-2", "app/throttle-3", "plain/keep-1"];
    assert_eq!(names, [&top[..], &own[..]].concat());
    let steps: Vec<_> = settings.sources.iter().map(|source| source.steps.clone()).collect();
    assert_eq!(steps, [vec![0, 1, 2, 3, 4, 5, 6, 7], vec![0, 1, 2, 3, 4, 8]]);
    let with: Vec<_> = settings.steps.iter().map(|step| step.when.is_some()).collect();
    assert_eq!(with, [false, false, false, false, true, true, false, true, false]);
    let Action::Add(added) = &settings.steps[4].action else { panic!("it adds") };
    let text = |text: &str| Addition::Text(Template::new(text).expect("sound"));
    let expect = [
        ("env", text("staging")),
        ("request", text("{method} {target}")),
        ("version", Addition::Int(3)),
        ("ratio", Addition::Float(0.5)),
        ("beta", Addition::Bool(true)),
        ("zip", text("01234")),
        ("id", text("7")),
    ];
    assert_eq!(*added, expect.map(|(name, value)| (name.to_owned(), value)));
}
