//! What happens to the buffer's files: damage, and a disk that is full.

use super::*;
use crate::harness::limit_file_size;

/// The numbers of the lines in each frame of a segment, with where the frame begins.
fn frames(path: &Path) -> Vec<(usize, Vec<u64>)> {
    let bytes = fs::read(path).expect("read");
    let (mut frames, mut at) = (Vec::new(), 0);
    while at + 64 <= bytes.len() {
        let field = |from: usize| {
            let field = bytes[at + from..at + from + 4].try_into().expect("four bytes");
            u32::from_le_bytes(field) as usize
        };
        let end = at + 64 + field(20) + field(24);
        let body = std::str::from_utf8(&bytes[at + 64 + field(20)..end]).expect("a plain body");
        let numbers: Vec<u64> =
            body.lines().filter_map(|line| number_after(line, "seq=")).collect();
        assert_eq!(numbers.len(), field(16), "the header counts them");
        frames.push((at, numbers));
        at = end;
    }
    frames
}

#[test]
fn s31_flipped_bits_a_cut_tail_and_a_deleted_segment_cost_their_records_only() {
    let (place, receiver) = (Place::new(), receiver());
    receiver.faults().set(DOWN);
    let config = config(&place, &receiver.url(), "buffer: {disk: 48MiB}");
    let agent = Agent::start(&config, &[]);
    fill(&place, &agent, 20_000);
    agent.kill();
    wipe(&place);
    let segments = segments(&place);
    assert!(segments.len() >= 6, "{segments:?}");
    let mut gone = Vec::new();
    // Bits: in a header, and in a body.
    let first = frames(&segments[0]);
    let mut bytes = fs::read(&segments[0]).expect("read");
    for (frame, at) in [(1, 20), (4, 700)] {
        bytes[first[frame].0 + at] ^= 0x04;
        gone.extend(&first[frame].1);
    }
    fs::write(&segments[0], bytes).expect("written");
    // A segment.
    gone.extend(frames(&segments[2]).into_iter().flat_map(|(_, numbers)| numbers));
    fs::remove_file(&segments[2]).expect("removed");
    // Tails: within the last frame but one of a segment in between, and of the very last.
    for path in [&segments[4], segments.last().expect("some")] {
        let frames = frames(path);
        let begin = frames.len().saturating_sub(2);
        let (at, _) = frames[begin];
        let file = fs::OpenOptions::new().write(true).open(path).expect("opens");
        file.set_len(at as u64 + 1_000).expect("cut");
        gone.extend(frames[begin..].iter().flat_map(|(_, numbers)| numbers));
    }
    gone.sort_unstable();
    receiver.faults().clear();
    let agent = Agent::start(&config, &[]);
    wait_for(&receiver, &agent, 60_000 - gone.len() as u64);
    let counted = until(PATIENCE, || lost(&agent) == gone.len() as f64);
    assert!(counted, "{} lost, not {}\n{}", lost(&agent), gone.len(), agent.log().join("\n"));
    agent.assert_at_rest();
    assert!(until(PATIENCE, || self::segments(&place).is_empty()));
    let (status, log) = agent.terminate();
    assert!(status.success());
    let expect = Verdict { missing: gone, ..Verdict::default() };
    assert_eq!(verdict(written(0..3, 20_000), &receiver.documents()), expect);
    let said = log.iter().filter(|line| line.contains("damaged or gone")).count();
    assert!((4..=5).contains(&said), "once each:\n{}", log.join("\n"));
    // Told once: the next start finds nothing.
    let agent = Agent::start(&config, &[]);
    assert_eq!(lost(&agent), 0.0);
    agent.assert_conserved();
}

/// A limit on files' sizes is a full disk (`EFBIG` instead of `ENOSPC`) that takes no privilege. One that
/// does is beside this.
#[test]
fn s30_a_full_disk_under_state_and_buffer_that_is_freed_later() {
    let (place, receiver) = (Place::new(), receiver());
    let config = config(&place, &receiver.url(), "buffer: {disk: 64MiB}");
    let agent = Agent::start(&config, &[]);
    place.append("0.log", lines(0, 0..1_000));
    wait_for(&receiver, &agent, 1_000);

    // Nothing can be written: it ships all the same.
    limit_file_size(&agent, Some(0));
    place.append("0.log", lines(0, 1_000..3_000));
    wait_for(&receiver, &agent, 3_000);
    let fails = until(PATIENCE, || sample(&agent, "pillion_checkpoint_save_errors_total") > 0.0);
    assert!(fails, "{}", agent.log().join("\n"));

    // Nor is anything lost when the destination goes too. There is room for half a frame now.
    limit_file_size(&agent, Some(20_000));
    receiver.faults().set(DOWN);
    place.append("0.log", lines(0, 3_000..6_000));
    let fails = until(PATIENCE, || of_search(&agent, "buffer_write_failures_total") >= 2.0);
    assert!(fails, "{}", agent.log().join("\n"));
    agent.assert_conserved();
    receiver.faults().clear();
    wait_for(&receiver, &agent, 6_000);

    // Freed, it goes on by itself: the buffer takes what comes, the checkpoint is saved.
    receiver.faults().set(DOWN);
    place.append("0.log", lines(0, 6_000..9_000));
    let fails = of_search(&agent, "buffer_write_failures_total");
    assert!(until(PATIENCE, || of_search(&agent, "buffer_write_failures_total") > fails));
    limit_file_size(&agent, None);
    wait_until_settled(&place, &agent);
    agent.assert_conserved();
    agent.wait_for_log("the buffer can be written again");
    let saves = sample(&agent, "pillion_checkpoint_saves_total");
    place.append("0.log", lines(0, 9_000..9_100));
    assert!(until(PATIENCE, || sample(&agent, "pillion_checkpoint_saves_total") > saves));
    wait_until_settled(&place, &agent);
    agent.kill();
    wipe(&place);
    receiver.faults().clear();
    let agent = Agent::start(&config, &[]);
    wait_for(&receiver, &agent, 9_100);
    agent.assert_at_rest();
    assert_eq!(lost(&agent), 0.0);
    assert_eq!(verdict(written(0..1, 9_100), &receiver.documents()), Verdict::default());
    assert!(agent.terminate().0.success());
}
