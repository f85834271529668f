//! The instance: random bytes that tell this state directory's record ids from all others', and what
//! tells the directory from a copy of it.
//!
//! Two agents with one instance would give records of different files the same id, and a server that has
//! one takes the other for it. So a file beside it says what a copy cannot have with it: when the instance's own
//! file was made, to the nanosecond, and, outside containers, on which machine. Each is compared where both
//! sides have it, and added where it is missing. What tells nothing here: the device and the inode, which
//! change when a volume is attached elsewhere, and repeat in a copy of the whole volume.
//!
//! The instance's file has the one line that all versions read; the other one says first whose it is:
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
use super::{InstanceBytes, StateError, create, is_full, sync_dir, write_synced};

/// The file's name.
pub(super) const INSTANCE: &str = "instance";
/// What tells it from its copies.
pub(super) const ORIGIN: &str = "instance.origin";
const FRESH: &str = "instance.new";
/// What systemd gives an installation, and gives anew to one made from an image. In a container it is that
/// of its image, of the node that it happens to run on, or its own: no sign of a copy.
const MACHINE: &str = "/etc/machine-id";
/// What engines put into their containers.
const CONTAINERS: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];

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
        let machine = (!in_container()).then(|| fs::read(MACHINE).ok()).flatten();
        // Before the first boot of an installation is over, it may be empty, or a word.
        let machine = machine.filter(|id| id.iter().all(|it| is_digit(*it)));
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

fn in_container() -> bool {
    CONTAINERS.iter().any(|sign| Path::new(sign).exists())
        || std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()
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
    let Some((instance, _)) = parse(&text) else { return Ok(Minted::Never) };
    let now = File::open(&path)
        .and_then(|file| Origin::of(&file, &instance))
        .map_err(|error| StateError::unreadable(&path, error))?;
    let said = match bytes_of(&dir.join(ORIGIN))? {
        Content::Bytes(text) => parse(&text).filter(|(whose, _)| *whose == instance),
        Content::Absent | Content::Damaged(_) => None,
    };
    let said = said.map(|(_, origin)| origin).unwrap_or_default();
    let was = said.clone();
    if said.differs(&now) {
        return Ok(Minted::Elsewhere);
    }
    let (born, machine) = (said.born.or(now.born), said.machine.or(now.machine));
    let all = Origin { born, machine };
    if all != was {
        // Without it a copy is not known for one: no reason to stay down.
        if let Err(error) = keep_origin(dir, &instance, &all) {
            tracing::warn!(?dir, %error, "what tells this state directory from copies is not saved");
        }
    }
    Ok(Minted::Here(instance))
}

/// What an instance's file says, which has only the first line, or the one beside it.
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
    file.write_all(format!("{}\n", digits(instance)).as_bytes())?;
    file.sync_all()?;
    fs::rename(&fresh, dir.join(INSTANCE))?;
    keep_origin(dir, instance, &Origin::of(&file, instance)?)
}

fn keep_origin(dir: &Path, instance: &InstanceBytes, origin: &Origin) -> io::Result<()> {
    let mut text = format!("{}\n", digits(instance));
    for (name, value) in [("born", &origin.born), ("machine", &origin.machine)] {
        if let Some(value) = value {
            text.push_str(&format!("{name} {value}\n"));
        }
    }
    let fresh = dir.join(FRESH);
    write_synced(&fresh, text.as_bytes())?;
    fs::rename(&fresh, dir.join(ORIGIN))?;
    sync_dir(dir)
}

fn digits(instance: &InstanceBytes) -> String {
    instance.iter().map(|byte| format!("{byte:02x}")).collect()
}
