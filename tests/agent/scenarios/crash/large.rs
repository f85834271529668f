//! The same over a state so large that what changes of it is added to a journal.

use super::*;

/// Files that nobody writes to any more: some 100 KiB of checkpoint.
const IDLE: u32 = 300;
/// Bytes of a journal that tell it from others: its beginning says how far numbers go.
const HEAD: usize = 99;

/// They have numbers from 1000.
fn idle_files(place: &Place) -> Vec<Writer> {
    let idle = (0..IDLE).map(|n| {
        let mut writer = Writer::new(place.log(&format!("idle-{n}.log")), 1000 + n);
        writer.lines(3);
        writer
    });
    idle.collect()
}

/// What is in the checkpoint's journal.
fn journal(place: &Place) -> Vec<u8> {
    fs::read(place.state().join("checkpoint.journal")).unwrap_or_default()
}

/// Waits until something is in another journal than the one there was `before`, and meanwhile has
/// something to be saved.
fn wait_for_journal(place: &Place, agent: &Agent, before: &[u8], mut change: impl FnMut()) {
    let head = before.get(..HEAD).unwrap_or(before);
    let begun = until(PATIENCE, || {
        change();
        let now = journal(place);
        !now.is_empty() && (head.is_empty() || !now.starts_with(head))
    });
    assert!(begun, "no journal was begun\n{}", agent.log().join("\n"));
}

/// While it starts, between whole saves, and over what it has just added to the journal.
#[test]
fn s26_killed_again_and_again_with_a_large_state() {
    let (place, receiver) = begin();
    let config = place.to_elasticsearch(&receiver.url());
    let (idle, mut random) = (idle_files(&place), pauses());
    let writers = while_they_write(&place, || {
        for _ in 0..4 {
            live_for(&config, random.u64(20..500));
            let before = journal(&place);
            let agent = Agent::spawn(&config, &[]);
            wait_for_journal(&place, &agent, &before, || {});
            // And over some of what it has shipped since.
            let stored = receiver.requests().stored;
            catch_up(&receiver, &agent, stored + 5_000);
            agent.kill();
        }
    });
    let agent = Agent::start(&config, &[]);
    agent.assert_exact(&receiver, writers.iter().chain(&idle));
}

/// An agent that has shipped what there is, and saves to a journal.
fn begin_large(place: &Place, receiver: &Receiver) -> (Agent, Vec<Writer>, Writer) {
    let config = place.to_elasticsearch(&receiver.url());
    let idle = idle_files(place);
    let mut writer = Writer::new(place.log("app.log"), 1);
    let agent = Agent::start(&config, &[]);
    wait_for_journal(place, &agent, b"", || writer.lines(1));
    catch_up(receiver, &agent, writer.written().1 + u64::from(3 * IDLE));
    (agent, idle, writer)
}

/// The disk is full in the middle of what is added to the journal, and stays so while files are rotated
/// away. Until something is saved again.
fn fill_up(
    place: &Place,
    agent: &Agent,
    writer: &mut Writer,
    mut rotate: impl FnMut(&mut Writer, usize),
) {
    limit_file_size(agent, Some(journal(place).len() as u64 + 50));
    for rotation in 0..3 {
        writer.lines(200);
        rotate(writer, rotation);
    }
    writer.lines(200);
    let errors = || agent.metrics()["pillion_checkpoint_save_errors_total"];
    assert!(until(PATIENCE, || errors() > 0.0), "{}", agent.log().join("\n"));
}

#[test]
fn s30_a_journal_that_is_full_and_freed() {
    let (place, receiver) = begin();
    let (mut agent, idle, mut writer) = begin_large(&place, &receiver);
    let config = place.to_elasticsearch(&receiver.url());
    for round in 1..=2 {
        fill_up(&place, &agent, &mut writer, |writer, rotation| {
            let to = writer.rotated(10 * round + rotation);
            writer.rotate(&to);
        });
        catch_up(&receiver, &agent, writer.written().1 + u64::from(3 * IDLE));
        let half_full = journal(&place);
        limit_file_size(&agent, None);
        agent.wait_for_log("can be saved again");
        agent.assert_conserved();
        // And killed over the next one.
        wait_for_journal(&place, &agent, &half_full, || writer.lines(1));
        writer.rotate(&place.log(&format!("old-{round}.log")));
        writer.lines(100);
        catch_up(&receiver, &agent, writer.written().1 + u64::from(3 * IDLE));
        let before = journal(&place);
        agent.kill();
        agent = Agent::start(&config, &[]);
        wait_for_journal(&place, &agent, &before, || writer.lines(1));
    }
    agent.assert_exact(&receiver, idle.iter().chain([&writer]));
}

/// What was saved before the disk was full is gone on from: what was shipped since may be shipped again,
/// and nothing is lost.
#[test]
fn s30_killed_while_a_journal_is_full() {
    let (place, receiver) = begin();
    let (agent, idle, mut writer) = begin_large(&place, &receiver);
    let config = place.to_elasticsearch(&receiver.url());
    // Within the globs: the agent that comes back must find them.
    fill_up(&place, &agent, &mut writer, |writer, rotation| {
        writer.rotate(&place.log(&format!("old-{rotation}.log")));
    });
    let (_, before) = writer.written();
    catch_up(&receiver, &agent, before + u64::from(3 * IDLE));
    agent.kill();
    let agent = Agent::start(&config, &[]);
    agent.wait_for_log("can be read in part only");
    writer.lines(100);
    let all = until(PATIENCE, || Arrived::at(&receiver).has(1, 0..before + 100));
    assert!(all, "{}", agent.log().join("\n"));
    agent.assert_at_rest();
    agent.terminate();
    let found = Arrived::at(&receiver).judge(&written(idle.iter().chain([&writer])));
    assert!(found.is_at_least_once() && found.repeated.len() <= 800, "{found:?}");
    assert!(found.repeated.iter().all(|(file, _)| *file == 1), "none that was saved: {found:?}");
}
