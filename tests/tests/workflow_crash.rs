//! `kill -9` of dagdad in the middle of runs: each run reaches its end, whatever the moment.

use std::collections::BTreeMap;
use std::time::Duration;

use dagda_proto::v1::RunState;
use dagda_tests::manifest::{Pod, SMALL, Workflow, documents};
use dagda_tests::process::finish_child;
use dagda_tests::random::Random;
use dagda_tests::{TestHost, rows};

const MOMENTS: u32 = 10;

/// A workflow that comes up, one that cannot, and one that is never run but shows the figures.
fn workflows(host: &TestHost) {
    let absent = Pod::waiting("absent").image("localhost/absent:latest");
    host.apply(&absent.to_string().replace("IfNotPresent", "Never"));
    host.apply(&documents(&["db", "a", "b", "probe"].map(Pod::waiting)));
    host.apply(&documents(&[
        Workflow::new("good")
            .pod("db", &[])
            .pod("a", &["db"])
            .pod("b", &["db"]),
        Workflow::new("bad")
            .pod("db", &[])
            .pod("a", &["db"])
            .pod("absent", &["a"]),
        Workflow::of("probe", &["probe"]),
    ]));
}

/// `kill -9` at a random moment after `dagdactl ARGUMENTS` was begun, then a new dagdad. Returns
/// the containers that ran when that began, with how often each had been started.
fn killed_during<const N: usize>(
    host: &mut TestHost,
    random: &mut Random,
    arguments: [&str; N],
) -> BTreeMap<String, usize> {
    let command = host.spawn(arguments);
    // A moment is what is to be random, not awaited.
    let pause = Duration::from_millis(random.below(2200));
    std::thread::sleep(pause);
    host.kill9();
    let code = finish_child(command, "the caller").status.code();
    println!("{arguments:?}: killed after {pause:?}, the caller ended with {code:?}");
    let running = host.podman.running();
    let mut starts = host.podman.starts();
    starts.retain(|container, _| {
        running
            .iter()
            .any(|pod| container.strip_suffix("-main") == Some(pod))
    });
    host.start();
    starts
}

/// What holds after each run's end: `running` run, nothing else, and nothing else is held for.
fn settled(host: &mut TestHost, running: &[&str]) {
    host.assert_settled_and_true();
    assert_eq!(host.podman.running(), running);
    let held = running.len() as u64 * SMALL;
    host.await_room("probe", "as much is held as runs", |room| {
        room.reserved == held
    });
}

fn ten_moments(mut random: Random) {
    let mut host = TestHost::ready();
    workflows(&host);
    for moment in 1..=MOMENTS {
        println!("moment {moment}");
        let fails = random.below(3) == 0;
        let (workflow, end) = if fails {
            ("bad", RunState::RolledBack)
        } else {
            ("good", RunState::Running)
        };
        let known = host.runs(workflow).len();
        let before = host.podman.starts();
        let running = killed_during(&mut host, &mut random, ["workflow", "run", workflow]);
        let runs = host.runs(workflow);
        if runs.len() == known {
            println!("killed before it was accepted");
            settled(&mut host, &[]);
            continue;
        }
        assert_eq!(runs.len(), known + 1, "one run was asked for");
        let id = &runs[0].id;
        let run = host.await_run(id, "the run is at its end", |run| {
            !matches!(
                run.state(),
                RunState::Starting | RunState::RollingBack | RunState::Evicting
            )
        });
        assert_eq!(run.state(), end, "{run:#?}");
        settled(&mut host, if fails { &[] } else { &["a", "b", "db"] });
        for (container, count) in host.podman.starts() {
            // What ran is left alone. What Podman was still at may be done again, whole.
            let before = before.get(&container).copied().unwrap_or_default();
            let most = running.get(&container).copied().unwrap_or(before + 2);
            assert!(count <= most, "{container} was started again: {running:?}");
        }
        if fails {
            continue;
        }
        assert_eq!(host.run_now(id).state(), RunState::Running, "it stays so");
        if random.below(2) == 0 {
            let _ = killed_during(&mut host, &mut random, ["workflow", "stop", workflow]);
            host.await_run(id, "it is stopped, or was not told to", |run| {
                matches!(run.state(), RunState::Running | RunState::Stopped)
            });
        }
        host.run(["workflow", "stop", workflow]).done();
        assert_eq!(host.run_now(id).state(), RunState::Stopped);
        settled(&mut host, &[]);
    }
    host.stop();
    let open = host.block_on(rows::open_intents(&host.database()));
    assert_eq!(open, [] as [String; 0]);
}

#[test]
fn killed_at_ten_random_moments_each_run_reaches_its_end() {
    ten_moments(Random::from_environment());
}

/// The same beside it, so that a machine with two cores has use for both.
#[test]
fn killed_at_ten_more_random_moments_each_run_reaches_its_end() {
    let mut random = Random::from_environment();
    // Other moments than those of the first, also from the same seed.
    let _ = random.below(1);
    ten_moments(random);
}
