//! `pillion run`: the agent until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use rustix::process::Signal;
use tokio::signal::unix::{SignalKind, signal};

use super::{ConfigArgs, Failure};
use crate::agent::{Agent, Drained};
use crate::config::settings::Settings;
use crate::config::{self, Over};
use crate::tail::pattern;

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Without a configuration file: globs of the files to tail, separated by commas, or one each
    /// time [env: PILLION_FILES].
    #[arg(long, value_name = "GLOB", conflicts_with = "config")]
    files: Vec<String>,
    /// Without a configuration file: where to ship, as `elasticsearch=URL`, `loki=URL`, `console` or
    /// `file=PATH` [env: PILLION_TO].
    #[arg(long, value_name = "KIND=WHERE", conflicts_with = "config")]
    to: Vec<String>,
    /// The state directory; overrides the configuration's [env: PILLION_STATE].
    #[arg(long, value_name = "DIR")]
    state: Option<String>,
    /// Where metrics and probes are served, or `off`; overrides the configuration's
    /// [env: PILLION_ADMIN].
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    /// After SIGTERM: how long to read on, ship and wait for acknowledgements [env: PILLION_GRACE]
    /// [default: 25s].
    #[arg(long, value_name = "TIME")]
    grace: Option<String>,
}

pub(super) fn run(args: RunArgs) -> Result<(), Failure> {
    let settings = Arc::new(settings(&args)?);
    let grace = settings.grace;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()?;
    let done = runtime.block_on(until_told(settings, grace));
    // Not dropped: that would wait for writes that nobody reads and for name lookups.
    runtime.shutdown_background();
    done
}

fn settings(args: &RunArgs) -> Result<Settings, Failure> {
    let environment = config::process_environment;
    let over =
        Over { state: args.state.clone(), admin: args.admin.clone(), grace: args.grace.clone() };
    let named = args.config.named();
    let options = !args.files.is_empty() || !args.to.is_empty();
    if let Some(named) = named.as_ref().filter(|_| options) {
        return Err(Failure::Usage(format!(
            "PILLION_CONFIG names {}, and --files and --to do without a configuration: leave out one \
             or the other",
            named.display()
        )));
    }
    if named.is_none() && config::is_simple(&args.files, &args.to, &environment) {
        return config::from_simple(&args.files, &args.to, &over, &environment)
            .map_err(Failure::Config);
    }
    args.config.load(&over)
}

async fn until_told(settings: Arc<Settings>, grace: Duration) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // A file at its limit (`ulimit -f`) is a write that fails, as on a full disk, and no reason to die.
    let _file_size = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    let mut agent = Agent::start(Arc::clone(&settings), host_name())
        .await
        .map_err(|error| Failure::Other(error.to_string()))?;
    let forsaken = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        destination = until_forsaken(&mut agent, &settings) => Some(destination),
    };
    tracing::info!(grace = ?grace, "draining; a second signal stops at once");
    let drained = tokio::select! {
        drained = agent.drain(grace) => drained,
        _ = terminate.recv() => return Err(stopped_at_once()),
        _ = interrupt.recv() => return Err(stopped_at_once()),
    };
    report(&drained);
    match forsaken {
        None => Ok(()),
        Some(destination) => Err(Failure::Other(format!(
            "nobody reads what destination {destination} writes any more; the others got theirs, \
             it is sent the rest at the next start"
        ))),
    }
}

/// Says when the files are watched. Ends when a destination does, with its name.
async fn until_forsaken(agent: &mut Agent, settings: &Settings) -> String {
    agent.watching().await;
    let admin = agent.admin_address().map_or_else(|| "off".to_owned(), |it| it.to_string());
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        sources = settings.sources.len(),
        destinations = settings.destinations.len(),
        state = %settings.state.display(),
        admin = %admin,
        "watching"
    );
    warn_of_missing(settings);
    agent.forsaken().await
}

/// A directory that is mistyped looks like one that the application has not made yet.
fn warn_of_missing(settings: &Settings) {
    for source in &settings.sources {
        for glob in &source.files {
            let Ok(root) = pattern::root(glob) else { continue };
            if !root.dir.exists() {
                tracing::warn!(
                    source = %source.name,
                    directory = %root.dir.display(),
                    "there is no such directory: nothing is read of it until there is"
                );
            }
        }
    }
}

fn stopped_at_once() -> Failure {
    Failure::Other(
        "stopped at once; what was not acknowledged is read again at the next start".to_owned(),
    )
}

fn report(drained: &Drained) {
    let unsettled = drained.finished.unsettled;
    if !drained.finished.saved {
        tracing::error!("the checkpoint could not be saved: the next start reads some lines again");
    }
    if unsettled == 0 {
        tracing::info!(bytes_left_behind = 0, "drained");
    } else {
        tracing::warn!(
            bytes_left_behind = unsettled,
            unread = drained.left_behind.bytes,
            "drained, but the grace was over before all was shipped: the rest is read at the next start"
        );
    }
}

/// What `host.name` says: in Kubernetes the pod's name, which is its host name.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
