//! State that is there and cannot be read, and state that was never saved.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// As after one start as root. It is whole, and whoever mends its rights goes on from it.
#[test]
fn s29_state_that_may_not_be_read_is_refused_and_left_alone() {
    let (place, receiver) = begin();
    let config = place.to_elasticsearch(&receiver.url());
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(10);
    let agent = Agent::start(&config, &[]);
    catch_up(&receiver, &agent, 10);
    agent.terminate();
    let before = listing(&place.state());
    let mode = |name: &str, mode| {
        let path = place.state().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("changed");
    };
    // Permissions mean nothing to root with all of its capabilities.
    let powers = "-dac_override,-dac_read_search";
    let launcher = ["setpriv", "--bounding-set", powers, "--inh-caps", powers];
    let root = rustix::process::geteuid().is_root();
    let launcher = if root { launcher.as_slice() } else { &[] };
    for name in ["checkpoint", "instance", "instance.origin"] {
        mode(name, 0);
        let mut agent = Agent::spawn_under(launcher, &config, &[]);
        let (status, log) = agent.ended();
        mode(name, 0o600);
        assert_eq!(status.code(), Some(1), "{}", log.join("\n"));
        let path = format!("cannot read {:?}: Permission denied", place.state().join(name));
        assert!(log.iter().any(|line| line.contains(&path)), "{}", log.join("\n"));
        assert_eq!(listing(&place.state()), before);
    }
    writer.lines(10);
    let agent = Agent::start(&config, &[]);
    agent.assert_exact(&receiver, [&writer]);
}

/// The disk is full from the first start on, and the agent is killed: what was written to be read may not
/// be skipped for being there when the agent comes back.
#[test]
fn s30_killed_before_a_first_state_could_be_saved() {
    let (place, receiver) = begin();
    let config = place.to_elasticsearch(&receiver.url());
    let text = fs::read_to_string(&config).expect("readable");
    fs::write(&config, text.replace("*.log']", "*.log'], start_at: end")).expect("writes");
    let mut writer = Writer::new(place.log("app.log"), 1);
    writer.lines(100);
    let launcher = ["sh", "-c", "ulimit -f 0; exec \"$0\" \"$@\""];
    let agent = Agent::spawn_under(&launcher, &config, &[]);
    agent.wait_for_log("watching");
    writer.lines(100);
    catch_up(&receiver, &agent, 100);
    assert!(Arrived::at(&receiver).has(1, 100..200), "the others were there before");
    agent.kill();
    writer.lines(100);
    let agent = Agent::start(&config, &[]);
    let all = until(PATIENCE, || Arrived::at(&receiver).has(1, 100..300));
    assert!(all, "{}", agent.log().join("\n"));
    agent.assert_conserved();
    let (status, log) = agent.terminate();
    assert!(status.success(), "{}", log.join("\n"));
}
