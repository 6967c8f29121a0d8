//! `economy status|set|plan|backtest`.

use rstest::rstest;

use crate::fake::Fake;

#[rstest]
#[case(&["economy"])]
#[case(&["economy", "status"])]
fn without_a_verb_its_status_is_shown(#[case] arguments: &[&str]) {
    let fake = Fake::start();
    let ran = fake.run(arguments).exits(0);
    assert!(
        ran.stdout
            .starts_with("Policy     auto\nActive     yes, since "),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
    assert_eq!(ran.stderr, "");
    assert_eq!(fake.requests(), ["GetEconomyRequest"]);
    let with_json: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    let document = fake.run(&with_json).exits(0).document();
    assert_eq!(document["policy"], "auto");
    assert_eq!(document["taken"][2]["rung"], "stop");
    assert_eq!(
        document["gauges"][1]["value_percent"],
        serde_json::Value::Null
    );
}

#[rstest]
#[case(
    "auto",
    "Auto",
    "economy mode is set to auto: begins when something is short for 30s\n"
)]
#[case("on", "On", "economy mode is set to on\n")]
#[case("off", "Off", "economy mode is set to off\n")]
fn it_is_set(#[case] policy: &str, #[case] asked: &str, #[case] said: &str) {
    let fake = Fake::start();
    let ran = fake.run(&["economy", "set", policy]).exits(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), (said, ""));
    assert_eq!(
        fake.requests(),
        [format!("SetPolicyRequest {{ policy: {asked} }}")]
    );
    let document = fake.run(&["economy", "set", policy, "--json"]);
    assert_eq!(document.exits(0).document()["policy"], policy);
}

#[test]
fn a_plan_is_asked_for_as_it_is_and_otherwise() {
    let fake = Fake::start();
    let ran = fake.run(&["economy", "plan"]).exits(0);
    assert!(ran.stdout.contains("That is enough.\n"), "{ran:?}");
    fake.run(&[
        "economy",
        "plan",
        "--ram-threshold",
        "60",
        "--cpu-threshold",
        "50%",
        "--pressure-threshold",
        "7.5",
        "--hysteresis",
        "2",
        "--json",
    ])
    .exits(0);
    let wanted = |ram, cpu, pressure, hysteresis| {
        format!(
            "PlanEconomyRequest {{ what_if: Some(WhatIf {{ ram_percent: {ram}, cpu_percent: {cpu}, \
             pressure_percent: {pressure}, hysteresis_percent: {hysteresis}, hold: None, recovery: None }}) }}"
        )
    };
    assert_eq!(
        fake.requests(),
        [
            wanted("None", "None", "None", "None"),
            wanted("Some(60.0)", "Some(50.0)", "Some(7.5)", "Some(2.0)")
        ]
    );
}

#[test]
fn that_nothing_is_to_be_done_is_an_answer() {
    let fake = Fake::start();
    let ran = fake.run(&["economy", "plan", "--ram-threshold", "95"]);
    let said = ran.exits(0).stdout;
    assert!(
        said.starts_with("nothing: RAM is at 61.0 % of at most 80 %\n"),
        "{said}"
    );
    assert!(said.ends_with("Restores   qwen, batch\n"), "{said}");
}

#[test]
fn what_dagdad_refuses_is_said() {
    let fake = Fake::start();
    let ran = fake
        .run(&["economy", "plan", "--hysteresis", "60"])
        .exits(1);
    assert_eq!(ran.stderr, "error: --hysteresis is too large\n");
}

/// The thresholds of each set of rules that is asked for.
fn thresholds(request: &str) -> Vec<(String, String)> {
    let value = |text: &str, key: &str| -> String {
        let start = text.find(key).unwrap() + key.len();
        let rest = &text[start..];
        rest[..rest.find(',').unwrap()].to_owned()
    };
    request
        .split("WhatIf {")
        .skip(1)
        .map(|what_if| {
            (
                value(what_if, "ram_percent: "),
                value(what_if, "cpu_percent: "),
            )
        })
        .collect()
}

