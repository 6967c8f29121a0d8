//! What economy mode may do is set by people, shown, explained beforehand, and kept.

use dagda_proto::v1::{EconomyPolicy, PodState};
use dagda_tests::TestHost;
use dagda_tests::cli::code;
use dagda_tests::manifest::{MIB, Pod, documents};
use dagda_tests::memory::Memory;

/// Nothing is short, whatever other tests do.
fn at_ease(economy: &str) -> TestHost {
    let mut host = TestHost::builder()
        .eater()
        .quiet_cpu()
        .economy(&format!("pressure_percent = 100\n{economy}"))
        .without_daemon();
    host.configuration.ram_percent = Some(100.0);
    host.start();
    host
}

#[test]
fn under_the_policy_on_only_what_is_essential_starts() {
    let mut host = at_ease("");
    host.apply(&documents(&[
        Pod::waiting("optional"),
        Pod::waiting("keep").essential(),
    ]));
    host.run(["economy", "set", "on"]).done();
    let refuses = |host: &TestHost| {
        host.run(["pods", "start", "optional"]).failed_saying(
            code::REFUSED,
            [
                "optional",
                "economy mode",
                "policy is on",
                "dagdactl economy set auto",
            ],
        );
        let refusal = host
            .run(["--json", "pods", "start", "optional"])
            .ended_with(code::REFUSED)
            .json();
        assert_eq!(refusal["error"]["code"], "economy_active", "{refusal:#}");
        assert_eq!(host.pod("optional").state(), PodState::Stopped);
    };
    refuses(&host);
    host.run(["pods", "start", "keep"]).done();
    let status = host.run(["economy", "status"]).done().stdout;
    assert!(
        status.contains("active") && status.contains("policy is on"),
        "{status}"
    );

    // It outlives dagdad, however that ends, and what the configuration says.
    for kill in [true, false] {
        if kill {
            host.kill9();
            host.start();
        } else {
            host.restart();
        }
        let kept = host.await_economy("something was measured", |it| !it.gauges.is_empty());
        assert_eq!(kept.policy(), EconomyPolicy::On);
        assert!(kept.active, "{kept:#?}");
        host.await_pod("keep", "it is seen again", |pod| pod.ready);
        refuses(&host);
    }
    host.run(["pods", "start", "optional", "--force"]).done();
    assert_eq!(host.podman.running(), ["keep", "optional"]);
    host.run(["pods", "stop", "optional"]).done();

    host.run(["economy", "set", "off"]).done();
    host.run(["pods", "start", "optional"]).done();
    let off = host.run(["--json", "economy", "status"]).done().json();
    assert_eq!(off["policy"], "off", "{off:#}");
    assert_eq!(off["active"], false, "{off:#}");
    assert_eq!(off["taken"], serde_json::json!([]), "{off:#}");
    let set = host.await_event("the change is recorded", |event| {
        event.kind == "economy_policy_set" && event.message.contains("off")
    });
    assert!(set.message.contains("on"), "{set:?}");

    host.run(["economy", "set", "nonsense"])
        .failed_saying(code::USAGE, ["nonsense", "auto", "on", "off"]);
    assert_eq!(host.economy().policy(), EconomyPolicy::Off);
}

