//! What a checkpoint says: the Files that are known and how far each is safe. No line content; the
//! hashes in it are one-way and over at least a line's neighbourhood.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use serde::ser::{SerializeStruct, Serializer};
use serde::{Deserialize, Serialize};

use pillion_parsers::frame::{Container, FileNumber};
use pillion_parsers::parse::{HeaderAt, Tally};

use super::ledger::Mark;
use super::resume::Resume;
use super::tombstone::Tombstone;

/// The whole checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// File numbers below this may have been used; the next start mints from here.
    pub next_file: u32,
    /// Names of the sources that were ever read: for them `start_at: end` no longer holds, what
    /// appeared while the agent was away is new.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Every File that is still on disk or not yet settled.
    pub files: Vec<FileEntry>,
    /// Files that are finished, oldest first.
    #[serde(default)]
    pub tombstones: Vec<Tombstone>,
}

/// A [`Snapshot`] that is made while it is written: of very many Files it would be large. Or what changed
/// since the last one was written.
pub struct Outline<'s, F, T> {
    /// See [`Snapshot::next_file`].
    pub next_file: u32,
    /// See [`Snapshot::sources`].
    pub sources: &'s BTreeSet<String>,
    /// See [`Snapshot::files`]. Used up by the first writing.
    pub files: RefCell<F>,
    /// See [`Snapshot::tombstones`]. The same.
    pub tombstones: RefCell<T>,
    /// Of changes: numbers of Files that are known no more.
    pub forgotten: Vec<u32>,
    /// Of changes: numbers of Files that are not finished any more.
    pub unburied: Vec<u32>,
}

impl<'t, F, T> Serialize for Outline<'_, F, T>
where
    F: Iterator<Item = FileEntry>,
    T: Iterator<Item = &'t Tombstone>,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Snapshot", 6)?;
        fields.serialize_field("next_file", &self.next_file)?;
        fields.serialize_field("sources", self.sources)?;
        fields.serialize_field("files", &Each(&self.files))?;
        fields.serialize_field("tombstones", &Each(&self.tombstones))?;
        for (name, numbers) in [("forgotten", &self.forgotten), ("unburied", &self.unburied)] {
            if !numbers.is_empty() {
                fields.serialize_field(name, numbers)?;
            }
        }
        fields.end()
    }
}

struct Each<'e, I>(&'e RefCell<I>);

impl<I: Iterator<Item: Serialize>> Serialize for Each<'_, I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.borrow_mut().by_ref())
    }
}

/// One File.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its number.
    pub number: u32,
    /// Name of its source.
    pub source: String,
    /// The path its lineage goes by.
    pub path: String,
    /// Where it was last seen, if that is somewhere else (rotated); its directory is where it is
    /// looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Where it really lay, if a link led there: its directory is another where it is looked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real: Option<String>,
    /// Device.
    pub dev: u64,
    /// The device of the directory that it really lay in, which can be another than its own (overlayfs, a
    /// mount of one file); none if an earlier version wrote this. Another one now: its volume is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir_dev: Option<u64>,
    /// Inode.
    pub inode: u64,
    /// When it was made, in nanoseconds since the Unix epoch, where its file system knows: an inode is
    /// given away again, with a later time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<i64>,
    /// Bytes it had when last looked at: what is lost when it is never found again.
    pub size: u64,
    /// Of its first bytes.
    pub fingerprint: Prefix,
    /// Of the bytes before some offset that is safe everywhere.
    pub tail: TailHash,
    /// Of some bytes between the two, once they were read; 0 before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub middle: u64,
    /// By destination name, how far it is safe.
    pub marks: Vec<MarkEntry>,
    /// Whether its bytes are no longer on the disk (truncated or deleted): what is not settled of it
    /// when the agent stops is lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// Whether there is nothing to be written.
pub(super) fn is_zero(hash: &u64) -> bool {
    *hash == 0
}

impl FileEntry {
    /// The directory that it really lay in.
    #[must_use]
    pub fn home(&self) -> Option<&Path> {
        let real = self.real.as_ref().or(self.at.as_ref()).unwrap_or(&self.path);
        Path::new(real).parent()
    }