#[rstest]
#[case(&[], &[])]
#[case(&["--ram-threshold", "75"], &[("Some(75.0)", "None")])]
#[case(
    &["--ram-threshold", "75", "--ram-threshold", "85"],
    &[("Some(75.0)", "None"), ("Some(85.0)", "None")]
)]
#[case(
    &["--ram-threshold", "75", "--ram-threshold", "85", "--cpu-threshold", "60", "--cpu-threshold", "65"],
    &[("Some(75.0)", "Some(60.0)"), ("Some(75.0)", "Some(65.0)"), ("Some(85.0)", "Some(60.0)"), ("Some(85.0)", "Some(65.0)")]
)]
#[case(&["--hold", "1m"], &[("None", "None")])]
fn every_combination_of_thresholds_is_replayed(
    #[case] options: &[&str],
    #[case] expected: &[(&str, &str)],
) {
    let fake = Fake::start();
    let arguments: Vec<&str> = ["economy", "backtest"]
        .into_iter()
        .chain(options.iter().copied())
        .collect();
    fake.run(&arguments).exits(0);
    let asked = thresholds(&fake.requests()[0]);
    let asked: Vec<(&str, &str)> = asked
        .iter()
        .map(|(ram, cpu)| (ram.as_str(), cpu.as_str()))
        .collect();
    assert_eq!(asked, expected);
}

#[test]
fn the_past_is_replayed() {
    let fake = Fake::start();
    let options = ["--since", "7d", "--hysteresis", "3", "--recovery", "90s"];
    let arguments: Vec<&str> = ["economy", "backtest"].into_iter().chain(options).collect();
    let ran = fake.run(&arguments).exits(0);
    assert!(
        ran.stdout
            .contains("   3h 5m  12m 30s        2     1         1       2  as it is\n"),
        "{ran:?}"
    );
    assert!(!ran.stdout.contains("Acts"), "{ran:?}");
    let request = &fake.requests()[0];
    assert!(request.contains("since: Some(Timestamp"), "{request}");
    assert!(
        request.contains("hysteresis_percent: Some(3.0), hold: None, recovery: Some(Duration { seconds: 90, nanos: 0 })"),
        "{request}"
    );

    let ran = fake.run(&["economy", "backtest", "--acts"]).exits(0);
    assert!(ran.stdout.contains("Acts, as it is:\n"), "{ran:?}");
    let document = fake.run(&["economy", "backtest", "--json"]).exits(0);
    let document = document.document();
    assert_eq!(document["outcomes"].as_array().unwrap().len(), 3);
    assert_eq!(document["outcomes"][0]["acts"][1]["pod"], "qwen");
}

#[test]
fn a_box_without_a_past_says_so() {
    let fake = Fake::start();
    let arguments = ["economy", "backtest", "--since", "1s"];
    let ran = fake.run(&arguments).exits(0);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr.starts_with("nothing is recorded of that time"),
        "{ran:?}"
    );
    let with_json: Vec<&str> = arguments.into_iter().chain(["--json"]).collect();
    let document = fake.run(&with_json).exits(0).document();
    assert_eq!(document["samples"], 0);
    assert_eq!(document["since"], serde_json::Value::Null);
}

#[rstest]
#[case(&["economy", "set"])]
#[case(&["economy", "set", "sometimes"])]
#[case(&["economy", "plan", "--ram-threshold", "0"])]
#[case(&["economy", "plan", "--ram-threshold", "101"])]
#[case(&["economy", "plan", "--cpu-threshold", "nan"])]
#[case(&["economy", "plan", "--hysteresis", "much"])]
#[case(&["economy", "backtest", "--since", "yesterday"])]
#[case(&["economy", "backtest", "--hold", "-1s"])]
#[case(&["economy", "sleep"])]
fn what_makes_no_sense_is_not_asked(#[case] arguments: &[&str]) {
    let fake = Fake::start();
    fake.run(arguments).exits(2);
    assert!(fake.requests().is_empty());
}
