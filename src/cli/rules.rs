//! `pillion rules`: the redaction rules that are built in; what rules find in logs of one's own, and what
//! others would.

mod around;
mod audit;
mod list;
mod survey;
mod tally;
mod test;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Subcommand};
use pillion_parsers::redact::{RuleError, RuleFile, RuleSelection, Rules};

use self::list::ListArgs;
use super::colour::{Colours, When};
use super::{ConfigArgs, Failure};
use crate::config::settings::Settings;

/// Arguments of `rules`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct RulesArgs {
    #[command(flatten)]
    list: ListArgs,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show what the configuration's rules find in logs: where, and what stands around it. What is found
    /// is never shown.
    Test(test::TestArgs),
    /// Count what each rule would find in logs, those that are off too, and say which to switch on.
    Audit(audit::AuditArgs),
}

/// Which logs are looked at, and how they are read.
#[derive(Debug, Args)]
struct LogsArgs {
    /// The logs; `-` is standard input, and what gzip compressed is decompressed.
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Read the logs as this source of the configuration would [default: the one whose `files` match
    /// a log's path, else the first].
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Read the lines by this parser [default: the source's, `auto` without a configuration].
    #[arg(long, value_name = "NAME")]
    parser: Option<String>,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &RulesArgs, colour: When) -> Result<(), Failure> {
    let colours = Colours::for_stdout(colour);
    match &args.verb {
        None => list::run(&args.list, colours),
        Some(Verb::Test(args)) => test::run(args, colours),
        Some(Verb::Audit(args)) => audit::run(args, colours),
    }
}

/// The rules of the configuration and these besides, each masking what it finds.
fn masking(settings: &Settings, more: &[String]) -> Result<Arc<Rules>, Failure> {
    let none = || RuleSelection { rules: Vec::new(), ..RuleSelection::default() };
    let mut selection = settings.selection.clone().unwrap_or_else(none).masked();
    // The built-in ones by name: a list that only takes out stands for the default rules without those.
    let on = |rule: &&RuleFile| settings.redact.names().contains(&rule.name);
    let on = Rules::builtin().iter().filter(on).map(|rule| rule.name.clone());
    let is_custom = |name: &str| selection.custom.iter().any(|rule| rule.name == name);
    let taken = |typed: &&String| typed.trim().strip_prefix('-').is_some_and(is_custom);
    let taken = selection.rules.iter().filter(taken).cloned();
    selection.rules = on.chain(taken).chain(more.iter().cloned()).collect();
    match Rules::build(selection) {
        Ok(rules) => Ok(Arc::new(rules)),
        Err(RuleError::NothingOn) => Ok(Arc::new(Rules::off())),
        Err(error @ RuleError::Unknown { .. }) => {
            Err(Failure::Other(format!("{error}; `pillion rules` lists those built in")))
        }
        Err(error) => Err(Failure::Other(error.to_string())),
    }
}

/// Prints one JSON object.
fn print_json(out: &mut impl Write, object: &serde_json::Value) -> Result<(), Failure> {
    writeln!(out, "{object}")?;
    Ok(())
}
