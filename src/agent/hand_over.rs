//! From one generation to the next: the new one is prepared while the old one works on; the old one
//! stops reading, has a few seconds to settle what it has sent, and leaves the rest, as it leaves what
//! lies in a disk buffer; the new one goes on from there as after a restart, but with the state directory locked and every handle open.
//!
//! What is given up unsettled, such as batches for a URL that is wrong, is read again and goes through
//! the new pipeline. Elasticsearch knows what it has already stored by its ids.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::drain::ended;
use super::generation::{Generation, Prepared};
use super::{Agent, StartError};
use crate::config::settings::Settings;
use crate::observe::admin::{self, Admin};
use crate::tail::HandedOver;

/// How long deliveries may take to settle what they have when another generation is to go on.
const HAND_OVER: Duration = Duration::from_secs(5);

/// Why the next generation does not run.
#[derive(Debug)]
pub enum ReloadError {
    /// The configuration names another state directory, which holds what is known of the files.
    State,
    /// Something of it cannot be set up.
    Start(StartError),
}

impl std::fmt::Display for ReloadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::State => f.write_str(
                "the state directory is not the one in use, which cannot change while the agent \
                 runs: leave `state` as it was, or restart",
            ),
            Self::Start(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReloadError {}

impl Agent {
    /// Goes on with other settings. Counters go on where names are the same; the admin server stays,
    /// unless its address changes. Takes as long as destinations take to settle, at most about six
    /// seconds on a disk that answers. Not to be dropped halfway, except to end the process.
    ///
    /// # Errors
    ///
    /// When the settings cannot be had; the agent then goes on with the old ones, undisturbed.
    pub async fn reload(&mut self, settings: Arc<Settings>) -> Result<(), ReloadError> {
        let done = self.replace(settings).await;
        match &done {
            Ok(()) => {
                let generation = self.loaded.load();
                let settings = &self.generation.settings;
                let (sources, destinations) = (settings.sources.len(), settings.destinations.len());
                let (file, admin) = (self.loaded.file(), self.admin_shown());
                tracing::info!(
                    generation, %file, sources, destinations, %admin,
                    "configuration loaded"
                );
            }
            Err(error) => {
                let generation = self.loaded.generation();
                tracing::error!(
                    generation, %error,
                    "the configuration was not loaded; the one in force goes on"
                );
                self.loaded.refuse(error.to_string());
            }
        }
        done
    }

    async fn replace(&mut self, settings: Arc<Settings>) -> Result<(), ReloadError> {
        if settings.state != self.generation.settings.state {
            return Err(ReloadError::State);
        }
        let earlier = Arc::clone(&self.generation.counted);
        let prepared = Prepared::new(Arc::clone(&settings), &self.lasting, Some(&earlier))
            .map_err(ReloadError::Start)?;
        // Also if an earlier try left none: neither the new address nor the old one could be had.
        let none = self.admin.is_none() && settings.admin.is_some();
        let moved = none || settings.admin != self.generation.settings.admin;
        let admin = if moved { self.listen(&settings).await? } else { None };
        // From here on nothing can fail.
        let from = self.generation.hand_over().await;
        self.generation = prepared.launch(from, Some(&earlier));
        self.health.look_at(Arc::clone(&self.generation.counted));
        if moved && let Some(before) = std::mem::replace(&mut self.admin, admin) {
            before.close().await;
        }
        Ok(())
    }

    /// Listens where the settings say. The old address goes on being served, unless the new one
    /// differs in less than the port (`127.0.0.1` and `0.0.0.0`): both cannot be had at once.
    async fn listen(&mut self, settings: &Settings) -> Result<Option<Admin>, ReloadError> {
        let Some(address) = settings.admin else { return Ok(None) };
        let serve = |address| admin::serve(address, Arc::clone(&self.health) as _);
        let failed = |error| ReloadError::Start(StartError::Admin { address, error });
        let taken = match serve(address).await {
            Ok(admin) => return Ok(Some(admin)),
            Err(error) => error,
        };
        let in_use = taken.kind() == ErrorKind::AddrInUse;
        let in_the_way = |admin: &mut Admin| in_use && admin.address.port() == address.port();
        let Some(before) = self.admin.take_if(in_the_way) else { return Err(failed(taken)) };
        let old = before.address;
        before.close().await;
        match serve(address).await {
            Ok(admin) => Ok(Some(admin)),
            Err(error) => {
                self.admin = serve(old).await.ok();
                Err(failed(error))
            }
        }
    }
}

impl Generation {
    /// Ends, and leaves what the next generation begins with.
    async fn hand_over(&mut self) -> HandedOver {
        let deadline = Instant::now() + HAND_OVER;
        self.notice.send_modify(|notice| notice.hand_over = true);
        self.pressure.hand_over();
        self.tail.stop_reading();
        let settled = self.end_deliveries(deadline).await;
        // Also however long the disk takes, where one has a buffer that is still written to.
        self.all_delivered().await;
        for queue in &self.queues {
            queue.stats().hand_over();
        }
        if !settled {
            tracing::warn!(
                waited = ?HAND_OVER,
                "not all that was sent is settled: the rest is read again with the new configuration"
            );
        }
        self.tail.begin_to_finish();
        // However long the disk takes: nobody else may write the state meanwhile.
        ended(None, || self.tail.has_finished()).await;
        self.tail.hand_over()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Over};

    /// Both at the same port: the old address was let go of, and somebody else took it.
    #[tokio::test]
    async fn an_agent_that_lost_its_admin_address_gets_it_with_the_next_configuration() {
        let dir = tempfile::tempdir().expect("a directory");
        let yaml = format!(
            "state: {0}/state\nadmin: 127.0.0.1:0\nsources: {{app: {{files: ['{0}/*.log']}}}}\n\
             destinations: {{screen: {{console: {{}}}}}}\n",
            dir.path().display()
        );
        let none = |_: &str| None;
        let settings = config::from_bytes("p", yaml.into_bytes(), &Over::default(), &none);
        let settings = Arc::new(settings.expect("good"));
        let mut agent = Agent::start(Arc::clone(&settings), "host".to_owned(), None).await;
        let agent = agent.as_mut().expect("starts");
        agent.admin.take().expect("listens").close().await;
        agent.reload(settings).await.expect("loaded");
        assert!(agent.admin.is_some(), "it is the same setting as before");
    }
}
