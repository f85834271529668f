//! `pillion rules audit`: what each rule would find in logs, whether it is on or off, and which to switch
//! on. Nothing is changed.

use std::io::Write;

use clap::Args;
use pillion_parsers::redact::{Clean, Rules};
use serde_json::json;

use super::tally::{Found, Tally, share};
use super::{LogsArgs, masking, print_json, survey};
use crate::cli::Failure;
use crate::cli::colour::Colours;

/// Fields that are listed of a rule.
const FIELDS: usize = 4;

/// Arguments of `rules audit`.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    #[command(flatten)]
    logs: LogsArgs,
}

pub(super) fn run(args: &AuditArgs, colours: Colours) -> Result<(), Failure> {
    let mut on = Vec::new();
    let mut listed = Vec::new();
    let settings = survey::settings(&args.logs, |settings| {
        on = settings.redact.names().to_vec();
        let selection = settings.selection.as_ref();
        listed = selection.map_or_else(Vec::new, |selection| selection.rules.clone());
        let custom = selection.into_iter().flat_map(|it| &it.custom).map(|rule| &rule.name);
        let all = Rules::builtin().iter().map(|rule| &rule.name).chain(custom).cloned();
        masking(settings, &all.collect::<Vec<_>>())
    })?;
    let mut tally = Tally::new(&settings.redact, 0);
    let lines = survey::survey(&args.logs, &settings, |log, line, explained| {
        tally.take(log, line, explained);
    })?;
    let names = survey::names(&args.logs, &settings);
    let mut out = std::io::stdout().lock();
    let missing = tally.rules.iter().filter(|found| found.matches > 0 && !on.contains(&found.name));
    let mut missing: Vec<_> = missing.collect();
    missing.sort_by_key(|found| std::cmp::Reverse(found.records));
    let missing: Vec<_> = missing.into_iter().map(|found| found.name.clone()).collect();
    if args.logs.json {
        let as_json = |found: &Found| as_json(found, on.contains(&found.name), &tally, &names);
        let rules = tally.rules.iter().map(as_json).collect();
        let mut whole = tally.as_json(lines, rules);
        whole["switch_on"] = missing.into();
        return print_json(&mut out, &whole);
    }
    table(&mut out, &tally, &on, &names, colours)?;
    writeln!(out, "{}", tally.summary(lines))?;
    let quiet = tally.rules.iter().filter(|found| found.matches == 0).count();
    writeln!(out, "{quiet} of {} rules found nothing", tally.rules.len())?;
    advise(&mut out, &missing, &listed, args, &names)
}

/// One line for each rule that found something, those with most records first.
fn table(
    out: &mut impl Write,
    tally: &Tally,
    on: &[String],
    names: &[Clean],
    colours: Colours,
) -> Result<(), Failure> {
    let mut found: Vec<_> = tally.rules.iter().filter(|found| found.matches > 0).collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.records));
    let head = ["rule", "now", "records", "share", "matches", "first", "fields"].map(str::to_owned);
    let row = |found: &&Found| {
        let state = if on.contains(&found.name) { "on" } else { "off" };
        let first = found.first.as_ref().map_or_else(String::new, |spot| spot.place(names));
        let share = share(found.records, tally.records);
        let (records, matches) = (found.records.to_string(), found.matches.to_string());
        [found.name.clone(), state.to_owned(), records, share, matches, first, fields(found)]
    };
    let rows: Vec<_> = std::iter::once(head).chain(found.iter().map(row)).collect();
    let width = |at: usize| {
        rows.iter().filter_map(|row| row.get(at)).map(|it| it.chars().count()).max().unwrap_or(0)
    };
    let (a, b, c, d, e, f) = (width(0), width(1), width(2), width(3), width(4), width(5));
    for (index, [rule, state, records, share, matches, first, fields]) in rows.iter().enumerate() {
        let style = if index == 0 { colours.strong } else { Default::default() };
        writeln!(
            out,
            "{style}{rule:<a$}  {state:<b$}  {records:>c$}  {share:>d$}  {matches:>e$}  {first:<f$}  \
             {fields}{style:#}"
        )?;
    }
    Ok(())
}

/// The fields of a rule, those with most matches first.
fn fields(found: &Found) -> String {
    let fields = found.by_count();
    let more = if fields.len() > FIELDS { ", …" } else { "" };
    let shown: Vec<_> = fields.iter().take(FIELDS).map(|(name, _)| *name).collect();
    format!("{}{more}", shown.join(", "))
}

/// Which rules to switch on, how to look at them first, and what to write.
fn advise(
    out: &mut impl Write,
    missing: &[String],
    listed: &[String],
    args: &AuditArgs,
    names: &[Clean],
) -> Result<(), Failure> {
    if missing.is_empty() {
        writeln!(out, "every rule that found something is on")?;
        return Ok(());
    }
    let wanted: Vec<_> = missing.iter().map(|name| format!("--rule {name}")).collect();
    // A path with something to hide in it is not repeated.
    let typed = args.logs.logs.iter().map(|log| log.to_string_lossy());
    let same = typed.clone().zip(names).all(|(typed, name)| typed == **name);
    let logs = if same { typed.collect::<Vec<_>>().join(" ") } else { "LOG".to_owned() };
    writeln!(out, "off, and would find something: {}", missing.join(", "))?;
    writeln!(out, "look at what they take:  pillion rules test {} {logs}", wanted.join(" "))?;
    // What is taken out by name would not come in by it.
    let is_missing = |typed: &&String| {
        typed.trim().strip_prefix('-').is_some_and(|name| missing.iter().any(|it| it == name))
    };
    let only_taken = !listed.is_empty() && listed.iter().all(|typed| typed.trim().starts_with('-'));
    let default = (listed.is_empty() || only_taken).then_some("default");
    let kept = listed.iter().filter(|typed| !is_missing(typed)).map(|typed| typed.trim());
    let rules: Vec<_> =
        default.into_iter().chain(kept).chain(missing.iter().map(String::as_str)).collect();
    writeln!(out, "switch them on:          redact: {{ rules: [{}] }}", rules.join(", "))?;
    Ok(())
}

fn as_json(found: &Found, on: bool, tally: &Tally, names: &[Clean]) -> serde_json::Value {
    let fields: serde_json::Map<_, _> =
        found.by_count().into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect();
    let first = found.first.as_ref().map(|spot| spot.as_json(names));
    json!({
        "rule": found.name, "token": found.token, "on": on, "records": found.records,
        "share": found.records as f64 / tally.records.max(1) as f64, "matches": found.matches,
        "first": first, "fields": fields,
    })
}
