//! `kill -9` of dagdad at random moments: intents are found again, finished or undone.

use std::time::Duration;

use dagda_tests::manifest::{Pod, documents};
use dagda_tests::random::Random;
use dagda_tests::{TestHost, rows};

const MOMENTS: u32 = 10;

#[test]
fn killed_at_ten_random_moments_during_starts_it_comes_back_true_and_settled() {
    let mut random = Random::from_environment();
    let mut host = TestHost::ready();
    let names = ["a", "b", "c"];
    host.apply(&documents(&names.map(Pod::waiting)));
    for moment in 1..=MOMENTS {
        // Of the three, some are told to start and the others to stop.
        let mut commands: Vec<_> = names
            .iter()
            .map(|name| {
                let verb = if random.below(3) == 0 {
                    "stop"
                } else {
                    "start"
                };
                host.spawn(["pods", verb, name])
            })
            .collect();
        // The one pause in these tests: a moment is what is to be random, not awaited.
        let pause = Duration::from_millis(random.below(1500));
        std::thread::sleep(pause);
        host.kill9();
        for command in &mut commands {
            let _ = command.wait().unwrap();
        }
        println!("moment {moment}: killed after {pause:?}");
        host.start();
        host.assert_settled_and_true();
    }
    for name in names {
        host.run(["pods", "start", name]).done();
    }
    host.assert_settled_and_true();
    host.stop();
    assert_eq!(
        host.block_on(rows::open_intents(&host.database())),
        [] as [String; 0]
    );
}

#[test]
fn killed_during_an_apply_it_has_all_of_it_or_nothing() {
    let mut random = Random::from_environment();
    let mut host = TestHost::ready();
    for round in 0..5 {
        let pods: Vec<Pod> = (0..100)
            .map(|number| Pod::waiting(&format!("r{round}-{number}")))
            .collect();
        let file = host.scratch.write("many.yml", documents(&pods));
        let mut apply = host.spawn(["apply", "-f", file.to_str().unwrap()]);
        let pause = Duration::from_millis(random.below(150));
        std::thread::sleep(pause);
        host.kill9();
        let acknowledged = apply.wait().unwrap().success();
        host.start();
        let list = host.run(["--json", "pods", "list"]).done().json();
        let prefix = format!("r{round}-");
        let pods = list["pods"].as_array().unwrap();
        let count = pods
            .iter()
            .filter(|pod| pod["name"].as_str().unwrap().starts_with(&prefix))
            .count();
        assert!(
            count == 0 || count == 100,
            "killed after {pause:?}: {count} of 100"
        );
        assert!(
            !acknowledged || count == 100,
            "killed after {pause:?}: what was acknowledged is lost"
        );
    }
}

#[test]
fn what_was_acknowledged_survives_the_kill() {
    let mut host = TestHost::ready();
    host.up("a", &Pod::waiting("a"));
    host.run(["pods", "stop", "a"]).done();
    host.kill9();
    host.start();
    host.assert_settled_and_true();
    assert_eq!(
        host.podman
            .pods()
            .iter()
            .filter(|(_, state)| state == "running")
            .count(),
        0
    );
    host.run(["pods", "start", "a"]).done();
    host.kill9();
    host.start();
    host.assert_settled_and_true();
    host.await_pod("a", "a runs", |pod| pod.ready);
}
