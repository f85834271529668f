//! What this process has cost so far, as the kernel tells it.

use std::time::Duration;

/// `/proc` counts CPU time in these; 100 on every Linux that Rust compiles for, whatever the
/// kernel's own tick.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time and memory of a process; `None` where `/proc` is not as expected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// User and system time.
    pub(super) cpu: Option<Duration>,
    /// The most memory it ever had resident, in bytes.
    pub(super) peak_resident: Option<u64>,
}

/// Of this process.
pub(super) fn now() -> Usage {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    Usage {
        cpu: cpu(&read("/proc/self/stat")),
        peak_resident: peak_resident(&read("/proc/self/status")),
    }
}

/// Fields 14 and 15 of `/proc/self/stat` (proc(5)); the second field may hold spaces and brackets.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let ticks = ticks()?.checked_add(ticks()?)?;
    Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// `VmHWM` of `/proc/self/status`, which is in KiB.
fn peak_resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_as_proc_5_has_it() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 3 0 99 1 2";
        assert_eq!(cpu(stat), Some(Duration::from_secs(2)));
        assert_eq!(cpu("7 (x) S 1"), None);
        assert_eq!(peak_resident("VmPeak:\t9 kB\nVmHWM:\t  2048 kB\n"), Some(2 << 20));
        assert_eq!(peak_resident(""), None);
    }
}
