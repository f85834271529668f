//! A file system that is full: `ENOSPC`, in the middle of a write, when a file is made, or when it is
//! synced. A small one is mounted over the state directory, for the agent alone.

use std::io::Write;
use std::path::Path;

use super::super::events::namespaces;
use super::*;

/// Bytes that the file system has.
const SIZE: usize = 700 << 10;

/// Takes so many bytes of a file system, or all that are left. Whether that was all.
fn take(filler: &Path, mut bytes: usize) -> bool {
    let file = fs::OpenOptions::new().create(true).append(true).open(filler);
    let Ok(mut file) = file else { return true };
    while bytes > 0 {
        let piece = [b'x'; 4096];
        match file.write(&piece[..bytes.min(piece.len())]) {
            Ok(written) => bytes -= written,
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(28), "ENOSPC: {error}");
                return true;
            }
        }
    }
    false
}

/// Copies what is in a directory.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("made");
    for entry in fs::read_dir(from).expect("listed") {
        let entry = entry.expect("read");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("known").is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}

/// What is shipped while the file system is full is shipped once; what cannot be buffered waits in its
/// file; and once there is room again both go on by themselves. The next start goes on from there.
#[test]
fn s30_a_full_file_system_under_state_and_buffer_that_is_freed_later() {
    if !namespaces() {
        return;
    }
    let (place, receiver) = (Place::new(), receiver());
    let config = config(&place, &receiver.url(), "buffer: {disk: 64MiB}");
    fs::create_dir(place.state()).expect("made");
    let mount = format!(
        "mount -t tmpfs -o mode=700,size={SIZE} tmpfs {} && exec \"$0\" \"$@\"",
        place.state().display()
    );
    let launcher = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", &mount];
    let agent = Agent::spawn_under(&launcher, &config, &[]);
    agent.wait_for_log("watching");
    let inside = place.state().strip_prefix("/").expect("absolute").to_owned();
    let state = Path::new("/proc").join(agent.pid().to_string()).join("root").join(inside);
    let filler = state.join("filler");
    place.append("0.log", lines(0, 0..1_000));
    wait_for(&receiver, &agent, 1_000);
    wait_until_settled_in(&state, &place, &agent);

    // Not a byte can be written: it ships all the same.
    assert!(take(&filler, SIZE));
    place.append("0.log", lines(0, 1_000..3_000));
    wait_for(&receiver, &agent, 3_000);
    let fails = || sample(&agent, "pillion_checkpoint_save_errors_total") > 0.0;
    assert!(until(PATIENCE, fails), "{}", agent.log().join("\n"));
    assert!(agent.log().iter().any(|line| line.contains("No space left on device")));

    // Nor is anything lost when the destination goes too, and there is room for half a frame.
    let room = fs::metadata(&filler).expect("there").len() - (20 << 10);
    fs::OpenOptions::new().write(true).open(&filler).expect("opens").set_len(room).expect("cut");
    receiver.faults().set(DOWN);
    place.append("0.log", lines(0, 3_000..6_000));
    let fails = || of_search(&agent, "buffer_write_failures_total") >= 2.0;
    assert!(until(PATIENCE, fails), "{}", agent.log().join("\n"));
    agent.assert_conserved();
    receiver.faults().clear();
    wait_for(&receiver, &agent, 6_000);

    // Freed, it goes on by itself: the buffer takes what comes, the checkpoint is saved.
    receiver.faults().set(DOWN);
    take(&filler, SIZE);
    place.append("0.log", lines(0, 6_000..6_400));
    let failed = of_search(&agent, "buffer_write_failures_total");
    let fails = || of_search(&agent, "buffer_write_failures_total") > failed;
    assert!(until(PATIENCE, fails), "{}", agent.log().join("\n"));
    fs::remove_file(&filler).expect("removed");
    wait_until_settled_in(&state, &place, &agent);
    agent.wait_for_log("the buffer can be written again");
    agent.assert_conserved();
    assert!(of_search(&agent, "buffer_bytes") > 0.0);
    // The file system goes with the agent: what it holds is kept for the next one.
    agent.stand_still();
    copy(&state, &place.state());
    agent.kill();
    wipe(&place);
    receiver.faults().clear();
    let agent = Agent::start(&config, &[]);
    wait_for(&receiver, &agent, 6_400);
    agent.assert_at_rest();
    assert_eq!(lost(&agent), 0.0);
    assert_eq!(verdict(written(0..1, 6_400), &receiver.documents()), Verdict::default());
    assert!(agent.terminate().0.success());
}
