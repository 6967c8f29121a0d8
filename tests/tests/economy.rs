//! Economy mode on the real machine: memory and CPU really run short, the least valuable optional
//! pod pays for it, and gets back what was taken from it.
//!
//! The manner is that of systemd's test of its OOM daemon:
//! <https://github.com/systemd/systemd/blob/main/test/units/TEST-55-OOMD.sh>

use std::process::{Child, Command};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dagda_proto::v1::{EconomyRung, PodState, Taken};
use dagda_tests::TestHost;
use dagda_tests::cli::{Watch, code};
use dagda_tests::host::economy::taken_from;
use dagda_tests::manifest::{MIB, Pod, documents};
use dagda_tests::squeeze::Squeeze;
use serde_json::Value;

/// Each of these tests wants the whole machine.
static MACHINE: Mutex<()> = Mutex::new(());

/// Which process each of the pods has and since when: another one would be another life.
fn lives(host: &TestHost, pods: &[&str]) -> Vec<String> {
    let life = |pod: &&str| {
        let format = "{{.State.Pid}} {{.State.StartedAt}} {{.State.OOMKilled}}";
        host.podman.inspect(&format!("{pod}-main"), format)
    };
    pods.iter().map(life).collect()
}

/// How many processes the kernel has killed for lack of memory since it booted. Source:
/// <https://docs.kernel.org/filesystems/proc.html> (`oom_kill` of `/proc/vmstat`)
fn kernel_kills() -> u64 {
    let text = std::fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
    let count = line.and_then(|count| count.parse().ok());
    count.unwrap_or_else(|| panic!("a kernel that does not count: {text}"))
}

/// A box with one pod that economy mode may stop first, one that it may stop last and one that it
/// may not stop, all of them really there.
fn with_three_pods(squeeze: &Squeeze) -> TestHost {
    let hysteresis = squeeze.hysteresis_percent();
    let mut host = TestHost::builder()
        .eater()
        .quiet_cpu()
        // Once the victim is gone there is room for it again: all that is to be seen without it has
        // to be so within the recovery.
        .economy(&format!(
            "hold = '2s'\nrecovery = '20s'\ngrace = '1s'\npressure_percent = 100\nhysteresis = {hysteresis:.6}"
        ))
        .without_daemon();
    host.configuration.ram_percent = Some(squeeze.threshold_percent());
    host.start();
    let (small, large) = (squeeze.small_mib(), squeeze.victim_mib());
    host.apply(&documents(&[
        // The lowest priority of all, and yet nothing is taken from it.
        Pod::eating("keep", small, &[]).essential().priority(0),
        Pod::eating("low", large, &[]).priority(10),
        Pod::eating("high", small, &[]).priority(90),
    ]));
    host.run(["pods", "start", "keep", "low", "high"]).done();
    for (pod, mib) in [("keep", small), ("low", large), ("high", small)] {
        await_use(&host, pod, mib);
    }
    let quiet = host.economy();
    assert!(!quiet.active, "{quiet:#?}");
    host
}

fn await_use(host: &TestHost, pod: &str, mib: u64) {
    host.await_pod(pod, &format!("{pod} uses {mib} MiB"), |pod| {
        let usage = pod.usage.filter(|_| pod.ready);
        usage.is_some_and(|usage| usage.ram_anon_bytes >= mib * MIB)
    });
}

