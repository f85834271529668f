//! What applications and their rotations do to log files: lines that the [oracle](super::oracle) can
//! judge, written in the usual forms, and files that are renamed, chained, copied and truncated,
//! deleted and compressed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::oracle::line;

/// How a line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As it is.
    Plain,
    /// As the message of a JSON object.
    Json,
    /// As a container runtime does, in one to three parts.
    Cri,
    /// With stack frames below it.
    Trace,
}

/// A log file and the application that writes it.
pub(crate) struct Writer {
    pub(crate) path: PathBuf,
    /// The number its lines carry.
    file: u32,
    form: Form,
    /// Lines begun.
    seq: u64,
    /// Stays open over renames until [`Writer::reopen`].
    handle: File,
    /// What is still to be written of the last line.
    half: Option<String>,
    /// Where the next line begins: in which of the files that had the path, and at which offset.
    at: (u32, u64),
    /// Where lines lie, from the first on that was not [forgotten](Writer::forget_places).
    places: (u64, Vec<(u32, Range<u64>)>),
    /// Bytes written.
    pub(crate) put: u64,
    /// Bytes of filling per line at most.
    pub(crate) filling: usize,
    rng: Rng,
}

impl Writer {
    /// Creates the file at `path`, or goes on with it, for lines of file number `file`.
    pub(crate) fn new(path: PathBuf, file: u32) -> Self {
        let handle = open(&path);
        let rng = Rng::with_seed(u64::from(file) + 1);
        let at = (0, length(&handle));
        Self {
            path,
            file,
            form: Form::Plain,
            seq: 0,
            handle,
            half: None,
            at,
            places: (0, Vec::new()),
            put: 0,
            filling: 200,
            rng,
        }
    }

