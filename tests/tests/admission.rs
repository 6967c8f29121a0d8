//! What does not fit is not started, and the refusal says why, who would have to go, and how.

use std::process::Child;

use dagda_proto::v1::{PodState, RunState};
use dagda_tests::TestHost;
use dagda_tests::cli::code;
use dagda_tests::host::runs::queued;
use dagda_tests::manifest::{MIB, Pod, SMALL, Workflow, documents};
use dagda_tests::memory::Memory;
use dagda_tests::process::finish_child;

/// Puts a workflow into the catalogue that is never run: its plan shows what a start of one
/// small pod would be decided on.
fn with_probe(host: &TestHost) {
    host.apply(&Pod::waiting("probe"));
    host.apply(&Workflow::of("probe", &["probe"]));
}

fn states(host: &TestHost, names: &[&str]) -> Vec<PodState> {
    names.iter().map(|name| host.pod(name).state()).collect()
}

#[test]
fn a_start_that_does_not_fit_is_refused_evicted_for_or_forced() {
    let host = TestHost::builder().measured().start();
    let room = host.room();
    host.apply(&documents(&[
        // The lowest priority of all, and yet never a victim.
        Pod::waiting("keep")
            .memory(room.percent(30))
            .essential()
            .priority(0),
        Pod::waiting("low").memory(room.percent(35)).priority(10),
        Pod::waiting("mid").memory(room.percent(5)).priority(40),
        Pod::waiting("big").memory(room.percent(50)).priority(50),
    ]));
    host.run(["pods", "start", "keep", "low", "mid"]).done();

    host.run(["pods", "start", "big"]).failed_saying(
        code::REFUSED,
        [
            "big",
            "low",
            "priority 10",
            "dagdactl pods start big --evict",
        ],
    );
    let refusal = host
        .run(["--json", "pods", "start", "big"])
        .ended_with(code::REFUSED)
        .json();
    let error = &refusal["error"];
    assert_eq!(error["code"], "insufficient_resources", "{refusal:#}");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|text| text.contains("big"))
    );
    assert_eq!(error["needed_bytes"], room.percent(50), "{refusal:#}");
    let available = error["available_bytes"].as_u64().expect("available_bytes");
    assert!(available < room.percent(50), "{refusal:#}");
    let ceiling = error["ceiling_bytes"].as_u64().expect("ceiling_bytes");
    let wanted = Memory::now().total as f64 * room.threshold_percent / 100.0;
    assert!((ceiling as f64 - wanted).abs() < MIB as f64, "{refusal:#}");
    let victims = error["victims"].as_array().expect("victims");
    assert_eq!(victims.len(), 1, "{refusal:#}");
    assert_eq!(victims[0]["pod"], "low", "{refusal:#}");
    assert_eq!(victims[0]["freed_bytes"], room.percent(35), "{refusal:#}");
    assert!(
        victims[0]["reason"]
            .as_str()
            .is_some_and(|text| text.contains("priority 10"))
    );
    assert_eq!(
        error["suggested_command"],
        "dagdactl pods start big --evict"
    );
    assert_eq!(error["never_fits"], false, "{refusal:#}");
    // Nothing was touched.
    assert_eq!(host.podman.running(), ["keep", "low", "mid"]);
    assert_eq!(host.pod("big").state(), PodState::Stopped);

    host.run(["pods", "start", "big", "--evict"]).done();
    assert_eq!(host.podman.running(), ["big", "keep", "mid"]);
    assert_eq!(host.pod("low").state(), PodState::Stopped);
    let evicted = host.await_event("low was evicted", |event| event.kind == "evicted");
    assert_eq!(evicted.object.as_deref(), Some("low"));
    assert!(evicted.message.contains("big"), "{evicted:?}");

    let refused = host.run(["pods", "start", "low"]).ended_with(code::REFUSED);
    assert!(
        !refused.stderr.contains("keep ("),
        "an essential pod is no victim: {refused:?}"
    );
    host.run(["pods", "start", "low", "--force"]).done();
    assert_eq!(host.podman.running(), ["big", "keep", "low", "mid"]);
    let forced = host.await_event("the forced start is recorded", |event| {
        event.kind == "forced"
    });
    assert_eq!(forced.object.as_deref(), Some("low"));
}

