//! `pillion run`: the agent until it is told to stop, or sees that it is done.

mod configuration;
mod exit_when;

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{ConfigArgs, Failure};
use crate::agent::{Agent, Drained, ReloadError};
use crate::config::settings::Settings;
use crate::config::{self, Over};
use crate::tail::pattern;
use configuration::ConfigFile;
use exit_when::Condition;

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
    /// After SIGTERM: read on until no file has grown for so long, since applications log while they
    /// end; within the grace [env: PILLION_QUIET] [default: 1s].
    #[arg(long, value_name = "TIME")]
    quiet: Option<String>,
    /// End by itself, as after SIGTERM, once this holds: `idle=TIME` (nothing more to ship for so
    /// long) or `file=PATH` (which exists); several times: whichever comes first
    /// [env: PILLION_EXIT_WHEN].
    #[arg(long, value_name = "CONDITION", value_parser = Condition::parse)]
    exit_when: Vec<Condition>,
}

pub(super) fn run(args: RunArgs) -> Result<(), Failure> {
    let exit_when = exit_when(&args)?;
    let (settings, file) = settings(&args)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(4)
        .build()?;
    let done = runtime.block_on(until_done(Arc::new(settings), file, &exit_when));
    // Not dropped: that would wait for writes that nobody reads and for name lookups.
    runtime.shutdown_background();
    done
}

/// The settings, and the file they are from, if from one.
fn settings(args: &RunArgs) -> Result<(Settings, Option<ConfigFile>), Failure> {
    let environment = config::process_environment;
    let over = Over {
        state: args.state.clone(),
        admin: args.admin.clone(),
        grace: args.grace.clone(),
        quiet: args.quiet.clone(),
    };
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
        let settings = config::from_simple(&args.files, &args.to, &over, &environment);
        return settings.map(|settings| (settings, None)).map_err(Failure::Config);
    }
    let (file, settings) = ConfigFile::open(args.config.path(), over).map_err(Failure::Config)?;
    Ok((settings, Some(file)))
}

/// What the command line says, else the environment. A variable that is empty counts as not set.
fn exit_when(args: &RunArgs) -> Result<Vec<Condition>, Failure> {
    if !args.exit_when.is_empty() {
        return Ok(args.exit_when.clone());
    }
    let set = config::process_environment("PILLION_EXIT_WHEN").unwrap_or_default();
    Condition::parse_all(&set)
        .map_err(|why| Failure::Usage(format!("PILLION_EXIT_WHEN, {set:?}: {why}")))
}

/// SIGTERM and SIGINT.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Why the agent drains.
enum End {
    /// It was told to, then.
    Told(Instant),
    /// What `--exit-when` says holds.
    Done(Condition),
    /// Nobody reads any more what this destination writes.
    Forsaken(String),
}