#[test]
fn a_plan_names_who_would_go_and_changes_nothing() {
    // More than what others come and go by within a second.
    let eaten = (Memory::now().available / MIB / 20).min(1024);
    let host = at_ease("grace = '0s'");
    host.apply(&documents(&[
        Pod::eating("low", eaten, &[]).priority(10),
        Pod::eating("high", eaten, &[]).priority(90),
        Pod::eating("keep", eaten, &[]).essential().priority(0),
    ]));
    host.run(["pods", "start", "low", "high", "keep"]).done();
    for name in ["low", "high", "keep"] {
        host.await_pod(name, "its use is measured", |pod| {
            pod.usage
                .is_some_and(|usage| usage.ram_anon_bytes >= eaten * MIB)
        });
    }
    let nothing = host.run(["--json", "economy", "plan"]).done().json();
    assert_eq!(nothing["steps"], serde_json::json!([]), "{nothing:#}");
    assert_eq!(nothing["enough"], true, "{nothing:#}");

    // Half of what one pod gives would be too much.
    let Memory { total, available } = Memory::now();
    let threshold = (total - available - eaten * MIB / 2) as f64 * 100.0 / total as f64;
    let threshold = format!("{threshold:.3}");
    let what_if = ["economy", "plan", "--ram-threshold", &threshold];
    let plan = dagda_tests::cli::run(host.dagdactl().arg("--json").args(what_if), None)
        .done()
        .json();
    let steps = plan["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 1, "{plan:#}");
    assert_eq!(steps[0]["pod"], "low", "{plan:#}");
    assert_eq!(steps[0]["rung"], "stop", "{plan:#}");
    let frees = steps[0]["frees_memory_bytes"].as_u64().unwrap();
    assert!(frees >= eaten * MIB, "{plan:#}");
    assert_eq!(plan["enough"], true, "{plan:#}");
    let text = host.run(what_if).done().stdout;
    assert!(text.contains("low") && !text.contains("keep"), "{text}");

    // Whatever it would take, never what is essential.
    let all = host
        .run(["--json", "economy", "plan", "--ram-threshold", "0.1"])
        .done()
        .json();
    let steps = all["steps"].as_array().unwrap();
    let pods: Vec<&str> = steps
        .iter()
        .map(|step| step["pod"].as_str().unwrap())
        .collect();
    assert_eq!(pods, ["low", "high"], "{all:#}");
    assert_eq!(all["enough"], false, "{all:#}");

    for nonsense in ["0", "101", "many"] {
        host.run(["economy", "plan", "--ram-threshold", nonsense])
            .failed_saying(code::USAGE, ["--ram-threshold", nonsense]);
    }
    // Only dagdad knows that this is one, with its own threshold.
    host.run(["economy", "plan", "--hysteresis", "99"])
        .failed_saying(
            code::FAILED,
            ["--hysteresis", "99", "threshold of CPU (70)"],
        );
    assert_eq!(host.podman.running(), ["high", "keep", "low"]);
    let economy = host.economy();
    assert!(!economy.active && economy.taken.is_empty(), "{economy:#?}");
    assert_eq!(host.count_events("economy_entered", None), 0);
}

#[test]
fn without_a_past_there_is_nothing_to_replay() {
    let mut host = at_ease("");
    // Nobody looks before that time, and all of it is kept.
    host.stop();
    std::fs::remove_dir_all(&host.configuration.state).unwrap();
    host.configuration
        .environment
        .push(("MONITORING_INTERVAL".to_owned(), "3600".to_owned()));
    host.start();
    let output = host.run(["economy", "backtest", "--since", "1ms"]).done();
    assert_eq!(output.stdout, "", "{output:?}");
    assert!(output.stderr.contains("nothing is recorded"), "{output:?}");
}

#[test]
fn thresholds_that_contradict_each_other_are_refused_at_the_start() {
    let mut host = TestHost::builder().without_daemon();
    for (economy, settings, named) in [
        (
            "hysteresis = 80",
            "[thresholds]\nram_percent = 60\n",
            &["economy.hysteresis", "80", "thresholds.ram_percent", "60"][..],
        ),
        (
            "",
            "[alerts.ram_high]\npercent = 70\nclear_percent = 75\n",
            &["alerts.ram_high.clear_percent", "75", "70"],
        ),
        ("hold = 'never'", "", &["economy.hold", "never"]),
        (
            "policy = 'sometimes'",
            "",
            &["economy.policy", "sometimes", "auto"],
        ),
    ] {
        economy.clone_into(&mut host.configuration.economy);
        settings.clone_into(&mut host.configuration.settings);
        let ended = host.try_start().expect_err("it makes no sense");
        assert_eq!(ended.status.code(), Some(code::USAGE), "{ended:#?}");
        for name in named {
            assert!(ended.log.contains(name), "{name}: {}", ended.log);
        }
    }
}