    /// The directories that it may still lie in.
    pub fn dirs(&self) -> impl Iterator<Item = &Path> {
        let at = self.at.as_ref().unwrap_or(&self.path);
        [Some(at), self.real.as_ref()].into_iter().flatten().filter_map(|at| Path::new(at).parent())
    }

    /// Bytes known to have been in it that some of these destinations did not settle.
    #[must_use]
    pub fn unsettled<'d>(&self, destinations: impl IntoIterator<Item = &'d str>) -> u64 {
        let safe =
            |name: &str| self.marks.iter().find(|mark| mark.to == name).map(|mark| mark.safe);
        let slowest = destinations.into_iter().filter_map(safe).min();
        slowest.map_or(0, |safe| self.size.saturating_sub(safe))
    }
}

/// Length and xxh3-64 of a File's first bytes. Grows with the File to [`Prefix::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefix {
    /// Bytes hashed; 0 fits every File.
    pub len: u16,
    /// Their hash.
    pub hash: u64,
}

/// xxh3-64 of up to [`TailHash::MAX`] bytes that end at an offset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TailHash {
    /// One past the last byte hashed.
    pub end: u64,
    /// Bytes hashed; 0 fits every File.
    pub len: u16,
    /// Their hash.
    pub hash: u64,
}

/// How far a File is safe for one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkEntry {
    /// The destination's name: it may have another place in the next configuration, or none.
    pub to: String,
    /// Everything before it is settled.
    pub safe: u64,
    /// See [`Resume::parser`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parser: Option<String>,
    /// See [`Resume::tally`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tally: Option<Tally>,
    /// See [`Resume::in_private_key`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_private_key: bool,
    /// See [`Resume::container`]; none while it is not found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// See [`Resume::header`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderEntry>,
}

impl MarkEntry {
    /// A mark under its destination's name.
    #[must_use]
    pub fn new(to: &str, mark: &Mark) -> Self {
        let ResumeEntry { parser, tally, in_private_key, container, header } =
            ResumeEntry::new(&mark.resume);
        let (to, safe) = (to.to_owned(), mark.safe);
        Self { to, safe, parser, tally, in_private_key, container, header }
    }

    /// The mark.
    #[must_use]
    pub fn mark(&self) -> Mark {
        let Self { to: _, safe, parser, tally, in_private_key, container, header } = self.clone();
        let resume = ResumeEntry { parser, tally, in_private_key, container, header }.resume();
        Mark { safe, resume }
    }
}

/// A [`Resume`], as a checkpoint has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeEntry {
    /// See [`Resume::parser`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parser: Option<String>,
    /// See [`Resume::tally`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tally: Option<Tally>,
    /// See [`Resume::in_private_key`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_private_key: bool,
    /// See [`Resume::container`]; none while it is not found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// See [`Resume::header`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderEntry>,
}

/// A [`HeaderAt`], as a checkpoint has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeaderEntry {
    /// The number of the File.
    pub file: u32,
    /// See [`HeaderAt::offset`].
    pub offset: u64,
}

impl ResumeEntry {
    /// As it is written.
    #[must_use]
    pub fn new(resume: &Resume) -> Self {
        let Resume { parser, tally, in_private_key, container, header } = resume;
        Self {
            parser: parser.as_deref().map(str::to_owned),
            tally: *tally,
            in_private_key: *in_private_key,
            container: (*container != Container::Auto).then(|| container.name().to_owned()),
            header: header.map(|it| HeaderEntry { file: it.file.0, offset: it.offset }),
        }
    }

    /// As it is used.
    #[must_use]
    pub fn resume(&self) -> Resume {
        // What a newer version may know of is found out again.
        let container = self.container.as_deref().and_then(Container::from_name);
        let header = |it: HeaderEntry| HeaderAt { file: FileNumber(it.file), offset: it.offset };
        Resume {
            parser: self.parser.as_deref().map(Into::into),
            tally: self.tally,
            in_private_key: self.in_private_key,
            container: container.unwrap_or(Container::Auto),
            header: self.header.map(header),
        }
    }
}