#[test]
fn what_eats_memory_costs_the_least_valuable_pod_until_it_ends() {
    let _alone = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let kills = kernel_kills();
    let squeeze = Squeeze::measure();
    let host = with_three_pods(&squeeze);
    let more = squeeze.missing_mib();
    let eater = Pod::eating("eater", 0, &[&format!("more={more}")]);
    host.up("eater", &eater.priority(80));
    let others = ["keep", "high", "eater"];
    let before = lives(&host, &others);
    // As a script sees it.
    let events = Watch::start(host.dagdactl().args(["--json", "events", "--follow"]));
    let said = |kind: &str| {
        let event = events.await_object(kind, |event| event["kind"] == kind);
        let message = event["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(['%', 'B']), "no numbers: {event:#}");
        (event["object"].clone(), message)
    };

    host.podman.signal("eater-main", "USR1");
    // All of it: what it is yet to eat would be missed below and eaten twice.
    await_use(&host, "eater", more);
    let beside = squeeze.keep_short(|limit| host.enters_economy_within(limit, None));
    let (_, entered) = said("economy_entered");
    assert!(
        entered.contains("RAM") && entered.contains("2s"),
        "{entered}"
    );
    let (victim, shed) = said("shed");
    assert_eq!(victim, "low");
    assert!(
        shed.contains("priority 10") && shed.contains("frees about"),
        "{shed}"
    );
    let (measured, brought) = said("economy_measured");
    assert_eq!(measured, "low");
    assert!(brought.contains("RAM went from"), "{brought}");
    assert!(!brought.contains("did not help"), "{brought}");

    without_it(&host, &squeeze);

    drop(beside);
    host.podman.signal("eater-main", "USR2");
    let (_, left) = said("economy_left");
    assert!(left.contains("RAM"), "{left}");
    let restored = events.await_object("low comes back", |event| event["kind"] == "restored");
    assert_eq!(restored["object"], "low");
    await_use(&host, "low", squeeze.victim_mib());
    let after = host.await_economy("all is given back", |economy| economy.taken.is_empty());
    assert!(!after.active, "{after:#?}");
    host.run(["pods", "start", "late"]).done();

    assert_eq!(
        lives(&host, &others),
        before,
        "nobody else was touched, ever"
    );
    assert_eq!(host.podman.starts()["low-main"], 2);
    for (kind, times) in [("economy_entered", 1), ("shed", 1), ("restored", 1)] {
        assert_eq!(host.count_events(kind, None), times, "{kind}");
    }
    assert_eq!(kernel_kills(), kills, "the kernel had to step in");
    replayed(&host, squeeze.threshold_percent());
}

/// What is to be seen while economy mode is active and `low` is down.
fn without_it(host: &TestHost, squeeze: &Squeeze) {
    // One was enough, and it went in peace.
    assert_eq!(host.podman.running(), ["eater", "high", "keep"]);
    let end = host
        .podman
        .inspect("low-main", "{{.State.ExitCode}} {{.State.OOMKilled}}");
    assert_eq!(end, "0 false");
    let during = host.economy();
    assert!(during.active && during.since.is_some(), "{during:#?}");
    let Some(taken) = taken_from(&during, "low") else {
        panic!("it is not known to come back: {during:#?}")
    };
    assert_eq!(taken.rung(), EconomyRung::Stop);
    assert!(
        taken.used_memory_bytes >= squeeze.victim_mib() * MIB,
        "{taken:?}"
    );
    let shown = host.run(["--json", "pods", "show", "low"]).done().json();
    assert_eq!(shown["state"], "stopped", "{shown:#}");
    let status = host.run(["--json", "status"]).done().json();
    assert_eq!(status["economy"]["active"], true, "{status:#}");
    assert!(
        status["economy"]["shed"].to_string().contains("low"),
        "{status:#}"
    );
    // While it lasts nobody else is let in to what was freed.
    host.apply(&Pod::waiting("late"));
    host.run(["pods", "start", "late"])
        .failed_saying(code::REFUSED, ["late", "economy mode", "RAM"]);
}

/// The recorded past, under the rules as they are, under stricter ones and under laxer ones.
fn replayed(host: &TestHost, threshold: f64) {
    // A whole one, so that it is told as it is asked for.
    let strict = format!("{:.0}", threshold / 2.0);
    let arguments = ["economy", "backtest", "--since", "1h", "--hysteresis", "1"];
    let thresholds = ["--ram-threshold", &strict, "--ram-threshold", "99"];
    let replay = [&arguments[..], &thresholds[..]].concat();
    let text = dagda_tests::cli::run(host.dagdactl().args(&replay), None).done();
    assert!(
        text.stdout.contains(&format!("RAM {strict}% to")) && text.stdout.contains("RAM 99% to"),
        "{text:#?}"
    );
    let json = dagda_tests::cli::run(host.dagdactl().arg("--json").args(&replay), None)
        .done()
        .json();
    assert!(json["samples"].as_u64() > Some(2), "{json:#}");
    let outcomes = json["outcomes"].as_array().map(Vec::as_slice);
    let Some([as_is, strict, lax]) = outcomes else {
        panic!("three rows: {json:#}")
    };
    assert_eq!(as_is["rules"]["hold_seconds"], 2.0, "{json:#}");
    let acts = |row: &Value| (row["entered"].as_u64(), row["sheds"].as_u64());
    assert_eq!(acts(strict).0, Some(1), "{json:#}");
    assert!(acts(strict).1 >= Some(1), "{json:#}");
    assert!(strict["over_seconds"].as_f64() > Some(0.0), "{json:#}");
    assert_eq!(acts(lax), (Some(0), Some(0)), "{json:#}");
    assert_eq!(lax["over_seconds"].as_f64(), Some(0.0), "{json:#}");
}

/// Uses some CPU, and never much of it.
const NOW_AND_THEN: &str = "trap 'exit 0' TERM; while :; do i=0; \
    while [ $i -lt 2000 ]; do i=$((i+1)); done; busybox sleep 0.1; done";

/// Burns all the CPU that a pod can get.
fn burning(name: &str, cores: usize) -> Pod {
    let script = format!(
        "trap 'exit 0' TERM; i=0; while [ $i -lt {cores} ]; do \
         while :; do :; done & i=$((i+1)); done; wait"
    );
    Pod::script(name, &script)
}

/// Burns a core that nobody else wants; until it is dropped.
struct Busy(Child);

impl Busy {
    fn start() -> std::io::Result<Self> {
        let mut command = Command::new("nice");
        command.args(["-n", "19", "sh", "-c", "while :; do :; done"]);
        command.spawn().map(Self)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn what_burns_the_cpu_is_throttled_then_frozen_and_given_back() {
    let _alone = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    // The machine is busy whatever is taken from the pod, so that the ladder is climbed to its
    // top. What keeps it so hardly competes with the pod, and little is missing, so that each rung
    // would be enough by itself: the mildest one comes first.
    let cores = std::thread::available_parallelism().unwrap().get();
    let busy: Vec<Busy> = (0..cores).map(|_| Busy::start().unwrap()).collect();
    let host = TestHost::builder()
        .environment("ALERT_CPU_THRESHOLD", "99")
        .environment("ALERT_RAM_THRESHOLD", "99")
        .economy(
            "hold = '1s'\nrecovery = '1s'\ngrace = '3s'\npressure_percent = 100\nhysteresis = 1",
        )
        .start();
    host.apply(&documents(&[
        Pod::script("keep", NOW_AND_THEN).essential().priority(0),
        burning("burner", cores)
            .priority(10)
            .annotation("dagda/freeze", "true"),
    ]));
    host.run(["pods", "start", "keep", "burner"]).done();
    let throttled = host.await_event_after(None, "throttled", None);
    assert_eq!(throttled.object.as_deref(), Some("burner"));
    assert!(throttled.message.contains("cores"), "{throttled:?}");
    let measured = host.await_event_after(Some(&throttled), "economy_measured", Some("burner"));
    assert!(
        measured
            .message
            .starts_with("throttle burner: CPU went from"),
        "{:#?}",
        host.events()
    );
    let quota = host.podman.cpu_quota("burner-main").expect("a limit");
    let whole = Duration::from_millis(100) * u32::try_from(cores).unwrap();
    assert!(quota < whole, "{quota:?}");

    let frozen = host.await_event_after(Some(&measured), "frozen", None);
    assert_eq!(frozen.object.as_deref(), Some("burner"));
    let measured = host.await_event_after(Some(&frozen), "economy_measured", Some("burner"));
    assert!(
        measured.message.starts_with("freeze burner: CPU went from"),
        "{:#?}",
        host.events()
    );
    let state = |pod: &str| {
        host.podman
            .inspect(&format!("{pod}-main"), "{{.State.Status}}")
    };
    assert_eq!(state("burner"), "paused");
    assert_eq!(state("keep"), "running");
    assert_eq!(host.podman.cpu_quota("keep-main"), None);
    let economy = host.economy();
    let rungs: Vec<EconomyRung> = economy.taken.iter().map(Taken::rung).collect();
    assert_eq!(
        rungs,
        [EconomyRung::Throttle, EconomyRung::Freeze],
        "{economy:#?}"
    );
    assert_eq!(host.pod("burner").state(), PodState::Running);

    // CPU alone refuses no start, and what is given back is given back at once.
    host.up("late", &Pod::waiting("late"));
    host.run(["economy", "set", "off"]).done();
    host.await_economy("all is given back", |economy| economy.taken.is_empty());
    assert_eq!(state("burner"), "running");
    assert_eq!(host.podman.cpu_quota("burner-main"), None);
    assert_eq!(host.count_events("restored", Some("burner")), 2);
    assert_eq!(host.count_events("shed", None), 0);
    let starts = host.podman.starts();
    assert_eq!((starts["burner-main"], starts["keep-main"]), (1, 1));
    drop(busy);
}
