//! `pillion test`: every sample that a configuration carries, run anew, and fixtures.

mod fixtures;

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use pillion_parsers::parse::Library;
use pillion_parsers::redact::{Redactor, RuleFile, RuleSelection, Rules};

use self::fixtures::Fixture;
use super::{ConfigArgs, Failure, replay};
use crate::config::settings::Settings;

/// Arguments of `test`.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    /// Fixtures: `LOG=EXPECTED`, a log and the file of the records it must give (as `replay --expect`
    /// writes it); or a directory with an input.log and an expected.ndjson, or of such directories.
    #[arg(value_name = "FIXTURE")]
    fixtures: Vec<String>,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    how: replay::HowArgs,
}

/// What was run.
#[derive(Default)]
struct Run {
    parsers: usize,
    own_parsers: usize,
    rules: usize,
    fixtures: usize,
    failed: usize,
}

/// The samples of the configuration's own parsers and rules are part of its check, which shows each
/// that does not come out as it says with its place; the parsers' are run here once more, with those
/// that are built in. Every failure is shown.
pub(super) fn run(args: &TestArgs) -> Result<(), Failure> {
    let settings = args.config.load_or_default()?;
    let mut fixtures = Vec::new();
    for argument in &args.fixtures {
        fixtures.extend(fixtures::named(argument)?);
    }
    let mut run = Run { rules: settings.rule_samples, ..Run::default() };
    let mut out = std::io::stdout().lock();
    parser_samples(&settings, &mut run, &mut out)?;
    for rule in Rules::builtin() {
        rule_samples(rule, &mut run, &mut out)?;
    }
    for fixture in &fixtures {
        run.fixtures += 1;
        if !as_expected(fixture, args, &settings, &mut out)? {
            run.failed += 1;
        }
    }
    let Run { parsers, own_parsers, rules, fixtures, failed } = run;
    let own_rules = settings.rule_samples;
    let ran = format!(
        "{parsers} samples of parsers ({own_parsers} of the configuration's), {rules} of redaction \
         rules ({own_rules} of the configuration's) and {fixtures} fixtures"
    );
    if failed > 0 {
        return Err(Failure::Other(format!("{failed} of {ran} do not come out as they say")));
    }
    writeln!(out, "{ran} come out as they say")?;
    Ok(())
}

fn parser_samples(settings: &Settings, run: &mut Run, out: &mut impl Write) -> Result<(), Failure> {
    let builtin = Library::builtin();
    for name in settings.library.names() {
        // Of those built in, not what the rules of this configuration leave of them.
        let definition = builtin.definition(name).or_else(|| settings.library.definition(name));
        let Some(definition) = definition else { continue };
        for (index, sample) in definition.samples.iter().enumerate() {
            run.parsers += 1;
            run.own_parsers += usize::from(builtin.definition(name).is_none());
            let mut alone = definition.clone();
            alone.samples = vec![sample.clone()];
            if let Err(error) = alone.check() {
                run.failed += 1;
                writeln!(out, "sample {} of parser {name}: {error}", index + 1)?;
            }
        }
    }
    Ok(())
}

/// Runs a built-in rule's samples, by itself.
fn rule_samples(rule: &RuleFile, run: &mut Run, out: &mut impl Write) -> Result<(), Failure> {
    let only = RuleSelection { rules: vec![rule.name.clone()], ..RuleSelection::standard() };
    let rules = Rules::build(only).map_err(|error| Failure::Other(error.to_string()))?;
    let mut redactor = Redactor::new(Arc::new(rules));
    let redacted = rule.must_redact.iter().map(|sample| (sample, true));
    let left = rule.must_leave.iter().map(|sample| (sample, false));
    for (sample, wanted) in redacted.chain(left) {
        run.rules += 1;
        if (&*redactor.clean(sample) != sample.as_str()) != wanted {
            run.failed += 1;
            let what = if wanted { "redacted" } else { "left alone" };
            writeln!(out, "redaction rule {}: `{sample}` is not {what}", rule.name)?;
        }
    }
    Ok(())
}

/// Whether a log's records are those expected; shows the first that are not.
fn as_expected(
    fixture: &Fixture,
    args: &TestArgs,
    settings: &Settings,
    out: &mut impl Write,
) -> Result<bool, Failure> {
    let Fixture { log, expected } = fixture;
    let found = args.how.records(settings, log)?;
    let wanted = std::fs::read(expected)
        .map_err(|error| Failure::Other(format!("{}: {error}", expected.display())))?;
    Ok(replay::differing(expected, &wanted, &found, out)? == 0)
}
