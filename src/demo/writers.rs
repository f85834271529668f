//! Writes the logs at a steady rate, and rotates a file by renaming now and then.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use jiff::Timestamp;

use super::formats::Format;
use super::tally::Tally;

/// How often lines are written.
const TICK: Duration = Duration::from_millis(20);

/// How often a file, each in its turn, is renamed.
const ROTATE: Duration = Duration::from_millis(1500);

/// The files being written.
#[derive(Debug)]
pub(super) struct Writers {
    logs: Vec<Log>,
    rng: Rng,
    /// Numbers the records; shared with the receiver, which counts their arrival.
    tally: Arc<Mutex<Tally>>,
}

#[derive(Debug)]
struct Log {
    format: Format,
    path: PathBuf,
    file: File,
    rotations: u32,
}

impl Writers {
    /// Creates the files in `directory`.
    pub(super) fn open(directory: &Path, seed: u64, tally: Arc<Mutex<Tally>>) -> io::Result<Self> {
        let logs = Format::ALL.into_iter().map(|format| {
            let path = directory.join(format.file());
            Ok(Log { format, file: append(&path)?, path, rotations: 0 })
        });
        let logs = logs.collect::<io::Result<Vec<_>>>()?;
        Ok(Self { logs, rng: Rng::with_seed(seed), tally })
    }

    /// Writes `rate` records a second until told to stop; returns how often a file was rotated.
    pub(super) fn write(mut self, rate: u32, stop: impl Fn() -> bool) -> io::Result<u32> {
        let began = Instant::now();
        let (mut written, mut rotated) = (0, 0);
        loop {
            // However late this thread is: what was due by the end is written.
            let last = stop();
            let due = began.elapsed().as_millis() * u128::from(rate) / 1000;
            while written < due {
                self.record(written)?;
                written += 1;
            }
            if began.elapsed() >= ROTATE * (rotated + 1) {
                self.rotate(rotated)?;
                rotated += 1;
            }
            if last {
                return Ok(rotated);
            }
            std::thread::sleep(TICK);
        }
    }

    fn record(&mut self, turn: u128) -> io::Result<()> {
        let Self { logs, rng, tally } = self;
        let Some(log) = of(logs, turn) else { return Ok(()) };
        let composed = {
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            let composed = log.format.compose(tally.written(), Timestamp::now(), rng);
            // Before the line is written: it may arrive at once.
            composed.planted.iter().for_each(|value| tally.planted.plant(value.clone()));
            composed
        };
        log.file.write_all(composed.text.as_bytes())
    }

    /// Renames a file to `.1`, older ones to the next number, and begins it anew.
    fn rotate(&mut self, turn: u32) -> io::Result<()> {
        let Some(log) = of(&mut self.logs, u128::from(turn)) else { return Ok(()) };
        let numbered = |number: u32| {
            let mut path = log.path.clone().into_os_string();
            path.push(format!(".{number}"));
            PathBuf::from(path)
        };
        for number in (1..=log.rotations).rev() {
            std::fs::rename(numbered(number), numbered(number + 1))?;
        }
        std::fs::rename(&log.path, numbered(1))?;
        log.file = append(&log.path)?;
        log.rotations += 1;
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// The file whose turn it is.
fn of(logs: &mut [Log], turn: u128) -> Option<&mut Log> {
    let count = logs.len().max(1) as u128;
    logs.get_mut(usize::try_from(turn % count).unwrap_or(0))
}
