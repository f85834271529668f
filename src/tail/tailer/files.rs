//! The Files that are known, of which there may be many thousands, and which of them are worth a look:
//! whatever happens once a second, or at each save, costs what moves, not what is known.
//!
//! A File that is reached for to be changed is awake, and changed, from then on: nobody has to think of
//! it. It is awake until it is found to be at rest, and changed until it is saved.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use pillion_parsers::frame::FileNumber;

use crate::tail::lineage::TailedFile;

/// All of them, by number; as a map to whoever only reads.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Boxed: a tree half of whose places are empty would hold much air.
    all: BTreeMap<FileNumber, Box<TailedFile>>,
    /// Those that may be anything but at rest.
    awake: BTreeSet<FileNumber>,
    /// Those that were open when they were last awake.
    open: BTreeSet<FileNumber>,
    /// Those that may be otherwise than they were last saved, or are known no more.
    changed: BTreeSet<FileNumber>,
    /// Whether they were saved as a whole, and what changed since.
    saved: bool,
}

impl Deref for Files {
    type Target = BTreeMap<FileNumber, Box<TailedFile>>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl Files {
    /// One, to be changed.
    pub(super) fn get_mut(&mut self, number: &FileNumber) -> Option<&mut TailedFile> {
        let file = self.all.get_mut(number)?;
        self.awake.insert(*number);
        self.changed.insert(*number);
        Some(file)
    }

    /// All of them, to be changed.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut TailedFile> {
        self.awake.extend(self.all.keys());
        self.changed.extend(self.all.keys());
        self.all.values_mut().map(AsMut::as_mut)
    }

    pub(super) fn insert(&mut self, number: FileNumber, file: TailedFile) {
        self.all.insert(number, Box::new(file));
        self.awake.insert(number);
        self.changed.insert(number);
    }

    pub(super) fn remove(&mut self, number: FileNumber) -> Option<Box<TailedFile>> {
        self.awake.remove(&number);
        self.open.remove(&number);
        self.changed.insert(number);
        self.all.remove(&number)
    }

    /// Takes them all.
    pub(super) fn take(&mut self) -> BTreeMap<FileNumber, Box<TailedFile>> {
        std::mem::take(self).all
    }

    /// It was seen in this look round to be as it was.
    pub(super) fn saw(&mut self, number: FileNumber, looks: u64) {
        if let Some(file) = self.all.get_mut(&number) {
            file.seen = looks;
        }
    }

    /// Those that may be anything but at rest.
    pub(super) fn awake(&self) -> impl Iterator<Item = (FileNumber, &TailedFile)> {
        self.awake.iter().filter_map(|number| Some((*number, self.all.get(number)?.as_ref())))
    }

    /// The same, to change of them what no checkpoint says.
    pub(super) fn each_awake(&mut self, mut change: impl FnMut(FileNumber, &mut TailedFile)) {
        for number in &self.awake {
            if let Some(file) = self.all.get_mut(number) {
                change(*number, file);
            }
        }
    }

    /// These are at rest. How many are open, of all.
    pub(super) fn let_rest(&mut self, at_rest: &[FileNumber]) -> usize {
        for number in &self.awake {
            match self.all.get(number) {
                Some(file) if file.reader.file.is_some() => self.open.insert(*number),
                _ => self.open.remove(number),
            };
        }
        for number in at_rest {
            self.awake.remove(number);
        }
        self.open.len()
    }

    /// What a checkpoint says of one of these is otherwise now.
    pub(super) fn change(&mut self, numbers: impl IntoIterator<Item = FileNumber>) {
        self.changed.extend(numbers);
    }

    /// The numbers of those that may be otherwise than they were last saved, or are known no more; none
    /// if nothing was saved yet.
    pub(super) fn changed(&self) -> Option<&BTreeSet<FileNumber>> {
        self.saved.then_some(&self.changed)
    }

    /// What `describe` makes of each, or of each that changed.
    pub(super) fn describe<'f, D: 'f>(
        &'f mut self,
        all: bool,
        mut describe: impl FnMut(FileNumber, &mut TailedFile) -> D + 'f,
    ) -> Box<dyn Iterator<Item = D> + 'f> {
        let Self { all: files, changed, .. } = self;
        if all {
            return Box::new(files.iter_mut().map(move |(number, file)| describe(*number, file)));
        }
        let numbers = changed.iter();
        Box::new(numbers.filter_map(move |number| Some(describe(*number, files.get_mut(number)?))))
    }

    /// All that changed is saved; if not (`well`), the next save has to be one of all of them.
    pub(super) fn be_saved(&mut self, well: bool) {
        self.saved = well;
        self.changed.clear();
    }
}
