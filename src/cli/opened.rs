//! A log named on the command line, opened: `-` is standard input, and what gzip compressed is
//! decompressed, whatever it is called.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use indicatif::ProgressBar;

/// What a gzip file begins with (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The log's bytes. How many of it were read is shown on `progress`.
pub(super) fn open(log: &Path, progress: &ProgressBar) -> io::Result<Box<dyn Read>> {
    let input: Box<dyn Read> = if log.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(log)?)
    };
    let mut input = progress.wrap_read(input);
    let mut beginning = Vec::new();
    input.by_ref().take(GZIP.len() as u64).read_to_end(&mut beginning)?;
    let compressed = beginning == GZIP;
    let whole = Cursor::new(beginning).chain(input);
    Ok(if compressed { Box::new(MultiGzDecoder::new(whole)) } else { Box::new(whole) })
}
