//! Takes off what a container runtime wrapped around a line, one level deep. A line that does not
//! fit to the last byte is an ordinary line: whoever can write the log can forge its prefixes.

mod cri;
mod docker;
mod rfc3339;

use super::{Container, Stream};
use crate::record::{ClockUnit, Time};

/// What was found inside a container's line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unwrapped {
    /// Where the text is.
    pub(super) body: Body,
    /// The stream it was written to.
    pub(super) stream: Stream,
    /// When the runtime read it.
    pub(super) time: Time,
    /// Whether the program's line ends here, or goes on in a later one of the same stream.
    pub(super) ends: bool,
}

/// Where a container's text is to be found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Body {
    /// In the line, between these two places.
    Within(usize, usize),
    /// It had escapes: in the scratch buffer, decoded.
    Decoded,
}

/// Runtimes' clocks count nanoseconds; containerd and Docker drop trailing zeros when writing them.
fn runtime_time(nanos: i64) -> Time {
    Time { nanos, unit: ClockUnit::Nanosecond }
}

/// So many lines that fit nothing, at the start of a File, say that it is no container's.
const TRIES: u16 = 4;
/// So many misfits in a row, and `auto` looks at everything again.
const MISFITS: u16 = 16;
/// Where `auto` found no container, it tries one line of so many.
const RETRY_EVERY: u16 = 256;

/// Unwraps line after line; for [`Container::Auto`], finds out what to unwrap.
#[derive(Debug)]
pub(super) struct Unwrapper {
    /// Whether the container is for `auto` to find.
    auto: bool,
    /// What is being unwrapped; [`Container::Auto`] while undecided.
    current: Container,
    /// Lines since the last that fitted. Lines are counted, never chunks, so that the same lines
    /// give the same records however they are read.
    misfits: u16,
}

impl Unwrapper {
    pub(super) fn new(container: Container) -> Self {
        Self { auto: container == Container::Auto, current: container, misfits: 0 }
    }

    /// What is known of the File already.
    pub(super) fn resume(&mut self, container: Container) {
        if self.auto {
            self.current = container;
        }
    }

    /// What is being unwrapped.
    pub(super) fn current(&self) -> Container {
        self.current
    }

    /// Another File begins: it may be of another kind.
    pub(super) fn begin_file(&mut self) {
        if self.auto {
            *self = Self::new(Container::Auto);
        }
    }

    /// What the line, given without its newline, holds; `None` when it is an ordinary line.
    pub(super) fn unwrap(&mut self, line: &[u8], scratch: &mut Vec<u8>) -> Option<Unwrapped> {
        if !self.auto {
            return unwrap_as(self.current, line, scratch);
        }
        let kind = match self.current {
            Container::None => {
                self.misfits += 1;
                if self.misfits < RETRY_EVERY {
                    return None;
                }
                self.misfits = 0;
                guess(line)
            }
            Container::Auto => guess(line),
            known => known,
        };
        let unwrapped = unwrap_as(kind, line, scratch);
        if unwrapped.is_some() {
            self.current = kind;
            self.misfits = 0;
        } else if self.current != Container::None {
            self.misfits += 1;
            let (most, next) = match self.current {
                Container::Auto => (TRIES, Container::None),
                _ => (MISFITS, Container::Auto),
            };
            if self.misfits >= most {
                self.current = next;
                self.misfits = 0;
            }
        }
        unwrapped
    }
}

/// The only kind a line that begins like this could be.
fn guess(line: &[u8]) -> Container {
    match line.first() {
        Some(b'0'..=b'9') => Container::Cri,
        Some(b'{') => Container::Docker,
        _ => Container::None,
    }
}

fn unwrap_as(kind: Container, line: &[u8], scratch: &mut Vec<u8>) -> Option<Unwrapped> {
    match kind {
        Container::Cri => cri::unwrap(line),
        Container::Docker => docker::unwrap(line, scratch),
        Container::None | Container::Auto => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CRI: &[u8] = b"2026-11-22T10:00:00Z stdout F text";
    const DOCKER: &[u8] = br#"{"log":"text\n","stream":"stdout","time":"2026-11-22T10:00:00Z"}"#;
    const PLAIN: &[u8] = b"2026-11-22 10:00:00 INFO text";

    /// Which of the lines were unwrapped.
    fn fits(container: Container, lines: &[&[u8]]) -> Vec<bool> {
        let mut unwrapper = Unwrapper::new(container);
        lines.iter().map(|line| unwrapper.unwrap(line, &mut Vec::new()).is_some()).collect()
    }

    #[test]
    fn what_is_configured_is_unwrapped_and_nothing_else() {
        let lines = [CRI, DOCKER, PLAIN];
        assert_eq!(fits(Container::None, &lines), [false, false, false]);
        assert_eq!(fits(Container::Cri, &lines), [true, false, false]);
        assert_eq!(fits(Container::Docker, &lines), [false, true, false]);
    }

    #[test]
    fn auto_decides_by_the_first_line_that_fits() {
        assert_eq!(
            fits(Container::Auto, &[PLAIN, PLAIN, CRI, DOCKER, CRI]),
            [false, false, true, false, true]
        );
        assert_eq!(fits(Container::Auto, &[DOCKER, CRI, DOCKER]), [true, false, true]);
    }

    #[test]
    fn auto_takes_no_forged_line_in_a_plain_file() {
        let mut lines = vec![PLAIN; usize::from(TRIES)];
        lines.extend([CRI, DOCKER]);
        assert!(fits(Container::Auto, &lines).iter().all(|fit| !fit));
    }

    /// Otherwise each restart would open the next lines of a plain file to a forged prefix.
    #[test]
    fn what_was_found_is_resumed() {
        for (known, expect) in [
            (Container::None, [false, false]),
            (Container::Docker, [false, true]),
            (Container::Auto, [true, false]),
        ] {
            let mut unwrapper = Unwrapper::new(Container::Auto);
            unwrapper.resume(known);
            let fits = [CRI, DOCKER].map(|line| unwrapper.unwrap(line, &mut Vec::new()).is_some());
            assert_eq!(fits, expect, "{known:?}");
        }
        let mut unwrapper = Unwrapper::new(Container::Cri);
        unwrapper.resume(Container::None);
        assert!(unwrapper.unwrap(CRI, &mut Vec::new()).is_some(), "configured");
    }

    #[test]
    fn auto_decides_again() {
        // Many lines that do not fit any more.
        let mut lines = vec![CRI];
        lines.extend(vec![DOCKER; usize::from(MISFITS) + 1]);
        assert_eq!(fits(Container::Auto, &lines).last(), Some(&true));
        // Found to be plain, and after many lines it is not.
        let mut lines = vec![PLAIN; usize::from(TRIES)];
        lines.extend(vec![CRI; usize::from(RETRY_EVERY) + 1]);
        let fitting = fits(Container::Auto, &lines).iter().filter(|fit| **fit).count();
        assert_eq!(fitting, 2);
        // Another File.
        let mut unwrapper = Unwrapper::new(Container::Auto);
        assert!(unwrapper.unwrap(CRI, &mut Vec::new()).is_some());
        unwrapper.begin_file();
        assert!(unwrapper.unwrap(DOCKER, &mut Vec::new()).is_some());
    }
}
