//! `pillion parsers` and `pillion rules`: what is built in, and what each makes of its samples.

use std::io::Write;

use clap::Args;
use pillion_parsers::parse::Library;
use pillion_parsers::redact::{RuleFile, Rules};

use super::Failure;

/// Arguments of `parsers`.
#[derive(Debug, Args)]
pub(super) struct ParsersArgs {
    /// Show this one, with its samples.
    name: Option<String>,
}

/// Arguments of `rules`.
#[derive(Debug, Args)]
pub(super) struct RulesArgs {
    /// Show this one, with its samples.
    name: Option<String>,
}

pub(super) fn parsers(args: &ParsersArgs) -> Result<(), Failure> {
    let library = Library::builtin();
    let mut out = std::io::stdout().lock();
    let Some(name) = &args.name else {
        for name in library.names() {
            let doc = library.definition(name).map_or("", |definition| definition.doc.as_str());
            writeln!(out, "{name:<20} {doc}")?;
        }
        return Ok(());
    };
    let definition = library.definition(name).ok_or_else(|| {
        Failure::Other(format!("no parser is called {name:?}; `pillion parsers` lists them"))
    })?;
    writeln!(out, "{}: {}", definition.name, definition.doc)?;
    if let Some(joiner) = &definition.joiner {
        writeln!(out, "joins lines as: {joiner}")?;
    }
    for (key, name) in [("stands in", &definition.within), ("then", &definition.nested)] {
        if let Some(name) = name {
            writeln!(out, "{key}: {name}")?;
        }
    }
    for layout in &definition.layout {
        writeln!(out, "layout: {layout}")?;
    }
    if let Some(pattern) = &definition.pattern {
        writeln!(out, "pattern: {pattern}")?;
    }
    for sample in &definition.samples {
        let header = sample.header.as_deref().map(|header| format!("\n  {header}"));
        writeln!(out, "{}\n  {}", header.unwrap_or_default(), sample.line)?;
        match &sample.record {
            Some(record) => {
                for (key, value) in record {
                    writeln!(out, "    {key}: {value}")?;
                }
            }
            None => writeln!(out, "    does not fit")?,
        }
    }
    Ok(())
}

pub(super) fn rules(args: &RulesArgs) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let known = Rules::builtin();
    let Some(name) = &args.name else {
        for rule in known {
            let state = if rule.default { "on" } else { "off" };
            writeln!(out, "{:<20} {state:<4} {:<18} {}", rule.name, rule.token, rule.doc.trim())?;
        }
        return Ok(());
    };
    let rule = known.iter().find(|rule| rule.name == *name).ok_or_else(|| {
        Failure::Other(format!("no rule is called {name:?}; `pillion rules` lists them"))
    })?;
    show_rule(&mut out, rule)?;
    Ok(())
}

fn show_rule(out: &mut impl Write, rule: &RuleFile) -> std::io::Result<()> {
    let state = if rule.default { "on by default" } else { "off by default" };
    writeln!(out, "{}: {} ({state}; masks as {})", rule.name, rule.doc.trim(), rule.token)?;
    for (title, samples) in [("redacts", &rule.must_redact), ("leaves", &rule.must_leave)] {
        writeln!(out, "{title}:")?;
        for sample in samples {
            writeln!(out, "  {sample}")?;
        }
    }
    Ok(())
}
