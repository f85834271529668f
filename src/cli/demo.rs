//! `pillion demo`: the real agent on made-up live logs, with nothing else installed.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use clap::builder::PossibleValuesParser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::Failure;
use crate::agent::Agent;
use crate::config;
use crate::demo::{self, DemoFault, Glance, Options, Running, Screen, Style};
use crate::observe::metrics::Counted;

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// How long logs are written.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: u64,
    /// Records written a second, over all files.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    /// What goes wrong with the receiver in the middle third of the time.
    #[arg(long, value_parser = PossibleValuesParser::new(DemoFault::NAMES))]
    fault: Option<String>,
}

pub(super) fn run(args: DemoArgs) -> Result<(), Failure> {
    let options = Options {
        time: Duration::from_secs(args.seconds),
        rate: args.rate,
        fault: args.fault.as_deref().and_then(DemoFault::named),
        ..Options::default()
    };
    let (mut out, mut status) = (std::io::stdout(), std::io::stderr());
    let mut screen = Screen::new(&mut out, &mut status, Style::detect());
    let summary = demo::run(&options, &mut screen, &INTERRUPTED, start)
        .map_err(|error| Failure::Other(error.to_string()))?;
    if summary.clean() { Ok(()) } else { Err(Failure::Said) }
}

/// Set by Ctrl-C or SIGTERM: the demo stops writing, drains, sums up, and leaves nothing behind.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Starts the agent on a thread of its own, as `pillion run` would with this configuration.
fn start(text: &str) -> Result<Box<dyn Running>, String> {
    let settings = config::from_text("the demo's configuration", text, &|_| None)
        .map_err(|mistakes| mistakes.to_string())?;
    let (started, outcome) = sync_channel(1);
    let (drain, told) = oneshot::channel();
    let run = move || {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return drop(started.send(Err(error.to_string()))),
        };
        runtime.block_on(serve(Arc::new(settings), &started, told));
    };
    std::thread::Builder::new().name("agent".to_owned()).spawn(run).map_err(|e| e.to_string())?;
    let counted = outcome.recv().map_err(|_| "its thread ended".to_owned())??;
    Ok(Box::new(Demonstrated { counted, drain: Mutex::new(Some(drain)) }))
}

/// A wish to drain within a time, and where to say whether everything was settled.
type DrainWish = (Duration, SyncSender<bool>);

async fn serve(
    settings: Arc<config::settings::Settings>,
    started: &SyncSender<Result<Arc<Counted>, String>>,
    told: oneshot::Receiver<DrainWish>,
) {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let Ok(mut told) = signal(kind) else { continue };
        tokio::spawn(async move {
            told.recv().await;
            INTERRUPTED.store(true, Ordering::Relaxed);
        });
    }
    let agent = match Agent::start(settings, format!("demo-{}", process::id()), None).await {
        Ok(agent) => agent,
        Err(error) => return drop(started.send(Err(error.to_string()))),
    };
    agent.watching().await;
    // Fails only if the demo is gone, and then there is nobody to drain for either.
    let _ = started.send(Ok(Arc::clone(agent.counted())));
    let Ok((grace, done)) = told.await else { return };
    let drained = agent.drain(grace, Duration::ZERO).await;
    let _ = done.send(drained.settled && drained.finished.unsettled == 0);
}

/// The agent, as the demo sees it.
struct Demonstrated {
    counted: Arc<Counted>,
    /// Taken by the first drain.
    drain: Mutex<Option<oneshot::Sender<DrainWish>>>,
}

impl Running for Demonstrated {
    fn glance(&self) -> Glance {
        let redacted = self.counted.redactions().filter(|(_, count)| *count > 0).collect();
        let retries = self
            .counted
            .destinations
            .iter()
            .flat_map(|(_, stats)| stats.retries())
            .map(|(_, count)| count)
            .sum();
        Glance { redacted, retries }
    }

    fn drain(&self, grace: Duration) -> bool {
        let drain = self.drain.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(drain) = drain else { return false };
        let (done, outcome) = sync_channel(1);
        drain.send((grace, done)).is_ok() && outcome.recv().unwrap_or(false)
    }
}
