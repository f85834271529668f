//! Which records were dropped. What is missing where records may be dropped must be just those, by file and
//! place: were only their number compared, one that is lost would make up for one that is counted as
//! dropped and stored all the same.

use std::collections::BTreeMap;
use std::path::Path;

use super::Soak;
use super::end::Found;

/// Records by where they lie: bytes from, to, and how many.
type Runs = Vec<(u64, u64, u64)>;

/// Places in files. Each has the number of ours that its lines carry, and one that tells apart those
/// that were written to under that, one after the other: the agent's number for one, or ours.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<(u32, u32), Runs>);

impl Places {
    pub(super) fn add(&mut self, file: u32, which: u32, run: (u64, u64, u64)) {
        self.0.entry((file, which)).or_default().push(run);
    }

    /// What an agent says that it has dropped.
    pub(super) fn hear(&mut self, log: &[String]) {
        for line in log.iter().filter(|line| line.contains("DEBUG dropped destination=\"spare\" "))
        {
            let said = |name: &str| {
                let rest = line.split_once(&format!(" {name}="))?.1;
                rest.split(' ').next()
            };
            let number = |name: &str| said(name)?.parse::<u64>().ok();
            let file = said("path").and_then(|path| ours(Path::new(path)));
            let which = number("file").and_then(|file| u32::try_from(file).ok());
            let run = (|| Some((number("from")?, number("to")?, number("records")?)))();
            let (Some(file), Some(which), Some(run)) = (file, which, run) else {
                panic!("not understood: {line}")
            };
            self.add(file, which, run);
        }
    }

    pub(super) fn records(&self) -> u64 {
        self.0.values().flatten().map(|(.., records)| records).sum()
    }

    /// By file of ours: the runs of each of those that were written to under its name, which are told
    /// apart and no more.
    fn apart(&self) -> Vec<(u32, Runs)> {
        let mut all: Vec<_> =
            self.0.iter().map(|((file, _), runs)| (*file, joined(runs.clone()))).collect();
        all.sort_unstable();
        all
    }

    /// Records here in files of which it is not just these that are there.
    pub(super) fn unlike(&self, other: &Self) -> u64 {
        let mut others = other.apart();
        let unlike = self.apart().into_iter().filter(|it| {
            let same = others.iter().position(|other| other == it);
            same.map(|at| others.swap_remove(at)).is_none()
        });
        unlike.flat_map(|(_, runs)| runs).map(|(.., records)| records).sum()
    }
}

/// Runs that follow each other are one.
fn joined(mut runs: Runs) -> Runs {
    runs.sort_unstable();
    runs.dedup_by(|(from, to, records), (_, end, sum)| {
        let follows = from == end;
        if follows {
            (*end, *sum) = (*to, *sum + *records);
        }
        follows
    });
    runs
}

/// The number that lines of a log file carry, by its name and what rotation makes of that.
fn ours(path: &Path) -> Option<u32> {
    let rest = path.file_name()?.to_str()?.split_once('-')?.1;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

impl Soak {
    /// Where the lines lie that are missing at the destination that may miss some.
    pub(super) fn missing_places(&self, spare: &Found) -> Places {
        let mut places = Places::default();
        for (file, seq) in &spare.lines.missing {
            let (which, bytes) = self.apps[*file as usize].writer.place(*seq);
            places.add(*file, which, (bytes.start, bytes.end, 1));
        }
        places
    }

    /// Just those are missing that the agents say they dropped and have counted, and none if nothing went
    /// wrong.
    pub(super) fn assert_dropped(&self, spare: &Found, trace: &str) {
        let (missing, said) = (self.missing_places(spare), &self.said);
        let counted = self.dropped;
        let may_drop = self.settings.drops && self.spare.failed;
        let unlike = (missing.unlike(said), said.unlike(&missing));
        assert!(
            unlike == (0, 0) && said.records() == counted && (may_drop || counted == 0),
            "{unlike:?} missing and not dropped, dropped and not missing; {counted} counted, {} said, may \
             {may_drop}: missing {:?}, said {:?}, {spare:?}\n{trace}",
            said.records(),
            missing.apart(),
            said.apart(),
        );
    }
}

#[test]
fn what_is_lost_is_not_made_up_for_by_what_is_dropped_and_stored() {
    let log = |file: u32, from: u64, to: u64, records: u64| {
        format!(
            "2026-11-26T08:00:00Z DEBUG dropped destination=\"spare\" path=/l/json-{file}.log.12-1 \
             file={} from={from} to={to} records={records}",
            70 + from
        )
    };
    let heard = |lines: &[String]| {
        let mut places = Places::default();
        places.hear(lines);
        places
    };
    let said = heard(&[log(1, 0, 20, 2), log(5, 0, 20, 2)]);
    let missing = |lines: &[(u32, u32, u64)]| {
        let mut places = Places::default();
        lines.iter().for_each(|(file, which, at)| places.add(*file, *which, (*at, at + 10, 1)));
        places
    };
    let unlike = |lines: &[(u32, u32, u64)]| {
        let missing = missing(lines);
        (missing.unlike(&said), said.unlike(&missing))
    };
    assert_eq!(said.records(), 4);
    assert_eq!(unlike(&[(1, 0, 10), (1, 0, 0), (5, 3, 0), (5, 3, 10)]), (0, 0));
    assert_eq!(unlike(&[(1, 0, 0), (1, 0, 20), (5, 3, 0), (5, 3, 10)]), (2, 2), "another line");
    assert_eq!(unlike(&[(1, 0, 0), (1, 1, 10), (5, 3, 0), (5, 3, 10)]), (2, 2), "of another");
    assert_eq!(unlike(&[(1, 0, 0), (1, 0, 10)]), (0, 2));
}
