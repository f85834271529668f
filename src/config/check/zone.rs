//! The zone of a source: what its times are in where they name none.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use jiff::tz::{self, TimeZone};
use pillion_parsers::Zone;

use crate::config::diagnostic::Mistake;
use crate::config::nearest::nearest;
use crate::config::read::{Reader, Value};

/// Where a system says which zone it is in.
const LOCALTIME: &str = "/etc/localtime";

/// Bytes that a file of zone rules may have; those of the zones of today have less than 4 KiB.
const LARGEST: u64 = 64 << 10;

/// Reads an IANA name, `UTC`, an offset as `+01:00`, or `local`.
pub(super) fn zone(reader: &mut Reader<'_>, value: Value<'_>) -> Option<Zone> {
    let name = reader.filled(value, "a time zone")?;
    if name == "local" {
        let variable = reader.environment("TZ");
        return local(variable.as_deref(), Path::new(LOCALTIME))
            .inspect_err(|problem| {
                let message = format!("what zone is `local` cannot be found out: {problem}");
                let help = "set `TZ` to an IANA name, or write that name here";
                reader.mistake(Mistake::at(value.place(), message).help(help));
            })
            .ok();
    }
    if let Some(zone) = Zone::from_name(&name) {
        return Some(zone);
    }
    let help = near(&name, Some("local"));
    let message = format!("there is no time zone {}", value.quoted());
    reader.mistake(Mistake::at(value.place(), message).help(help));
    None
}

/// The zone that was meant, as a sentence, where there is another word besides; not all of them: there are
/// six hundred.
pub(super) fn near(name: &str, word: Option<&str>) -> String {
    let known: Vec<_> = tz::db().available().map(|name| name.to_string()).collect();
    if let Some(near) = nearest(name, known.iter().map(String::as_str).chain(word)) {
        return format!("did you mean `{near}`?");
    }
    let word = word.map_or(String::new(), |word| format!(", or `{word}`"));
    format!("write an IANA name as `Europe/Berlin`, `UTC`, an offset as `+01:00`{word}")
}

/// The zone of this process, found as the C library finds it: by `TZ`, else in `localtime`, else UTC.
fn local(variable: Option<&str>, localtime: &Path) -> Result<Zone, String> {
    let Some(variable) = variable else { return of_file(localtime) };
    let name = variable.strip_prefix(':').unwrap_or(variable);
    // A path into the system's zones: those built in have the same names.
    let (path, name) = match name.rsplit_once("zoneinfo/") {
        Some((_, zone)) => (name, without_kind(zone)),
        None => (name, name),
    };
    if name.is_empty() {
        return Ok(Zone::default());
    }
    // Rules before names: there `UTC+1` lies west of Greenwich.
    TimeZone::posix(name)
        .map(Zone::from_rules)
        .ok()
        .or_else(|| Zone::from_name(name))
        .map_or_else(|| of_path(path, localtime), Ok)
}

/// A zone's name below `posix/` or `right/`, where the same zones are once more.
fn without_kind(name: &str) -> &str {
    ["posix/", "right/"].iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name)
}

/// What `TZ` says if it is no zone: a file.
fn of_path(path: &str, localtime: &Path) -> Result<Zone, String> {
    match Path::new(path) {
        // Its place is told, so that it is not looked for; an image without it is in UTC.
        path if path == Path::new(LOCALTIME) => of_file(localtime),
        path if path.is_absolute() && path.exists() => of_file(path),
        path if path.is_absolute() => {
            Err(format!("`TZ` names {}, which is not there", path.display()))
        }
        _ => Err("`TZ` is neither a time zone nor the rules of one".to_owned()),
    }
}

fn of_file(path: &Path) -> Result<Zone, String> {
    let mut rules = Vec::new();
    match File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut rules)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Zone::default()),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    }
    let unusable = |_| format!("{} holds no time zone", path.display());
    TimeZone::tzif("local", &rules).map(Zone::from_rules).map_err(unusable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_is_what_the_c_library_says() {
        let nowhere = Path::new("/nowhere/localtime");
        let berlin = Zone::from_name("Europe/Berlin").expect("known");
        for name in [
            "Europe/Berlin",
            ":Europe/Berlin",
            "/usr/share/zoneinfo/Europe/Berlin",
            ":/usr/share/zoneinfo/posix/Europe/Berlin",
            ":/usr/share/zoneinfo/right/Europe/Berlin",
        ] {
            assert_eq!(local(Some(name), nowhere), Ok(berlin.clone()), "{name}");
        }
        assert_eq!(local(Some("UTC+1"), nowhere).map(|it| it.offset_at(0)), Ok(-3600));
        assert_eq!(local(Some(""), nowhere), Ok(Zone::default()));
        assert_eq!(local(None, nowhere), Ok(Zone::default()));
        assert!(local(Some("Mars/Olympus"), nowhere).is_err());
        let rules = local(Some("CET-1CEST,M3.5.0,M10.5.0/3"), nowhere).expect("rules");
        let (july, december) = (1_782_864_000, 1_796_083_200);
        assert_eq!((rules.offset_at(july), rules.offset_at(december)), (7200, 3600));
    }

    #[test]
    fn a_file_of_rules_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("localtime");
        std::fs::write(&path, "not rules").expect("written");
        let problem = local(None, &path).expect_err("no rules");
        assert!(problem.ends_with("localtime holds no time zone"), "{problem}");
        // A zone without changes, an hour east: header, one type, its abbreviation, a footer.
        let header = |version: u8| {
            let counts = [0_u32, 0, 0, 0, 1, 4].map(u32::to_be_bytes).concat();
            [b"TZif", [version].as_slice(), &[0; 15], &counts].concat()
        };
        let block = [3600_i32.to_be_bytes().as_slice(), &[0, 0], b"CET\0"].concat();
        let rules = [header(b'2'), block.clone(), header(b'2'), block, b"\nCET-1\n".to_vec()];
        std::fs::write(&path, rules.concat()).expect("written");
        let own = path.to_str().expect("a name");
        for variable in [None, Some(":/etc/localtime"), Some("/etc/localtime"), Some(own)] {
            let zone = local(variable, &path);
            assert_eq!(zone.map(|zone| zone.offset_at(0)), Ok(3600), "{variable:?}");
        }
        assert_eq!(local(Some(":/etc/localtime"), Path::new("/nowhere")), Ok(Zone::default()));
        assert!(local(Some(":/nowhere/else"), &path).is_err_and(|it| it.contains("/nowhere/else")));
    }
}