    /// Writes in another form.
    pub(crate) fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Whether a line is a line.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.form, Form::Plain | Form::Json)
    }

    /// File number and lines begun.
    pub(crate) fn written(&self) -> (u32, u64) {
        (self.file, self.seq)
    }

    /// Writes so many whole lines, after the end of a line that was begun.
    pub(crate) fn lines(&mut self, count: u64) {
        let mut text = self.half.take().unwrap_or_default();
        for _ in 0..count {
            let next = self.next();
            text.push_str(&next);
            if text.len() > 64 << 10 {
                self.put(&text);
                text.clear();
            }
        }
        self.put(&text);
    }

    /// Writes lines until at least so many bytes are.
    pub(crate) fn bytes(&mut self, mut count: usize) {
        while count > 0 {
            let mut text = self.half.take().unwrap_or_default();
            while text.len() < count.min(64 << 10) {
                let next = self.next();
                text.push_str(&next);
            }
            self.put(&text);
            count = count.saturating_sub(text.len());
        }
    }

    /// Begins a line whose end comes with the next ones.
    pub(crate) fn half(&mut self) {
        self.lines(0);
        let mut text = self.next();
        let at = text.len() / 2;
        let at = (at..).find(|at| text.is_char_boundary(*at)).expect("the end is one");
        self.half = Some(text.split_off(at));
        self.put(&text);
    }

    /// The next line with what is around it.
    fn next(&mut self) -> String {
        let rng = &mut self.rng;
        // Words that compress about as well as a real log's.
        let mut filling = String::from("wörter");
        for _ in 0..rng.usize(0..=self.filling) / 8 {
            let letters = rng.u64(..).to_le_bytes();
            filling.push(' ');
            filling.extend(letters.iter().take(7).map(|byte| char::from(b'a' + byte % 26)));
        }
        if self.form == Form::Trace {
            for frame in 0..rng.usize(1..20) {
                filling.push_str(&format!("\n\tat shop.order.Basket.call{frame}(Basket.java)"));
            }
        }
        let text = line(self.file, self.seq, &filling);
        self.seq += 1;
        let text = match self.form {
            Form::Plain | Form::Trace => text + "\n",
            Form::Json => format!("{{\"level\":\"info\",\"msg\":\"{text}\",\"ok\":true}}\n"),
            Form::Cri => cri(&text, rng),
        };
        let (which, from) = self.at;
        self.at.1 += text.len() as u64;
        self.places.1.push((which, from..self.at.1));
        text
    }

    /// Where a line lies: in which of the files that had the path, and the bytes.
    pub(crate) fn place(&self, seq: u64) -> (u32, Range<u64>) {
        let (first, places) = &self.places;
        places[usize::try_from(seq - first).expect("small")].clone()
    }

    /// Forgets where the lines lie that were begun so far.
    pub(crate) fn forget_places(&mut self) {
        self.places = (self.seq, Vec::new());
    }

    fn put(&mut self, text: &str) {
        self.handle.write_all(text.as_bytes()).expect("the log file takes bytes");
        self.put += text.len() as u64;
    }

    /// Opens the path anew, as applications do after a rotation. A line that was begun is ended first.
    pub(crate) fn reopen(&mut self) {
        self.lines(0);
        self.handle = open(&self.path);
        self.at = (self.at.0 + 1, length(&self.handle));
    }

    /// Renames the file. The application goes on in it until [`Writer::reopen`].
    pub(crate) fn rename(&self, to: &Path) {
        fs::rename(&self.path, to).expect("renames");
    }

    /// Renames the file and begins another: logrotate's `create`.
    pub(crate) fn rotate(&mut self, to: &Path) {
        self.rename(to);
        self.reopen();
    }

    /// The path with `.1`, `.2`, … behind it.
    pub(crate) fn rotated(&self, number: usize) -> PathBuf {
        with_suffix(&self.path, &format!(".{number}"))
    }

    /// Moves `.1` to `.2` and so on up to `.keep`, which goes, then the file to `.1`, and begins
    /// another.
    pub(crate) fn chain(&mut self, keep: usize) {
        self.chain_without_reopening(keep);
        self.reopen();
    }

    /// The same, but the application goes on in the renamed file until [`Writer::reopen`].
    pub(crate) fn chain_without_reopening(&self, keep: usize) {
        for number in (1..keep).rev() {
            // The first rotations find none.
            let _ = fs::rename(self.rotated(number), self.rotated(number + 1));
        }
        self.rename(&self.rotated(1));
    }

    /// Copies the file and empties it: logrotate's `copytruncate`. What is written between the two is
    /// lost by its nature; here nothing is.
    pub(crate) fn copytruncate(&mut self, to: &Path) {
        self.lines(0);
        fs::copy(&self.path, to).expect("copies");
        self.truncate();
    }

    /// Goes on at this offset whatever the file's size, as without `O_APPEND`.
    pub(crate) fn go_on_at(&mut self, offset: u64) {
        self.lines(0);
        self.handle = OpenOptions::new().write(true).open(&self.path).expect("the log file opens");
        self.handle.seek(SeekFrom::Start(offset)).expect("seeks");
        self.at.1 = offset;
    }

    /// Empties the file.
    pub(crate) fn truncate(&mut self) {
        self.lines(0);
        self.handle.set_len(0).expect("truncates");
        self.at = (self.at.0 + 1, 0);
    }

    /// Deletes the file. The application goes on in it until [`Writer::reopen`].
    pub(crate) fn delete(&self) {
        fs::remove_file(&self.path).expect("deletes");
    }
}

/// `<time> stdout P part`, …, `<time> stdout F rest`.
fn cri(text: &str, rng: &mut Rng) -> String {
    let now = jiff::Timestamp::now();
    let mut out = String::new();
    let mut rest = text;
    for _ in 0..rng.usize(0..3) {
        let at = rng.usize(1..rest.len().max(2));
        let Some((part, after)) = rest.split_at_checked(at) else { continue };
        out.push_str(&format!("{now:.9} stdout P {part}\n"));
        rest = after;
    }
    out + &format!("{now:.9} stdout F {rest}\n")
}

fn open(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).expect("the log file opens")
}

fn length(file: &File) -> u64 {
    file.metadata().expect("it is open").len()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Compresses a file to `.gz` beside it and removes it, as gzip does. Where the new file is.
pub(crate) fn gzip(path: &Path) -> PathBuf {
    let to = with_suffix(path, ".gz");
    let mut encoder =
        GzEncoder::new(File::create(&to).expect("the compressed file"), Compression::fast());
    std::io::copy(&mut File::open(path).expect("opens"), &mut encoder).expect("compresses");
    encoder.finish().expect("compresses");
    fs::remove_file(path).expect("deletes");
    to
}

/// What several applications wrote.
pub(crate) fn written<'w>(writers: impl IntoIterator<Item = &'w Writer>) -> BTreeMap<u32, u64> {
    writers.into_iter().map(Writer::written).collect()
}
