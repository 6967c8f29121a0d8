//! What a pod really uses is learned, and expected where it is more than the pod declares.

use dagda_tests::TestHost;
use dagda_tests::manifest::{MIB, Pod, SMALL, Workflow};

const EATEN: u64 = 200;

#[test]
fn three_runs_that_use_more_than_declared_are_expected_of_the_fourth() {
    let mut host = TestHost::builder().measured().eater().start();
    host.apply(&Pod::eating("eater", EATEN, &[]));
    host.apply(&Workflow::of("meal", &["eater"]));
    let expected = |host: &TestHost| host.detail("eater").expected.expect("an expectation");
    let before = expected(&host);
    assert_eq!(
        (before.memory_bytes, before.memory_basis.as_str()),
        (SMALL, "declared")
    );
    assert!(before.observed.is_none(), "{before:?}");

    for run in 1..=3 {
        host.run(["pods", "start", "eater"]).done();
        host.await_pod("eater", "its use is measured", |pod| {
            pod.usage
                .is_some_and(|usage| usage.ram_anon_bytes >= EATEN * MIB)
        });
        host.run(["pods", "stop", "eater"]).done();
        let known = expected(&host);
        let observed = known.observed.as_ref().expect("a run was observed");
        assert_eq!(observed.runs, run, "{known:?}");
        assert!(
            observed.memory_highest_peak_bytes >= EATEN * MIB,
            "{known:?}"
        );
        assert!(
            observed.memory_highest_peak_bytes < (EATEN + 20) * MIB,
            "{known:?}"
        );
        assert!(
            observed
                .slowest_ready_seconds
                .is_some_and(|time| time > 0.0),
            "{known:?}"
        );
        if run < 3 {
            assert_eq!(known.memory_basis, "declared", "{known:?}");
            assert_eq!(observed.confidence, "low", "{known:?}");
        }
    }

    // What was learned outlives dagdad.
    host.kill9();
    host.start();
    let known = expected(&host);
    assert_eq!(known.memory_basis, "observed", "{known:?}");
    assert_eq!(known.declared_memory_bytes, SMALL, "{known:?}");
    let margin = known.memory_bytes as f64 / (EATEN * MIB) as f64;
    assert!((1.05..1.3).contains(&margin), "{known:?}");
    assert_eq!(
        known.observed.as_ref().unwrap().confidence,
        "medium",
        "{known:?}"
    );
    let plan = host.plan("meal");
    assert_eq!(plan.pods[0].expected.as_ref(), Some(&known));
    let needed = plan
        .figures
        .and_then(|figures| figures.memory)
        .unwrap()
        .needed;
    assert_eq!(needed, known.memory_bytes);

    for arguments in [["pods", "show", "eater"], ["workflow", "plan", "meal"]] {
        let text = host.run(arguments).done().stdout;
        assert!(
            text.contains("observed") && text.contains("medium"),
            "{text}"
        );
    }
    let show = host.run(["pods", "show", "eater"]).done().stdout;
    assert!(show.contains("declared"), "{show}");
}
