//! What a program writes as it dies of an error, without a format: `auto` knows it wherever it stands,
//! also in a file that has a format. Loggers are not asked by who dies.

use super::trace;
use crate::record::{Key, Known, Level, Record, Text, Value};

/// What is known of a crash from how it begins.
struct Crash<'a> {
    level: Level,
    /// The error's class, where no trace says it.
    class: Option<&'a str>,
}

/// Puts a text that begins as a crash does into a record: level, class of the error and trace. False,
/// and the record as it was, where it is none.
pub(super) fn put<'a>(record: &mut Record<'a>, text: &'a str) -> bool {
    // Rails writes two blanks above an error.
    let text = text.strip_prefix("  \n").unwrap_or(text);
    let Some(crash) = of(text) else { return false };
    trace::put(record, text);
    record.level = Some(crash.level);
    if let Some(class) = crash.class
        && record.get(Known::ErrorType.name()).is_none()
    {
        record.push(Key::Known(Known::ErrorType), Value::Text(Text::raw(class)));
    }
    true
}

fn of(text: &str) -> Option<Crash<'_>> {
    let (first, below) = text.split_once('\n').unwrap_or((text, ""));
    let first = first.strip_suffix('\r').unwrap_or(first);
    let level = match *first.as_bytes().first()? {
        b't' => rust(first)?,
        b'p' if first.starts_with("panic: ") && !below.is_empty() => Level::Fatal,
        b'f' | b'r' | b'S' if dumps(first, below) => Level::Fatal,
        b'U' if first.starts_with("Unhandled exception. ") => Level::Fatal,
        b'U' if first.starts_with("Unhandled Exception: ") => Level::Fatal,
        b'E' if first.starts_with("Exception in thread ") => Level::Error,
        // As `anyhow` and `eyre` report what ends a program.
        b'E' if first.starts_with("Error: ") && below.contains("\nCaused by:\n") => Level::Error,
        // The JVM's launcher.
        b'E' if first.starts_with("Error: ") && below.starts_with("Caused by: ") => Level::Fatal,
        b'F' if first.starts_with("Fatal Python error: ") => Level::Fatal,
        b'F' if first.starts_with("Fatal error: Uncaught ") => Level::Fatal,
        b'=' if below.starts_with("WARNING: DATA RACE") => Level::Error,
        b'/' | b'n' | b'f' if is_place(first) && !below.is_empty() => Level::Fatal,
        b'E' if first.starts_with("Exception ignored in: ") && trace::has(below) => Level::Error,
        b'-' if first == "--- Logging error ---" && trace::has(below) => Level::Error,
        b'#' if first.starts_with("#<Thread:") && trace::has(below) => Level::Error,
        _ if trace::begins(text) => Level::Error,
        _ if ends_ruby(first, below) => Level::Error,
        _ => return None,
    };
    let rejection = || {
        below.lines().find_map(|line| {
            let named = line.strip_prefix("Caused by: ").unwrap_or(line);
            trace::class(named.trim_start_matches('['))
        })
    };
    // The word that Rust puts before what it says is none.
    let class = trace::class(first).filter(|class| *class != "Error").or_else(rejection);
    Some(Crash { level, class })
}

/// `thread 'main' (283) panicked at src/main.rs:10:19:`: a program goes on without another thread.
fn rust(first: &str) -> Option<Level> {
    let thread = first.strip_prefix("thread '")?;
    let panics = thread.contains("' panicked at ") || thread.contains(") panicked at ");
    let ends = thread.ends_with(" has overflowed its stack");
    match (panics, ends) {
        (_, true) => Some(Level::Fatal),
        (true, _) if thread.starts_with("main'") => Some(Level::Fatal),
        (true, _) => Some(Level::Error),
        _ => None,
    }
}

/// `fatal error: …`, `runtime: …` or `SIGQUIT: quit` above the stacks of Go.
fn dumps(first: &str, below: &str) -> bool {
    ["fatal error: ", "runtime: ", "SIG"].iter().any(|begin| first.starts_with(begin))
        && (below.contains("goroutine ") || below.contains("runtime stack:"))
}

/// `/srv/shop.js:6` and `node:internal/process/promises:389`, where Node's program died.
fn is_place(first: &str) -> bool {
    let is_script = |path: &str| {
        path.starts_with("node:")
            || [".js", ".mjs", ".cjs", ".ts"].iter().any(|end| path.ends_with(end))
    };
    first.rsplit_once(':').is_some_and(|(path, line)| {
        is_script(path) && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// `shop.rb:4:in '<main>': no stock (RuntimeError)`, which has no frames; with frames, also an error that
/// says nothing of its class; and what is no Ruby.
fn ends_ruby(first: &str, below: &str) -> bool {
    if !first.contains(".rb:") {
        return false;
    }
    let placed = first.contains(":in '") || first.contains(":in `");
    let main = first.contains(":in '<main>': ") || first.contains(":in `<main>': ");
    placed && (trace::has(below) || main && first.ends_with(')') && trace::class(first).is_some())
        || first.contains(": syntax error, ")
}
