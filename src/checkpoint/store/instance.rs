//! The instance: random bytes that tell this state directory's record ids from all others', and what
//! tells the directory from a copy of it.
//!
//! Two agents with one instance would give records of different files the same id, and a server that has
//! one takes the other for it. So the file says what a copy cannot have with it: when it was made itself, to the
//! nanosecond, and on which machine. Each is compared where both sides have it. What tells nothing here:
//! the device and the inode, which change when a volume is attached elsewhere, and repeat in a copy of the
//! whole volume.
//!
//! ```text
//! 0123456789abcdef01
//! born 1795666588.123456789
//! machine 0123456789abcdef
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::UNIX_EPOCH;

use xxhash_rust::xxh3::xxh3_64;

use super::generation::{Content, bytes_of};
use super::{InstanceBytes, StateError, create, is_full, sync_dir};

/// The file's name.
pub(super) const INSTANCE: &str = "instance";
const FRESH: &str = "instance.new";
/// What systemd gives an installation, and gives anew to one made from an image.
const MACHINE: &str = "/etc/machine-id";

/// Where an instance was minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Minted {
    /// In this directory, as far as one can tell.
    Here(InstanceBytes),
    /// In one that this is a copy of.
    Elsewhere,
    /// Nowhere: there is none, or none that this program wrote.
    Never,
}

/// What tells an instance's file from its copies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// When the file was made; none where the file system does not keep that.
    pub(super) born: Option<String>,
    /// A hash over the machine's id and the instance: ids of machines are not to be told.
    pub(super) machine: Option<String>,
}

impl Origin {
    /// What a file has now.
    fn of(file: &File, instance: &InstanceBytes) -> io::Result<Self> {
        let born = file.metadata()?.created().ok();
        let born = born.and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        // Before the first boot of an installation is over, it may be empty, or a word.
        let machine = fs::read(MACHINE).ok().filter(|id| id.iter().all(|it| is_digit(*it)));
        let machine = machine.filter(|id| id.len() >= 32).map(|mut id| {
            id.extend_from_slice(instance);
            format!("{:016x}", xxh3_64(&id))
        });
        Ok(Self {
            born: born.map(|born| format!("{}.{:09}", born.as_secs(), born.subsec_nanos())),
            machine,
        })
    }

    /// Whether both are known, and are not the same.
    pub(super) fn differs(&self, other: &Self) -> bool {
        let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        differ(&self.born, &other.born) || differ(&self.machine, &other.machine)
    }
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || byte == b'\n'
}

/// The instance of a state directory.
///
/// # Errors
///
/// When it is there and cannot be read.
pub(super) fn read(dir: &Path) -> Result<Minted, StateError> {
    let path = dir.join(INSTANCE);
    // One whose bytes are lost is minted anew.
    let Content::Bytes(text) = bytes_of(&path)? else { return Ok(Minted::Never) };
    let Some((instance, said)) = parse(&text) else { return Ok(Minted::Never) };
    let now = File::open(&path)
        .and_then(|file| Origin::of(&file, &instance))
        .map_err(|error| StateError::unreadable(&path, error))?;
    Ok(if said.differs(&now) { Minted::Elsewhere } else { Minted::Here(instance) })
}

/// What an instance's file says. One of an earlier version has only the first line.
fn parse(text: &[u8]) -> Option<(InstanceBytes, Origin)> {
    let mut lines = std::str::from_utf8(text).ok()?.lines();
    let digits = lines.next()?.as_bytes();
    let mut instance = [0; 9];
    if digits.len() != instance.len() * 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in instance.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    let mut origin = Origin::default();
    for line in lines {
        match line.split_once(' ') {
            Some(("born", born)) => origin.born = Some(born.to_owned()),
            Some(("machine", machine)) => origin.machine = Some(machine.to_owned()),
            _ => {}
        }
    }
    Some((instance, origin))
}

/// Makes an instance, and keeps it.
///
/// # Errors
///
/// When there is no randomness to be had; and within, when it cannot be kept. On a full disk it is not kept:
/// once there is room a checkpoint will be there without an instance, and the next start takes another.
/// That costs repeats, never a loss.
pub(super) fn mint(dir: &Path) -> Result<io::Result<InstanceBytes>, StateError> {
    let mut instance = [0; 9];
    getrandom::fill(&mut instance).map_err(|_| StateError::Random)?;
    Ok(match keep(dir, &instance) {
        Err(error) if is_full(&error) => {
            let _ = fs::remove_file(dir.join(INSTANCE));
            Ok(instance)
        }
        kept => kept.map(|()| instance),
    })
}

fn keep(dir: &Path, instance: &InstanceBytes) -> io::Result<()> {
    let fresh = dir.join(FRESH);
    // One that was left behind was made at another time than this.
    super::remove(&fresh)?;
    let mut file = create(&fresh)?;
    let Origin { born, machine } = Origin::of(&file, instance)?;
    let mut text: String = instance.iter().map(|byte| format!("{byte:02x}")).collect();
    text.push('\n');
    for (name, value) in [("born", born), ("machine", machine)] {
        if let Some(value) = value {
            text.push_str(&format!("{name} {value}\n"));
        }
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, dir.join(INSTANCE))?;
    sync_dir(dir)
}
