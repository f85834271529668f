//! The parsers there are: the built-in definitions, each read and compiled when first needed, and a
//! user's.

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};

use super::auto::Candidates;
use super::compiled::Compiled;
use super::header_form::HeaderForm;
use crate::definition::{Definition, DefinitionError, Fault};
use crate::redact::Rules;

/// Lists the built-in definitions: one YAML file each.
macro_rules! builtin {
    ($($name:literal,)+) => {
        &[$(($name, include_str!(concat!("../../definitions/", $name, ".yaml"))),)+]
    };
}

/// Name and YAML of every built-in definition. `auto` tries them in this order: the less a line can be
/// of a format by chance, the earlier.
pub(crate) const BUILTIN: &[(&str, &str)] = builtin![
    // Flavours of JSON, which differ in the keys they have.
    "traefik_json",
    "envoy_json",
    "nginx_json",
    "loguru_json",
    "dotnet_json",
    "log4j_json",
    "tracing_json",
    "logback_json",
    "lograge",
    "clef",
    "serilog_json",
    "gelf",
    "monolog_json",
    "logstash",
    "ecs",
    "bunyan",
    "pino",
    "python_json",
    "structlog",
    "zap",
    "caddy",
    "zerolog",
    "slog",
    "logrus",
    "go_kit",
    "winston",
    "tracing_json_flat",
    "mongodb",
    "postgresql_csv",
    "postgresql_csv_12",
    "postgresql_csv_13",
    "postgresql_json",
    "mysql_json",
    "elasticsearch_json",
    "rabbitmq_json",
    "nextcloud",
    "cowrie_json",
    "hclog_json",
    "journald",
    "klog_json",
    "otlp",
    "json",
    "cef",
    "auditd",
    "netfilter",
    "w3c",
    "ltsv",
    "aws_alb",
    "aws_elb",
    "aws_s3",
    "aws_vpc_flow",
    "istio",
    "envoy_access",
    "envoy",
    "apache_error",
    "apache_ssl_request",
    "squid",
    "squid_cache",
    "vsftpd",
    "xferlog",
    "uwsgi",
    "tornado",
    "php_fpm",
    "php_fpm_access",
    "php_fpm_slow",
    "gunicorn",
    "morgan",
    "uvicorn",
    "coredns",
    "haproxy",
    "redis",
    "rabbitmq",
    "klog",
    "hclog",
    "dovecot_file",
    "sudo_file",
    "postgresql",
    "mysql_error",
    "mysql_slow",
    "mysql_general",
    "mongodb_text",
    "elasticsearch_slowlog",
    "elasticsearch",
    "jvm",
    "jvm_gc",
    "twisted",
    "kafka",
    "zookeeper",
    "zookeeper_audit",
    "cassandra",
    "activemq",
    "celery",
    "airflow",
    "nestjs",
    "monolog",
    "rails",
    "ruby_logger",
    "runserver",
    "php",
    "log4js",
    "spdlog",
    "env_logger",
    "pino_pretty",
    "bunyan_pretty",
    "logrus_console",
    "dotnet",
    "rails_development",
    "python_basic",
    "zap_console",
    "caddy_console",
    "loguru",
    "nlog",
    "sidekiq",
    "tomcat",
    "jboss",
    "serilog",
    "spark",
    "slf4j_simple",
    "elixir",
    "winston_printf",
    "zerolog_console",
    "jul",
    "python",
    "tracing",
    "syslog_rfc5424",
    "nginx_ingress",
    "nginx_main",
    "squid_combined",
    "traefik",
    "puma",
    "access",
    "nginx",
    "apache",
    "gunicorn_access",
    "flask",
    "nginx_error",
    "slog_default",
    "go_log",
    "java",
    "structlog_console",
    "syslog_rfc3164",
    "logrus_text",
    "containerd",
    "slog_text",
    "go_kit_logfmt",
    "structlog_logfmt",
    "winston_simple",
    "lograge_logfmt",
    "logfmt",
    "plain_time",
    // What stands in syslog, by its program.
    "sshd",
    "sudo",
    "cron",
    "postfix",
    "dovecot",
    "postgresql_syslog",
    // What tries others, or takes anything.
    "auto",
    "cri",
    "docker",
    "syslog",
    "csv",
    "key_value",
    "plain",
];

/// One parser. A built-in one is read and compiled when first asked for, so that an agent pays for
/// those it uses.
#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    yaml: &'static str,
    definition: OnceLock<Option<Definition>>,
    compiled: OnceLock<Option<Arc<Compiled>>>,
}

/// The parsers that sources may name.
#[derive(Debug, Clone)]
pub struct Library {
    entries: Vec<Arc<Entry>>,
    /// What `auto` tries, once it is first asked to.
    candidates: Arc<OnceLock<Arc<Candidates>>>,
}

/// There is no parser of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownParser(pub String);

impl fmt::Display for UnknownParser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no parser `{}`: `pillion parsers` lists them", self.0)
    }
}

impl std::error::Error for UnknownParser {}

static LIBRARY: LazyLock<Arc<Library>> = LazyLock::new(|| {
    let entry = |&(name, yaml): &(&str, &'static str)| {
        Arc::new(Entry {
            name: name.into(),
            yaml,
            definition: OnceLock::new(),
            compiled: OnceLock::new(),
        })
    };
    Arc::new(Library { entries: BUILTIN.iter().map(entry).collect(), candidates: Arc::default() })
});

