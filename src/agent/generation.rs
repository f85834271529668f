//! One generation of an agent: the stages that one configuration makes. First it is prepared, which is
//! where anything can fail and which disturbs nobody; launched, it reads and ships.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::StartError;
use crate::budget::Budget;
use crate::checkpoint::tracker::Tracker;
use crate::config::memory;
use crate::config::settings::{Destination, DestinationKind, Settings, StartAt};
use crate::export::buffer;
use crate::export::dead_letter::file::CAP;
use crate::export::deliver::{DeadLetters, Delivery, Notice, Report};
use crate::export::encode::Encoder;
use crate::export::id::Instance;
use crate::export::queue::Queue;
use crate::export::rewrite::Rewriter;
use crate::observe::log;
use crate::observe::metrics::Counted;
use crate::pipeline::chunk::Read;
use crate::pipeline::outlet::{Outlet, OutletParts};
use crate::pipeline::pressure::Pressure;
use crate::pipeline::stats::{PipelineStats, SourceStats};
use crate::pipeline::thread::{self, READS_WAITING};
use crate::pipeline::worker::{Worker, WorkerParts};
use crate::tail::own_log::OwnLog;
use crate::tail::settings::{TailSettings, TailSource};
use crate::tail::stats::TailStats;
use crate::tail::{HandedOver, ReadyTail, TailHandle, TailParts};

/// What all generations of an agent have in common.
pub(super) struct Lasting {
    /// Goes into every record's id.
    pub(super) instance: Instance,
    /// `host.name` of every record.
    pub(super) host: String,
    /// There is one tail at a time: its counters go on.
    pub(super) tail: Arc<TailStats>,
    /// Where its own log goes, and who else writes there.
    pub(super) own_log: OwnLog,
}

/// A generation whose threads wait for something to do. Dropped, they end.
pub(super) struct Prepared {
    settings: Arc<Settings>,
    tracker: Arc<Tracker>,
    pressure: Pressure,
    queues: Vec<Arc<Queue>>,
    /// In the order of the settings.
    deliveries: Vec<Delivery<Rewriter>>,
    workers: Vec<JoinHandle<()>>,
    /// What the tail gives the workers.
    senders: Vec<SyncSender<Read>>,
    tail_settings: TailSettings,
    tail: ReadyTail,
    counted: Arc<Counted>,
}

/// A generation that runs.
pub(super) struct Generation {
    pub(super) settings: Arc<Settings>,
    pub(super) counted: Arc<Counted>,
    pub(super) tail: TailHandle,
    pub(super) workers: Vec<JoinHandle<()>>,
    pub(super) queues: Vec<Arc<Queue>>,
    /// Each with its destination's index.
    pub(super) deliveries: JoinSet<(usize, Report)>,
    /// Tells the deliveries that they end.
    pub(super) notice: watch::Sender<Notice>,
    /// Tells the workers the same.
    pub(super) pressure: Pressure,
}

