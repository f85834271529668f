//! What comes from the tail to a worker, as a bench takes it.

use super::*;

impl Bench {
    pub(super) fn take_reads(&mut self) {
        while let Some(Ok(read)) = self.reads.as_ref().map(Receiver::try_recv) {
            self.take_read(read);
        }
    }

    pub(super) fn take_read(&mut self, read: Read) {
        let mut said = String::new();
        match read {
            Read::Opened(opened) => {
                let name = opened.path.rsplit('/').next().unwrap_or_default();
                let name = ["", "again "][opened.source].to_owned() + name;
                let FileNumber(number) = opened.file;
                write!(said, "opened {name} #{number} at {}", opened.offset).expect("fits");
                self.paths.insert(opened.lineage, name);
                self.opened.push(opened);
            }
            Read::Chunk(chunk) => {
                let (FileNumber(number), span) = (chunk.file, chunk.span);
                write!(said, "#{number} {}..{}", span.start, span.end).expect("fits");
                if chunk.ending != Ending::Newline {
                    write!(said, " {:?}", chunk.ending).expect("fits");
                }
                let name = self.paths[&chunk.lineage].clone();
                self.behind.insert(name.clone(), !chunk.caught_up);
                self.last.insert(name.clone(), (chunk.file, chunk.span));
                self.came.entry(name).or_default().extend_from_slice(&chunk.bytes);
                self.held.push(chunk);
                if self.settle {
                    self.settle_held();
                }
            }
            Read::CaughtUp(lineage) | Read::Behind(lineage) => {
                let behind = matches!(read, Read::Behind(_));
                let before = self.behind.insert(self.paths[&lineage].clone(), behind);
                assert_eq!(before, Some(!behind), "told twice");
                return;
            }
            Read::Pressed => {
                self.pressed += 1;
                return;
            }
            Read::Retired { lineage, file, last } => {
                if last {
                    // What was held for what might follow is let go.
                    self.behind.insert(self.paths[&lineage].clone(), false);
                }
                let last = if last { ", last" } else { "" };
                write!(said, "retired #{}{last}", file.0).expect("fits");
            }
        }
        self.log.push(said);
    }

    pub(super) fn settle_held(&mut self) {
        for chunk in std::mem::take(&mut self.held) {
            for destination in 0..self.options.destinations.len() {
                settle(&self.tracker, destination, &chunk);
            }
        }
    }

    pub(super) fn text(&self, name: &str) -> String {
        let bytes = self.came.get(name).cloned().unwrap_or_default();
        String::from_utf8(bytes).expect("text")
    }

    pub(super) fn take_log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }
}
