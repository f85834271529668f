//! Files that are truncated: by `copytruncate`, by hand, under a writer that does not notice.

use std::fs;

use pillion::receiver::{Options, Receiver};
use rustix::process::Signal;

use super::super::harness::{Agent, PATIENCE, Place, until};
use super::super::oracle::Arrived;
use super::super::writer::{Writer, written};
use super::rotation::{catch_up, down, running};

#[test]
fn s05_copytruncate_while_caught_up() {
    let (place, receiver, agent) = running();
    let mut writer = Writer::new(place.log("app.log"), 1);
    for rotation in 0..5 {
        writer.lines(200);
        catch_up(&receiver, &agent, &[&writer]);
        let to = writer.rotated(rotation);
        writer.copytruncate(&to);
    }
    writer.lines(200);
    agent.assert_exact(&receiver, [&writer]);
}

/// What is truncated away unread is lost: exactly that, and all of it is counted.
#[test]
fn s05_copytruncate_with_a_backlog_counts_what_is_lost() {
    let (place, receiver) = (Place::new(), Receiver::start(Options::default()).expect("receiver"));
    receiver.faults().set(down());
    let config = place.configure(&format!(
        "state: {{state}}\nadmin: 127.0.0.1:0\nmemory: 4MiB\n\
         sources: {{app: {{files: ['{{logs}}/*.log'], parser: plain}}}}\n\
         destinations: {{search: {{elasticsearch: {{url: '{}', index: a}}, batch: {{bytes: 1MiB, linger: 50ms}}}}}}\n",
        receiver.url()
    ));
    let agent = Agent::start(&config, &[]);
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.filling = 1_600;
    writer.bytes(16 << 20);
    let text = fs::read_to_string(&writer.path).expect("readable");
    let mut read = 0.0;
    let stands = until(PATIENCE, || {
        let before = read;
        read = agent.metrics()["pillion_read_bytes_total"];
        agent.metrics()["pillion_budget_pauses_total"] > 0.0 && read == before
    });
    assert!(stands, "reading goes on: {read}");
    writer.copytruncate(&place.dir.path().join("copy"));
    receiver.faults().clear();
    writer.lines(100);

    let lost = || agent.metrics()["pillion_lost_bytes_total{reason=\"truncated\"}"];
    assert!(until(PATIENCE, || lost() > 0.0), "{}", agent.log().join("\n"));
    let (file, lines) = writer.written();
    let arrived = until(PATIENCE, || Arrived::at(&receiver).has(file, lines - 100..lines));
    let lost = lost();
    assert!(arrived, "{}", agent.log().join("\n"));
    agent.assert_at_rest();
    agent.terminate();
    let found = Arrived::at(&receiver).judge(&written([&writer]));
    let lengths: Vec<_> = text.lines().map(|line| line.len() + 1).collect();
    let missing: usize = found.missing.iter().map(|(_, seq)| lengths[*seq as usize]).sum();
    assert_eq!(lost, missing as f64, "{found:?}");
    assert!(lost <= text.len() as f64 - read, "{lost} of {}, {read} read", text.len());
    assert!(found.repeated.is_empty() && found.reordered.is_empty(), "{found:?}");
    assert!(found.unknown.is_empty() && found.altered == 0, "{found:?}");
}

/// The writer goes on at its old offset in a file that was truncated: a hole of 1 GiB comes before
/// its next line.
#[test]
fn s06_copytruncate_under_a_writer_without_append_leaves_a_hole() {
    let (place, receiver, agent) = running();
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(1_000);
    catch_up(&receiver, &agent, &[&writer]);
    agent.forget_peak();
    let before = agent.resident();
    writer.copytruncate(&place.dir.path().join("copy"));
    writer.go_on_at(1 << 30);
    writer.lines(1_000);
    catch_up(&receiver, &agent, &[&writer]);
    let more = agent.peak_resident().saturating_sub(before);
    assert!(more <= 8 << 20, "{more} bytes more were resident");
    let skipped = agent.metrics()["pillion_zero_bytes_skipped_total"];
    assert_eq!(skipped, f64::from(1 << 30));
    agent.assert_exact(&receiver, [&writer]);
}

/// Stopped between, the agent sees nothing but a file that has grown.
#[test]
fn s07_truncated_and_refilled_past_the_old_offset_between_two_looks() {
    let (place, receiver, agent) = running();
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(500);
    catch_up(&receiver, &agent, &[&writer]);
    let size = fs::metadata(&writer.path).expect("there").len();
    agent.stand_still();
    writer.truncate();
    writer.bytes(usize::try_from(size).expect("small") + 5_000);
    agent.signal(Signal::CONT);
    agent.assert_exact(&receiver, [&writer]);
}

#[test]
fn s08_many_truncations_of_one_file() {
    let (place, receiver, agent) = running();
    let mut writer = Writer::new(place.log("app.log"), 1);
    for _ in 0..51 {
        writer.lines(20);
        catch_up(&receiver, &agent, &[&writer]);
        writer.truncate();
    }
    writer.lines(20);
    agent.assert_exact(&receiver, [&writer]);
}

/// Shorter afterwards, then longer than it ever was. (Fluentd: `test_truncate_file`.)
#[test]
fn truncated_to_less_and_written_on() {
    let (place, receiver, agent) = running();
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(200);
    catch_up(&receiver, &agent, &[&writer]);
    writer.truncate();
    writer.lines(1);
    catch_up(&receiver, &agent, &[&writer]);
    writer.lines(1_000);
    agent.assert_exact(&receiver, [&writer]);
}

/// While the agent is away, too: once shorter than what was shipped, once longer. (Fluent Bit:
/// `copytruncate_across_restart`; rsyslog: `logrotate-copytruncate`.)
#[test]
fn copytruncate_across_a_restart() {
    let (place, receiver, mut agent) = running();
    let mut writer = Writer::new(place.log("app.log"), 1);
    for (rotation, lines) in [(1, 50), (2, 2_000), (3, 500)] {
        writer.lines(500);
        catch_up(&receiver, &agent, &[&writer]);
        let (status, log) = agent.terminate();
        assert!(status.success(), "{}", log.join("\n"));
        let to = writer.rotated(rotation);
        writer.copytruncate(&to);
        writer.lines(lines);
        agent = Agent::start(&place.to_elasticsearch(&receiver.url()), &[]);
    }
    agent.assert_exact(&receiver, [&writer]);
}

/// The copy that copytruncate makes lies outside the globs, or it would be a file of its own; what is
/// written to it there is nobody's. (OTel: `TestCopyTruncateWriteBoth`.)
#[test]
fn a_copy_that_is_written_to_is_not_the_file() {
    let (place, receiver, agent) = running();
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(300);
    catch_up(&receiver, &agent, &[&writer]);
    let to = writer.rotated(1);
    writer.copytruncate(&to);
    let mut copy = Writer::new(to, 2);
    for _ in 0..20 {
        copy.lines(10);
        writer.lines(10);
    }
    agent.assert_exact(&receiver, [&writer]);
}