impl Prepared {
    /// Sets all stages up. What counts under the same name in `earlier`, the generation before, goes
    /// on counting.
    ///
    /// # Errors
    ///
    /// When a destination cannot be set up, or the system gives no thread.
    pub(super) fn new(
        settings: Arc<Settings>,
        lasting: &Lasting,
        earlier: Option<&Counted>,
    ) -> Result<Self, StartError> {
        let counted = Arc::new(counted(&settings, lasting, earlier));
        let pressure = Pressure::new(Arc::clone(&counted.budget));
        let tracker = Arc::new(Tracker::new());
        let names: Vec<_> = settings.destinations.iter().map(|it| it.name.as_str()).collect();
        buffer::warn_of_strangers(&settings.state, &names);
        let (mut queues, mut deliveries) = (Vec::new(), Vec::new());
        for (index, destination) in settings.destinations.iter().enumerate() {
            let stats = counted.destinations.get(index).map(|(_, stats)| Arc::clone(stats));
            let queue = Queue::new(stats.unwrap_or_default());
            let rewriter = Rewriter::new(destination, lasting.instance);
            let delivery = Delivery::new(
                index,
                destination,
                rewriter,
                Arc::clone(&queue),
                Arc::clone(&tracker) as _,
                DeadLetters { state: &settings.state, cap: CAP },
                &counted.budget,
            );
            let mut delivery =
                delivery.map_err(|error| StartError::destination(destination, error))?;
            // An earlier generation still has it open.
            if earlier.is_none() {
                let opened = delivery.open_buffer();
                opened.map_err(|error| StartError::destination(destination, error))?;
            }
            deliveries.push(delivery);
            queues.push(queue);
        }
        let (mut workers, mut senders) = (Vec::new(), Vec::new());
        for (number, stats) in counted.workers.iter().enumerate() {
            let (sender, reads) = sync_channel(READS_WAITING);
            let stats_of = (stats, counted.sources.as_slice());
            let worker = worker(&settings, lasting, &queues, &pressure, stats_of)?;
            let spawned = thread::spawn(number, worker, reads, Arc::clone(stats), pressure.clone());
            workers.push(spawned.map_err(StartError::Thread)?);
            senders.push(sender);
        }
        let tail_settings = tail_settings(&settings, &lasting.own_log);
        let tail = ReadyTail::new(&tail_settings).map_err(StartError::Thread)?;
        Ok(Self {
            settings,
            tracker,
            pressure,
            queues,
            deliveries,
            workers,
            senders,
            tail_settings,
            tail,
            counted,
        })
    }

    /// Its counters.
    pub(super) fn counted(&self) -> &Arc<Counted> {
        &self.counted
    }

    /// Begins to deliver and to read, from what was found in the state directory or was handed over by
    /// the generation before. To be called on the runtime that is to run the deliveries.
    pub(super) fn launch(self, from: HandedOver, earlier: Option<&Counted>) -> Generation {
        if let Some((earlier, mine)) = earlier.zip(self.counted.workers.first()) {
            let before = |rule: &String| {
                let same = earlier.redactions().find(|(name, _)| name == rule);
                same.map_or(0, |(_, count)| count)
            };
            let redactions: Vec<u64> = self.counted.rules.iter().map(before).collect();
            let dropped = |(step, _): &(String, bool)| {
                let same = earlier.dropped_by_step().find(|(name, _)| name == step);
                same.map_or(0, |(_, count)| count)
            };
            let dropped: Vec<u64> = self.counted.steps.iter().map(dropped).collect();
            for (index, worker) in earlier.workers.iter().enumerate() {
                // They are sums over all workers already.
                let redactions = redactions.iter().copied().filter(|_| index == 0);
                let dropped = dropped.iter().copied().filter(|_| index == 0);
                mine.go_on_from(worker, redactions, dropped);
            }
            // Its workers have ended: what they held, and what never reached them, is read again.
            let tail = &self.counted.tail;
            let read = tail.bytes_read.load(Ordering::Relaxed);
            let returned = read.saturating_sub(self.counted.recorded_bytes());
            tail.bytes_returned.store(returned, Ordering::Relaxed);
        }
        log::redact_by(&self.settings.redact);
        let (notice, noticed) = watch::channel(Notice::default());
        let mut deliveries = JoinSet::new();
        for (index, delivery) in self.deliveries.into_iter().enumerate() {
            let noticed = noticed.clone();
            deliveries.spawn(async move { (index, delivery.run(noticed).await) });
        }
        // Last: from here on there is something to be delivered.
        let HandedOver { store, snapshot, inherited } = from;
        let tail = self.tail.begin(TailParts {
            settings: self.tail_settings,
            budget: Arc::clone(&self.counted.budget),
            tracker: self.tracker,
            store,
            snapshot,
            inherited,
            workers: self.senders,
            stats: Arc::clone(&self.counted.tail),
        });
        Generation {
            settings: self.settings,
            counted: self.counted,
            tail,
            workers: self.workers,
            queues: self.queues,
            deliveries,
            notice,
            pressure: self.pressure,
        }
    }
}