#[test]
fn what_is_larger_than_the_machine_is_refused_at_once() {
    let host = TestHost::builder().measured().start();
    let total = Memory::now().total;
    host.apply(&documents(&[
        Pod::waiting("huge").memory(2 * total),
        Pod::waiting("small").memory(host.room().percent(50)),
    ]));
    host.run(["pods", "start", "small"]).done();
    // Whether anything runs or not, and whether anything may be stopped for it or not.
    for arguments in [
        &["pods", "start", "huge"][..],
        &["pods", "start", "huge", "--evict"],
    ] {
        let mut command = host.dagdactl();
        let output = dagda_tests::cli::run(command.args(arguments), None);
        output.failed_saying(code::REFUSED, ["huge", "can never fit here"]);
    }
    let refusal = host
        .run(["--json", "pods", "start", "huge"])
        .ended_with(code::REFUSED)
        .json();
    let error = &refusal["error"];
    assert_eq!(error["never_fits"], true, "{refusal:#}");
    assert_eq!(
        error["victims"].as_array().map(Vec::len),
        Some(0),
        "{refusal:#}"
    );
    assert!(error["suggested_command"].is_null(), "{refusal:#}");
    assert_eq!(host.podman.running(), ["small"]);
}

#[test]
fn a_hundred_starts_at_once_never_book_more_than_there_is() {
    let host = TestHost::builder().measured().start();
    let share = host.room().percent(15);
    with_probe(&host);
    let names: Vec<String> = (0..100).map(|number| format!("p{number:02}")).collect();
    host.apply(&documents(
        &names
            .iter()
            .map(|name| Pod::waiting(name).memory(share))
            .collect::<Vec<_>>(),
    ));
    let starts: Vec<Child> = names
        .iter()
        .map(|name| host.spawn(["pods", "start", name]))
        .collect();
    let codes: Vec<Option<i32>> = starts
        .into_iter()
        .zip(&names)
        .map(|(start, name)| finish_child(start, name).status.code())
        .collect();
    let ended = |wanted: i32| codes.iter().filter(|code| **code == Some(wanted)).count();
    let admitted = ended(code::DONE);
    assert_eq!(admitted + ended(code::REFUSED), 100, "{codes:?}");
    // Six fit into the room as it was measured; what others use may have changed by one.
    assert!(
        (5..=7).contains(&admitted),
        "{admitted} of 100 were admitted"
    );
    assert_eq!(host.podman.running().len(), admitted);
    let memory = host.room_for("probe");
    assert_eq!(memory.reserved, share * admitted as u64, "{memory:?}");
    assert!(
        memory.available < share,
        "one more would have fitted: {memory:?}"
    );
}

#[test]
fn a_reservation_ends_with_its_pod_however_that_ends() {
    let mut host = TestHost::builder().measured().start();
    let most = host.room().percent(60);
    let absent = Pod::waiting("absent")
        .memory(most)
        .image("localhost/absent:latest")
        .to_string();
    host.apply(&absent.replace("IfNotPresent", "Never"));
    host.apply(&documents(&[
        Pod::waiting("a").memory(most),
        Pod::frail("b").memory(most),
        Pod::waiting("unlucky")
            .memory(most)
            .init("prepare", "exit 4")
            .restart_policy("Never"),
        Pod::script("job", "exit 0")
            .memory(most)
            .restart_policy("Never"),
    ]));
    // Each of them takes what only one can have; so each start proves the release before it.
    let starts_fail = |name: &str| {
        let output = host.run(["pods", "start", name]);
        assert_eq!(output.code, Some(code::FAILED), "{output:?}");
    };
    host.run(["pods", "start", "a"]).done();
    host.run(["pods", "start", "b"]).ended_with(code::REFUSED);
    // Its own reservation is no hindrance.
    host.run(["pods", "restart", "a"]).done();
    host.run(["pods", "stop", "a"]).done();
    starts_fail("absent");
    starts_fail("unlucky");
    host.run(["pods", "start", "job"]).done();
    host.await_state("job", PodState::Stopped);
    host.run(["pods", "start", "b"]).done();
    host.run(["pods", "start", "a"]).ended_with(code::REFUSED);
    host.podman.signal("b-main", "USR1");
    host.await_state("b", PodState::Error);
    host.run(["pods", "start", "a"]).done();

    // And it does not end with dagdad.
    host.kill9();
    host.start();
    host.await_pod("a", "a is seen again", |pod| pod.ready);
    host.run(["pods", "start", "b"]).ended_with(code::REFUSED);
    host.run(["pods", "remove", "--force", "a"]).done();
    host.run(["pods", "start", "b"]).done();
    assert_eq!(
        states(&host, &["b", "job"]),
        [PodState::Running, PodState::Stopped]
    );
}

