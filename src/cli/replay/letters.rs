//! `pillion replay --dead-letters`: sends a destination's dead letters again, once what they were
//! refused for is mended.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::agent::resend::{Resend, Resent, Survey};
use crate::cli::{ConfigArgs, Failure};
use crate::config::settings::Settings;
use crate::config::{self, Over, units};
use crate::export::dead_letter::Reason;

/// Arguments of `replay --dead-letters`.
#[derive(Debug, Args)]
pub(super) struct LettersArgs {
    /// Send the dead letters of the destination named by --to again, as the configuration says now;
    /// also while the agent runs. Exits 1 when some are still dead letters afterwards.
    #[arg(long, requires = "to", conflicts_with_all = ["source", "read_at"])]
    pub(super) dead_letters: bool,
    /// The destination.
    #[arg(long, value_name = "NAME", requires = "dead_letters")]
    to: Option<String>,
    /// Only dead letters with this reason: refused, too_large, too_old, too_far_behind, uncertain.
    #[arg(long, value_name = "REASON", requires = "dead_letters", value_parser = reason)]
    reason: Option<Reason>,
    /// Count what would be sent, and send nothing.
    #[arg(long, requires = "dead_letters")]
    dry_run: bool,
    /// Give up when the destination has taken nothing for so long; the rest stay dead letters.
    #[arg(long, value_name = "TIME", requires = "dead_letters", default_value = "60s",
          value_parser = units::duration)]
    timeout: Duration,
    /// The state directory; overrides the configuration's [env: PILLION_STATE].
    #[arg(long, value_name = "DIR", requires = "dead_letters")]
    state: Option<String>,
}

fn reason(name: &str) -> Result<Reason, String> {
    let kept = |reason: &Reason| *reason != Reason::FailureStore;
    Reason::from_name(name).filter(kept).ok_or_else(|| {
        let names: Vec<_> = Reason::ALL.iter().filter(|it| kept(it)).map(|it| it.name()).collect();
        format!("there is no such reason; there are {}", names.join(", "))
    })
}

pub(super) fn run(args: &LettersArgs, config: &ConfigArgs) -> Result<(), Failure> {
    let settings = Arc::new(settings(args, config)?);
    let name = args.to.as_deref().unwrap_or_default();
    let Some(mut resend) = Resend::to(Arc::clone(&settings), name) else {
        let names: Vec<_> = settings.destinations.iter().map(|it| it.name.as_str()).collect();
        return Err(Failure::Usage(format!(
            "no destination is called {name}; the configuration has: {}",
            names.join(", ")
        )));
    };
    (resend.only, resend.patience) = (args.reason, args.timeout);
    let failed = |error: crate::agent::resend::ResendError| Failure::Other(error.to_string());
    let mut out = std::io::stdout().lock();
    if args.dry_run {
        let survey = resend.survey().map_err(failed)?;
        writeln!(out, "{}", told(&survey))?;
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let resent = runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let stop = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        resend.run(stop).await.map_err(failed)
    });
    // Not dropped: that would wait for name lookups.
    runtime.shutdown_background();
    let resent = resent?;
    writeln!(out, "{}", summary(&resent))?;
    if resent.is_complete() { Ok(()) } else { Err(Failure::Said) }
}

/// The configuration that the agent runs with.
fn settings(args: &LettersArgs, config: &ConfigArgs) -> Result<Settings, Failure> {
    let over = Over { state: args.state.clone(), ..Over::default() };
    let environment = config::process_environment;
    if config.named().is_none() && config::is_simple(&[], &[], &environment) {
        return config::from_simple(&[], &[], &over, &environment).map_err(Failure::Config);
    }
    config.load(&over)
}

/// What there is to send.
fn told(survey: &Survey) -> String {
    let reasons: Vec<_> =
        survey.letters.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let mut text = format!("{} to send", survey.letters());
    if !reasons.is_empty() {
        text = format!("{text} ({})", reasons.join(", "));
    }
    for (count, what) in [(survey.others, "of other reasons"), (survey.unreadable, "unreadable")] {
        if count > 0 {
            text = format!("{text}, {count} {what}");
        }
    }
    text
}

/// What became of them, in one line.
fn summary(resent: &Resent) -> String {
    let always = [
        (resent.delivered, "sent"),
        (resent.duplicate, "stored already"),
        (resent.refused, "refused again"),
        (resent.left, "left"),
    ];
    let sometimes = [
        (resent.failure_store, "in the failure store"),
        (resent.dropped, "dropped by a redaction rule"),
        (resent.lost, "lost"),
        (resent.survey.unreadable, "unreadable"),
    ];
    let sometimes = sometimes.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<_> = always
        .into_iter()
        .chain(sometimes)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let trouble = resent.trouble.map(|why| format!(" (the destination: {why})"));
    parts.join(", ") + &trouble.unwrap_or_default()
}