/// The counters of a generation.
fn counted(settings: &Settings, lasting: &Lasting, earlier: Option<&Counted>) -> Counted {
    let destination = |destination: &Destination| {
        let before = earlier.into_iter().flat_map(|earlier| &earlier.destinations);
        let same = before.clone().find(|(name, _)| *name == destination.name);
        same.cloned().unwrap_or_else(|| (destination.name.clone(), Arc::default()))
    };
    let rules = settings.redact.names().to_vec();
    let steps: Vec<_> =
        settings.steps.iter().map(|step| (step.name.clone(), step.may_drop())).collect();
    let worker = || Arc::new(PipelineStats::new(rules.len(), steps.len()));
    // What an earlier generation could not let go of still counts.
    let budget = earlier.map(|earlier| Arc::clone(&earlier.budget));
    let aside = memory::set_aside(settings);
    let room = settings.memory.saturating_sub(aside);
    let same = |budget: &Arc<Budget>| (budget.limit(), budget.room()) == (settings.memory, room);
    let budget = budget.filter(same);
    Counted {
        sources: settings.sources.iter().map(|it| source_stats(&it.name, earlier)).collect(),
        destinations: settings.destinations.iter().map(destination).collect(),
        tail: Arc::clone(&lasting.tail),
        workers: std::iter::repeat_with(worker).take(settings.threads.get()).collect(),
        budget: budget.unwrap_or_else(|| Budget::setting_aside(aside, settings.memory)),
        redact: Arc::clone(&settings.redact),
        rules,
        steps,
    }
}

/// A source's counters: those it had in the generation before.
fn source_stats(name: &str, earlier: Option<&Counted>) -> Arc<SourceStats> {
    let same = earlier.and_then(|earlier| earlier.sources.iter().find(|it| it.name == name));
    let stats = same.cloned().unwrap_or_else(|| Arc::new(SourceStats::new(name)));
    stats.say_again();
    stats
}

fn worker(
    settings: &Arc<Settings>,
    lasting: &Lasting,
    queues: &[Arc<Queue>],
    pressure: &Pressure,
    (stats, sources): (&Arc<PipelineStats>, &[Arc<SourceStats>]),
) -> Result<Worker, StartError> {
    let mut outlets = Vec::new();
    for (destination, queue) in settings.destinations.iter().zip(queues) {
        let Settings { schema, namespace, redact, .. } = &**settings;
        let encoder = Encoder::new(destination, *schema, namespace, redact, lasting.instance)
            .map_err(|error| StartError::destination(destination, error))?;
        outlets.push(Outlet::new(OutletParts {
            name: destination.name.clone(),
            encoder,
            limits: destination.batch,
            most: memory::batch_limit(destination),
            when_full: destination.when_full,
            share: memory::drop_share(settings),
            queue: Arc::clone(queue),
            stats: Arc::clone(queue.stats()),
            pressure: pressure.clone(),
        }));
    }
    Ok(Worker::new(WorkerParts {
        settings: Arc::clone(settings),
        instance: lasting.instance,
        host: lasting.host.clone(),
        outlets,
        budget: Arc::clone(pressure.budget()),
        stats: Arc::clone(stats),
        sources: sources.to_vec(),
    }))
}

fn tail_settings(settings: &Settings, own_log: &OwnLog) -> TailSettings {
    let console = |it: &Destination| matches!(it.kind, DestinationKind::Console);
    let records = settings.destinations.iter().any(console);
    let own_log = Arc::new(own_log.with_records(records));
    let sources = settings
        .sources
        .iter()
        .map(|source| TailSource {
            name: source.name.clone(),
            files: source.files.clone(),
            exclude: source.exclude.clone(),
            links_to: source.links_to.clone(),
            start_at_end: source.start_at == StartAt::End,
            ignore_older: source.ignore_older,
            max_record: source.max_record,
            own_log: (!source.include_own_log).then(|| Arc::clone(&own_log)),
            to: source.to.clone(),
            header: settings.library.header_form(source.parsers.iter().map(String::as_str)),
        })
        .collect();
    let destinations = settings.destinations.iter().map(|it| it.name.clone()).collect();
    let shipped_to = settings.destinations.clone();
    let worst = move |bytes| memory::chunk_share(bytes, &shipped_to);
    TailSettings { pin: settings.pin, ..TailSettings::new(sources, destinations, Arc::new(worst)) }
}