#[test]
fn a_pod_that_outgrows_its_footprint_is_in_the_way_until_it_gives_back_or_goes() {
    let host = TestHost::builder().measured().eater().start();
    with_probe(&host);
    // Enough to be told from what others on this machine come and go by.
    let bite = host.room().percent(10) / MIB;
    let eater = Pod::eating("eater", 64, &[&format!("more={bite}")]);
    host.up("eater", &eater.priority(10));
    let before = host.room_for("probe");
    assert!(before.reserved < bite * MIB, "{before:?}");
    let eat = || {
        host.podman.signal("eater-main", "USR1");
        host.await_room("probe", "the room has shrunk by what was eaten", |room| {
            let grown = room.reserved.saturating_sub(before.reserved) / MIB;
            // What the machine uses apart from it: so it is not counted there, too.
            let others = Memory::now().used().saturating_sub(room.reserved);
            (bite..bite + 64).contains(&grown) && room.others.abs_diff(others) < bite * MIB / 2
        })
    };
    let after = eat();
    assert_eq!(after.needed, SMALL);
    assert_eq!(
        after.available,
        after.ceiling - after.others - after.reserved
    );
    let held = host.detail("eater").reserved_memory_bytes;
    assert!(
        held.is_some_and(|held| held.abs_diff(after.reserved) < MIB),
        "nothing else is held: {held:?} {after:?}"
    );

    // What would have fitted before does not now, and not for what anybody declared.
    // By less than half of a bite: what is freed below may be back only for the most part at first.
    let rest = after.available + bite * MIB / 3;
    host.apply(&Pod::waiting("rest").memory(rest));
    host.apply(&Workflow::of("rest", &["rest"]));
    let refusal = host
        .run(["--json", "workflow", "run", "rest"])
        .ended_with(code::REFUSED)
        .json();
    let victim = &refusal["error"]["victims"][0];
    assert_eq!(victim["pod"], "eater", "{refusal:#}");
    assert!(
        victim["freed_bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes >= bite * MIB),
        "{refusal:#}"
    );
    // One that waits starts as soon as there is room, whatever made it.
    let waiting = host.follow(queued("rest"));
    assert_eq!(host.run_now(&waiting.id).state(), RunState::Queued);
    host.podman.signal("eater-main", "USR2");
    host.await_run_state(&waiting.id, RunState::Running);
    host.run(["workflow", "stop", "rest"]).done();

    let _ = eat();
    host.run(["workflow", "run", "rest", "--evict"]).done();
    assert_eq!(host.podman.running(), ["rest"]);
    assert_eq!(host.detail("eater").reserved_memory_bytes, None);
    assert_eq!(host.room_for("probe").reserved, rest);
    host.run(["workflow", "stop", "rest"]).done();
    assert_eq!(host.room_for("probe").reserved, 0, "it is back at once");
}

#[test]
fn a_lack_of_cpu_is_told_and_refuses_nothing() {
    let host = TestHost::builder().measured().start();
    host.apply(&Pod::waiting("greedy").cpu(900_000));
    host.apply(&Workflow::of("greedy", &["greedy"]));
    let plan = host.plan("greedy");
    assert!(plan.fits, "{plan:?}");
    assert!(
        plan.warnings.iter().any(|warning| warning.contains("CPU")),
        "{plan:?}"
    );
    host.run(["pods", "start", "greedy"]).done();
}

#[test]
fn where_cpu_is_enforced_a_lack_of_it_refuses() {
    let host = TestHost::builder()
        .settings("[admission]\ncpu = \"enforce\"\n")
        .start();
    host.apply(&Pod::waiting("greedy").cpu(900_000));
    let refusal = host
        .run(["--json", "pods", "start", "greedy"])
        .ended_with(code::REFUSED)
        .json();
    assert_eq!(refusal["error"]["short_of"], "cpu", "{refusal:#}");
    assert_eq!(refusal["error"]["never_fits"], true, "{refusal:#}");
    host.run(["pods", "start", "greedy", "--force"]).done();
}
