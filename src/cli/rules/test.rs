//! `pillion rules test`: what the rules find in logs of one's own, each with what stands around it. The
//! value itself is never shown: everything here comes from the redacted record.

use std::io::Write;

use clap::Args;
use pillion_parsers::redact::Clean;
use serde_json::json;

use super::tally::{Found, Spot, Tally, share};
use super::{LogsArgs, masking, print_json, survey};
use crate::cli::Failure;
use crate::cli::colour::Colours;

/// Arguments of `rules test`.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    logs: LogsArgs,
    /// Only this rule, also if it is off; may be given several times [default: all that are on].
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,
    /// Show so many places of each rule.
    #[arg(long, value_name = "COUNT", default_value_t = 5,
          value_parser = clap::value_parser!(u16).range(0..=1_000))]
    limit: u16,
}

pub(super) fn run(args: &TestArgs, colours: Colours) -> Result<(), Failure> {
    let settings = survey::settings(&args.logs, |settings| masking(settings, &args.rule))?;
    let mut tally = Tally::new(&settings.redact, args.limit.into());
    let lines = survey::survey(&args.logs, &settings, |log, line, explained| {
        tally.take(log, line, explained);
    })?;
    let wanted = |found: &&Found| args.rule.is_empty() || args.rule.contains(&found.name);
    let rules: Vec<_> = tally.rules.iter().filter(wanted).collect();
    let names = survey::names(&args.logs, &settings);
    let mut out = std::io::stdout().lock();
    if args.logs.json {
        let rules: Vec<_> = rules.iter().map(|found| as_json(found, &names)).collect();
        return print_json(&mut out, &tally.as_json(lines, rules));
    }
    if rules.is_empty() {
        let what = "redaction is off: name a rule with `--rule`, or see `pillion rules audit`";
        return Err(Failure::Other(what.to_owned()));
    }
    for found in rules.iter().filter(|found| found.matches > 0) {
        show(&mut out, found, &tally, &names, colours)?;
    }
    let quiet: Vec<_> =
        rules.iter().filter(|found| found.matches == 0).map(|found| found.name.as_str()).collect();
    writeln!(out, "{}", tally.summary(lines))?;
    if !quiet.is_empty() {
        writeln!(out, "found nothing: {}", quiet.join(", "))?;
    }
    Ok(())
}

fn show(
    out: &mut impl Write,
    found: &Found,
    tally: &Tally,
    names: &[Clean],
    colours: Colours,
) -> std::io::Result<()> {
    let Colours { strong, faint, .. } = colours;
    let (name, matches, records) = (&found.name, found.matches, found.records);
    let share = share(records, tally.records);
    writeln!(out, "{strong}{name}{strong:#}: {matches} found in {records} records ({share})")?;
    let places: Vec<_> = found.spots.iter().map(|(spot, _)| spot.place(names)).collect();
    let width = places.iter().map(|place| place.chars().count()).max().unwrap_or(0);
    let field = found.spots.iter().map(|(spot, _)| spot.field.chars().count()).max().unwrap_or(0);
    for ((spot, context), place) in found.spots.iter().zip(places) {
        let context = colours.marked(context);
        writeln!(out, "  {place:<width$}  {:<field$}  {context}", spot.field)?;
    }
    let more = found.matches - found.spots.len() as u64;
    if more > 0 {
        writeln!(out, "  {faint}and {more} more: `--limit` shows them{faint:#}")?;
    }
    Ok(())
}

fn as_json(found: &Found, names: &[Clean]) -> serde_json::Value {
    let spot = |(spot, context): &(Spot, String)| {
        let mut shown = spot.as_json(names);
        shown.insert("context".to_owned(), context.as_str().into());
        serde_json::Value::Object(shown)
    };
    let shown: Vec<_> = found.spots.iter().map(spot).collect();
    json!({
        "rule": found.name, "token": found.token, "matches": found.matches,
        "records": found.records, "shown": shown,
    })
}
