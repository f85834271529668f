//! `pillion test`: every sample that a configuration carries, run anew.

use std::io::Write;
use std::sync::Arc;

use clap::Args;
use pillion_parsers::redact::{Redactor, RuleSelection, Rules};

use super::{ConfigArgs, Failure};
use crate::config::Over;

/// Arguments of `test`.
#[derive(Debug, Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Parsers' samples and redaction rules' samples are part of the configuration's own check, which
/// refuses one that does not come out as it says: what is left is to say how many there were.
pub(super) fn run(args: &TestArgs) -> Result<(), Failure> {
    let settings = args.config.load(&Over::default())?;
    let mut out = std::io::stdout().lock();
    let mut samples = 0;
    for name in settings.library.names() {
        let Some(definition) = settings.library.definition(name) else { continue };
        definition.check().map_err(|error| Failure::Other(format!("parser {name}: {error}")))?;
        samples += definition.samples.len();
    }
    let rules = rule_samples()?;
    writeln!(
        out,
        "{samples} samples of parsers and {rules} of redaction rules come out as they say; the \
         configuration's own were checked as it was read"
    )?;
    Ok(())
}

/// Runs the built-in rules' samples, each rule by itself.
fn rule_samples() -> Result<usize, Failure> {
    let mut samples = 0;
    for rule in Rules::builtin() {
        let failed = |sample: &str, what: &str| {
            Failure::Other(format!("redaction rule {}: `{sample}` is {what}", rule.name))
        };
        let only = RuleSelection { rules: vec![rule.name.clone()], ..RuleSelection::standard() };
        let rules = Rules::build(only).map_err(|error| Failure::Other(error.to_string()))?;
        let mut redactor = Redactor::new(Arc::new(rules));
        for sample in &rule.must_redact {
            if redactor.explain(sample).is_empty() {
                return Err(failed(sample, "not redacted"));
            }
        }
        for sample in &rule.must_leave {
            if !redactor.explain(sample).is_empty() {
                return Err(failed(sample, "not left alone"));
            }
        }
        samples += rule.must_redact.len() + rule.must_leave.len();
    }
    Ok(samples)
}
