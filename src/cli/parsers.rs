//! `pillion parsers`: the formats that are built in, and what each makes of its samples.

use std::io::Write;

use clap::Args;
use pillion_parsers::parse::Library;

use super::Failure;

/// Arguments of `parsers`.
#[derive(Debug, Args)]
pub(super) struct ParsersArgs {
    /// Show this one, with its samples.
    name: Option<String>,
}

pub(super) fn run(args: &ParsersArgs) -> Result<(), Failure> {
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