impl Library {
    /// The built-in parsers.
    #[must_use]
    pub fn builtin() -> Arc<Self> {
        LIBRARY.clone()
    }

    /// These parsers and a user's, each of which is compiled and proved by its samples.
    ///
    /// # Errors
    /// For the first definition that cannot be used: its name is taken, it does not compile, or a
    /// sample of it does not come out as it says.
    pub fn with(&self, user: Vec<Definition>) -> Result<Self, DefinitionError> {
        let mut library = Self { candidates: Arc::default(), ..self.clone() };
        for definition in user {
            if definition.name.is_empty() || library.entry(&definition.name).is_some() {
                return Err(DefinitionError { name: definition.name, fault: Fault::Name });
            }
            match definition.compile_and_check(&library) {
                Err(fault) => return Err(DefinitionError { name: definition.name, fault }),
                Ok(compiled) => library.entries.push(Arc::new(Entry {
                    name: definition.name.as_str().into(),
                    yaml: "",
                    definition: OnceLock::from(Some(definition)),
                    compiled: OnceLock::from(Some(compiled)),
                })),
            }
        }
        Ok(library)
    }

    /// These parsers, with what rules about names go by left as the programs call it: a field that a
    /// configuration names is not given a name of pillion's own, under which it would not be redacted,
    /// and an object that is, or that has such a field in it, is not opened.
    #[must_use]
    pub fn guarded(&self, rules: &Rules) -> Self {
        // The names of built-in rules are not touched by built-in definitions: a test says so.
        if !rules.name_fields() {
            return self.clone();
        }
        let guarded = |entry: &Arc<Entry>| entry.guarded(rules).unwrap_or_else(|| entry.clone());
        Self { entries: self.entries.iter().map(guarded).collect(), candidates: Arc::default() }
    }

    /// The names of all parsers, the built-in ones first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.name)
    }

    /// A parser's definition.
    #[must_use]
    pub fn definition(&self, name: &str) -> Option<&Definition> {
        self.entry(name)?.definition()
    }

    /// How the line looks, if there is one, by which the lines below it are read by these parsers: what
    /// must be known to go on in the middle of a File.
    pub fn header_form<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Option<HeaderForm> {
        let compiled = names.into_iter().filter_map(|name| self.compiled(name).ok());
        HeaderForm::surest(compiled.filter_map(|compiled| compiled.header_form()))
    }

    /// A parser, compiled.
    pub(super) fn compiled(&self, name: &str) -> Result<Arc<Compiled>, UnknownParser> {
        self.entry(name)
            .and_then(|entry| entry.compiled(self))
            .ok_or_else(|| UnknownParser(name.to_owned()))
    }

    /// What `auto` tries, in its order.
    pub(super) fn candidates(&self) -> Arc<Candidates> {
        let compiled =
            |entry: &Arc<Entry>| entry.compiled(self).filter(|compiled| !compiled.manual);
        let all = || Arc::new(Candidates::new(self.entries.iter().filter_map(compiled)));
        self.candidates.get_or_init(all).clone()
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| &*entry.name == name).map(|entry| &**entry)
    }
}

impl Entry {
    // A built-in definition that could not be read or compiled would be as if it were not there; a
    // test reads, compiles and proves each.
    fn definition(&self) -> Option<&Definition> {
        self.definition.get_or_init(|| Definition::from_yaml(self.yaml).ok()).as_ref()
    }

    /// The same without what the rules forbid it; `None` if that is nothing. One that is not in use
    /// is not kept for it.
    fn guarded(&self, rules: &Rules) -> Option<Arc<Self>> {
        let mut definition = match self.definition.get() {
            Some(known) => known.clone()?,
            None if ["\nopen:", "\nfields:"].iter().any(|key| self.yaml.contains(key)) => {
                Definition::from_yaml(self.yaml).ok()?
            }
            None => return None,
        };
        let parts = |definition: &Definition| definition.open.len() + definition.fields.len();
        let before = parts(&definition);
        definition.open.retain(|opened| !loses_opened(rules, opened));
        definition.fields.retain(|from, to| !rules.lose_renamed(from, to));
        (parts(&definition) < before).then(|| {
            let definition = OnceLock::from(Some(definition));
            Arc::new(Self {
                name: self.name.clone(),
                yaml: "",
                definition,
                compiled: OnceLock::new(),
            })
        })
    }

    /// Samples, of which most of the YAML consists, are neither read nor kept for it: `auto` compiles
    /// them all.
    fn compiled(&self, library: &Library) -> Option<Arc<Compiled>> {
        let compile = || {
            let known = self.definition.get().cloned().flatten();
            let read = || Definition::from_yaml(without_samples(self.yaml)).ok();
            Compiled::new(&known.or_else(read)?, library).ok().map(Arc::new)
        };
        self.compiled.get_or_init(compile).clone()
    }
}

/// Whether members of an object lose what redacts them when it is opened, as `open` of a definition
/// names it.
fn loses_opened(rules: &Rules, opened: &str) -> bool {
    let object = opened.strip_suffix('.');
    rules.lose_opened(object.unwrap_or(opened), object.is_some())
}

/// A built-in definition down to its samples, which come last.
pub(super) fn without_samples(yaml: &str) -> &str {
    yaml.split_once("\nsamples:").map_or(yaml, |(head, _)| head)
}