async fn until_done(
    settings: Arc<Settings>,
    mut file: Option<ConfigFile>,
    exit_when: &[Condition],
) -> Result<(), Failure> {
    let mut stop = Stop {
        terminate: signal(SignalKind::terminate())?,
        interrupt: signal(SignalKind::interrupt())?,
    };
    // A file at its limit (`ulimit -f`) is a write that fails, as on a full disk, and no reason to die.
    let _file_size = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
    let mut hangup = signal(SignalKind::hangup())?;
    let path = file.as_ref().map(|file| file.path().to_owned());
    let mut agent = Agent::start(settings, host_name(), path)
        .await
        .map_err(|error| Failure::Other(error.to_string()))?;
    let mut watching = false;
    let end = loop {
        let due = async {
            match &mut file {
                Some(file) => file.due().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.told() => break End::Told(Instant::now()),
            next = until_next(&mut agent, watching, exit_when) => match next {
                Some(end) => break end,
                None => {
                    watching = true;
                    say_watching(&agent);
                    continue;
                }
            },
            _ = hangup.recv() => tracing::info!("told by SIGHUP to load the configuration anew"),
            why = due => tracing::info!(why, "loading the configuration anew"),
        }
        if let Some(told) = reload(&mut agent, file.as_mut(), &mut stop).await? {
            break End::Told(told);
        }
    };
    drain(agent, end, &mut stop).await
}

/// Resolves with nothing when the files are watched for the first time, from then on when the agent is
/// to end by itself.
async fn until_next(agent: &mut Agent, watching: bool, exit_when: &[Condition]) -> Option<End> {
    if !watching {
        agent.watching().await;
        return None;
    }
    let counted = Arc::clone(agent.counted());
    tokio::select! {
        condition = exit_when::met(exit_when, &counted) => Some(End::Done(condition.clone())),
        destination = agent.forsaken() => Some(End::Forsaken(destination)),
    }
}

/// Loads the configuration anew. If the agent is told to stop meanwhile, when that was: the hand-over
/// is brought to its end first.
async fn reload(
    agent: &mut Agent,
    file: Option<&mut ConfigFile>,
    stop: &mut Stop,
) -> Result<Option<Instant>, Failure> {
    let Some(file) = file.filter(|file| file.can_be_read_again()) else {
        tracing::warn!(
            "there is no configuration file to be read again: restart to change settings"
        );
        return Ok(None);
    };
    let replaced = replace(agent, file);
    tokio::pin!(replaced);
    tokio::select! {
        () = &mut replaced => return Ok(None),
        () = stop.told() => {}
    }
    let told = Instant::now();
    tokio::select! {
        () = &mut replaced => Ok(Some(told)),
        () = stop.told() => Err(stopped_at_once()),
    }
}

async fn replace(agent: &mut Agent, file: &mut ConfigFile) {
    match file.load().await {
        Ok(Ok(settings)) => match agent.reload(Arc::new(settings)).await {
            Ok(()) => warn_of_missing(agent.settings()),
            // The agent has said it.
            Err(ReloadError::Start(_)) => file.try_again(),
            Err(ReloadError::State) => {}
        },
        Ok(Err(mistakes)) => {
            let generation = agent.loaded().generation();
            tracing::error!(
                generation,
                "the configuration was not loaded; the one in force goes on\n{mistakes}"
            );
            agent.loaded().refuse(mistakes.brief());
        }
        Err(error) => {
            tracing::error!(%error, "the configuration could not be checked; the one in force goes on");
            agent.loaded().refuse(error.to_string());
            file.try_again();
        }
    }
}

async fn drain(agent: Agent, end: End, stop: &mut Stop) -> Result<(), Failure> {
    let (mut grace, mut quiet) = (agent.settings().grace, agent.settings().quiet);
    match &end {
        End::Told(told) => {
            grace = grace.saturating_sub(told.elapsed());
            tracing::info!(?grace, ?quiet, "draining; a second signal stops at once");
        }
        End::Done(condition) => tracing::info!(why = %condition, ?grace, "done, draining"),
        End::Forsaken(destination) => {
            quiet = Duration::ZERO;
            tracing::info!(destination, ?grace, "nobody reads what it writes: draining");
        }
    }
    if let End::Done(Condition::Idle(_)) = end {
        // It has been quiet for long enough.
        quiet = Duration::ZERO;
    }
    let drained = tokio::select! {
        drained = agent.drain(grace, quiet) => drained,
        () = stop.told() => return Err(stopped_at_once()),
    };
    report(&drained);
    match end {
        End::Told(_) | End::Done(_) => Ok(()),
        End::Forsaken(destination) => Err(Failure::Other(format!(
            "nobody reads what destination {destination} writes any more; the others got theirs, \
             it is sent the rest at the next start"
        ))),
    }
}

fn say_watching(agent: &Agent) {
    let settings = agent.settings();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        sources = settings.sources.len(),
        destinations = settings.destinations.len(),
        state = %settings.state.display(),
        admin = %agent.admin_shown(),
        "watching"
    );
    warn_of_missing(settings);
}

/// A directory that is mistyped looks like one that the application has not made yet.
fn warn_of_missing(settings: &Settings) {
    for problem in settings.pod.iter().flat_map(|pod| &pod.problems) {
        tracing::warn!(problem, "records are not enriched as they were to be");
    }
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
    let (unsettled, buffered) = (drained.finished.unsettled, drained.buffered);
    if drained.unaccounted > 0 {
        tracing::error!(
            records = drained.unaccounted,
            "records are unaccounted for: this is a mistake of pillion's; please report it, with the \
             metrics `pillion_routed_records_total` and `pillion_records_total`"
        );
    }
    if !drained.finished.saved {
        tracing::error!("the checkpoint could not be saved: the next start reads some lines again");
    }
    if unsettled > 0 {
        tracing::warn!(
            bytes_left_behind = unsettled,
            unread = drained.left_behind.bytes,
            records_buffered = buffered,
            "drained, but not all could be shipped: the rest is read at the next start"
        );
    } else if buffered > 0 {
        tracing::warn!(
            bytes_left_behind = 0,
            records_buffered = buffered,
            "drained, but not all could be shipped: what is in the disk buffer is sent by the next start"
        );
    } else {
        tracing::info!(bytes_left_behind = 0, "drained");
    }
}

/// What `host.name` says: in Kubernetes the pod's name, which is its host name.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
