//! The command line: one file per verb; here what they share, and the exit codes.

mod check;
mod colour;
mod demo;
mod explain;
mod healthy;
mod opened;
mod parsers;
mod replay;
mod rules;
mod run;
mod samples;
mod schema;
mod shown;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use self::colour::When;
use crate::config::settings::Settings;
use crate::config::{self, Diagnostics, Over};
use crate::observe;

/// The configuration is wrong (`EX_CONFIG` of `sysexits.h`).
const EXIT_CONFIG: u8 = 78;

/// The command line is wrong: what clap exits with.
const EXIT_USAGE: u8 = 2;

/// Where the configuration is looked for when nothing names it.
const DEFAULT_CONFIG: &str = "/etc/pillion/pillion.yaml";

/// Tails log files, parses each line, redacts personal data and secrets, and ships the records to
/// Elasticsearch or Loki.
#[derive(Debug, Parser)]
#[command(name = "pillion", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// How much the agent's own log says.
    #[arg(long, global = true, default_value = "info", env = "PILLION_LOG", value_name = "LEVEL")]
    log: LevelFilter,
    /// When output is coloured; `NO_COLOR` counts with `auto`.
    #[arg(long, global = true, default_value = "auto", value_name = "WHEN")]
    color: When,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Tail and ship until told to stop; drain on SIGTERM.
    Run(run::RunArgs),
    /// Check a configuration: every mistake at once.
    Check(check::CheckArgs),
    /// Run logs through the pipeline and print the redacted Records as NDJSON.
    Replay(replay::ReplayArgs),
    /// Run every sample that a configuration carries, and fixtures.
    Test(samples::TestArgs),
    /// Show which parser fits a line, its fields, and what each rule redacted.
    Explain(explain::ExplainArgs),
    /// List the parsers, or show one with its samples.
    Parsers(parsers::ParsersArgs),
    /// List the redaction rules, or show one with its samples; try rules on logs.
    Rules(rules::RulesArgs),
    /// Print the configuration's JSON Schema: editors check and complete by it.
    Schema,
    /// Exit 0 when the running agent is alive: a probe for images without a shell.
    Healthy(healthy::HealthyArgs),
    /// See it all work, with nothing else installed.
    Demo(demo::DemoArgs),
}

/// How a configuration is named.
#[derive(Clone, Debug, Args)]
struct ConfigArgs {
    /// The configuration file [env: PILLION_CONFIG] [default: /etc/pillion/pillion.yaml].
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    /// The file that is named, if one is. A variable that is empty counts as not set.
    fn named(&self) -> Option<PathBuf> {
        let set = || std::env::var_os("PILLION_CONFIG").filter(|path| !path.is_empty());
        self.config.clone().or_else(|| set().map(PathBuf::from))
    }

    fn path(&self) -> PathBuf {
        self.named().unwrap_or_else(|| PathBuf::from(DEFAULT_CONFIG))
    }

    /// Whether a configuration is there: named, or at the default place.
    fn exists(&self) -> bool {
        self.named().is_some() || self.path().exists()
    }

    /// The configuration if there is one; else what pillion does to a log when nothing is said.
    fn load_or_default(&self) -> Result<Settings, Failure> {
        if self.exists() {
            return self.load(&Over::default());
        }
        let (files, to) = (["/var/log/**".to_owned()], ["console".to_owned()]);
        let over = Over { state: Some("/var/lib/pillion".to_owned()), ..Over::default() };
        config::from_simple(&files, &to, &over, &|_| None).map_err(Failure::Config)
    }

    fn load(&self, over: &Over) -> Result<Settings, Failure> {
        config::load(&self.path(), over, &config::process_environment).map_err(Failure::Config)
    }
}

/// Why a verb ends without having done its work.
#[derive(Debug)]
enum Failure {
    /// The configuration is wrong.
    Config(Diagnostics),
    /// The command line and the environment contradict each other.
    Usage(String),
    /// Something else; the text says what, where, and what to do.
    Other(String),
    /// The verb has already said all: only the exit code is left.
    Said,
    /// Whoever reads standard output has seen enough (`| head`): no failure at all.
    Unread,
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::Unread,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// Parses the command line, runs the verb, and says how it ended: 0 done, 1 failed or not as
/// expected, 2 wrong arguments, 78 wrong configuration.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let colour = cli.color;
    observe::log::start(cli.log, colour.on(&std::io::stderr()));
    let done = match cli.verb {
        Verb::Run(args) => run::run(args),
        Verb::Check(args) => check::run(&args),
        Verb::Replay(args) => replay::run(&args),
        Verb::Test(args) => samples::run(&args),
        Verb::Explain(args) => explain::run(&args, colour),
        Verb::Parsers(args) => parsers::run(&args),
        Verb::Rules(args) => rules::run(&args, colour),
        Verb::Schema => schema::run(),
        Verb::Healthy(args) => healthy::run(&args),
        Verb::Demo(args) => demo::run(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => report(&failure, colour),
    }
}

#[expect(clippy::print_stderr, reason = "a verb's failure is for the person at the terminal")]
fn report(failure: &Failure, colour: When) -> ExitCode {
    match failure {
        Failure::Config(diagnostics) => {
            if colour.on(&std::io::stderr()) {
                eprintln!("{}", diagnostics.coloured());
            } else {
                eprintln!("{diagnostics}");
            }
            ExitCode::from(EXIT_CONFIG)
        }
        Failure::Usage(what) => {
            eprintln!("pillion: {what}");
            ExitCode::from(EXIT_USAGE)
        }
        Failure::Other(what) => {
            eprintln!("pillion: {what}");
            ExitCode::FAILURE
        }
        Failure::Said => ExitCode::FAILURE,
        Failure::Unread => ExitCode::SUCCESS,
    }
}
