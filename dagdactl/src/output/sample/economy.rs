//! Economy mode as dagdad tells it.

use dagda_proto::v1;

use super::at;

const fn span(seconds: i64) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos: 0 }
}

const fn band(enter: f64, leave: f64) -> v1::EconomyBand {
    v1::EconomyBand { enter, leave }
}

/// What holds where nothing else is said.
pub fn rules() -> v1::EconomyRules {
    v1::EconomyRules {
        ram: Some(band(80.0, 75.0)),
        cpu: Some(band(70.0, 65.0)),
        pressure: Some(band(20.0, 10.0)),
        hold: Some(span(30)),
        recovery: Some(span(120)),
        grace: Some(span(60)),
        sheds_per_hour: 3,
    }
}

/// Memory is short, CPU nearly so, and pressure cannot be measured.
pub fn gauges() -> Vec<v1::EconomyGauge> {
    let gauge = |trigger: v1::EconomyTrigger, band| v1::EconomyGauge {
        trigger: trigger.into(),
        value_percent: None,
        band,
        short_for: None,
    };
    vec![
        v1::EconomyGauge {
            value_percent: Some(86.31),
            short_for: Some(span(130)),
            ..gauge(v1::EconomyTrigger::Ram, rules().ram)
        },
        gauge(v1::EconomyTrigger::Pressure, rules().pressure),
        v1::EconomyGauge {
            value_percent: Some(66.0),
            ..gauge(v1::EconomyTrigger::Cpu, rules().cpu)
        },
    ]
}

/// Active, with a pod of each kind of taking.
pub fn status(now: i64) -> v1::EconomyStatus {
    let taken = |pod: &str, rung: v1::EconomyRung, reason: &str, returns: &str| v1::Taken {
        pod: pod.to_owned(),
        rung: rung.into(),
        at: Some(at(now - 90)),
        reason: reason.to_owned(),
        priority: 20,
        used_memory_bytes: 3 << 30,
        used_cpu_millicores: 1500,
        cpu_limit_millicores: None,
        for_good: false,
        returns: returns.to_owned(),
    };
    v1::EconomyStatus {
        policy: v1::EconomyPolicy::Auto.into(),
        active: true,
        since: Some(at(now - 100)),
        reason: Some("RAM was at 86.3 % of at most 80 %".to_owned()),
        rules: Some(rules()),
        gauges: gauges(),
        taken: vec![
            v1::Taken {
                cpu_limit_millicores: Some(500),
                ..taken(
                    "web",
                    v1::EconomyRung::Throttle,
                    "CPU was at 91.0 % of at most 70 %",
                    "once CPU stays below 65 % for 2m",
                )
            },
            taken(
                "batch",
                v1::EconomyRung::Freeze,
                "CPU was at 88.0 % of at most 70 %, and throttling did not help",
                "after web",
            ),
            taken(
                "qwen",
                v1::EconomyRung::Stop,
                "RAM was at 86.3 % of at most 80 %: it is optional and has the lowest priority",
                "next, once 1.2 GiB are free below 75 %",
            ),
            v1::Taken {
                for_good: true,
                priority: 5,
                ..taken(
                    "cache",
                    v1::EconomyRung::Stop,
                    "RAM was at 84.9 % of at most 80 %",
                    "not by itself: it was stopped 4 times within an hour; start it with: dagdactl pods start cache",
                )
            },
        ],
        next: "ends when RAM stays below 75 % for 2m".to_owned(),
    }
}

/// Nothing is short.
pub fn calm_status(policy: v1::EconomyPolicy) -> v1::EconomyStatus {
    v1::EconomyStatus {
        policy: policy.into(),
        rules: Some(rules()),
        gauges: vec![v1::EconomyGauge {
            trigger: v1::EconomyTrigger::Ram.into(),
            value_percent: Some(61.0),
            band: rules().ram,
            short_for: None,
        }],
        next: match policy {
            v1::EconomyPolicy::Auto => "begins when something is short for 30s".to_owned(),
            _ => String::new(),
        },
        ..v1::EconomyStatus::default()
    }
}

/// What it would do about memory.
pub fn plan() -> v1::EconomyPlan {
    let step = |pod: &str, rung: v1::EconomyRung, mib: u64, reason: &str| v1::PlannedStep {
        pod: pod.to_owned(),
        rung: rung.into(),
        priority: 20,
        frees_memory_bytes: mib << 20,
        frees_cpu_millicores: 250,
        reason: reason.to_owned(),
    };
    v1::EconomyPlan {
        rules: Some(rules()),
        gauges: gauges(),
        verdict: "RAM is at 86.3 % of at most 80 %: 1.2 GiB have to go".to_owned(),
        steps: vec![
            step(
                "llama",
                v1::EconomyRung::Reclaim,
                512,
                "it can be read again; nothing is stopped for it",
            ),
            step(
                "qwen",
                v1::EconomyRung::Stop,
                3072,
                "optional, the lowest priority, idle for 25m",
            ),
        ],
        enough: true,
        ram_percent_after: 72.306,
        cpu_percent_after: 61.0,
        restores: Vec::new(),
    }
}

/// Nothing is to be done but to give back.
pub fn calm_plan() -> v1::EconomyPlan {
    v1::EconomyPlan {
        verdict: "nothing: RAM is at 61.0 % of at most 80 %".to_owned(),
        steps: Vec::new(),
        restores: vec!["qwen".to_owned(), "batch".to_owned()],
        gauges: calm_status(v1::EconomyPolicy::Auto).gauges,
        ..plan()
    }
}

/// A week as it was, with a lower threshold and with a higher one.
pub fn backtest(now: i64) -> v1::BacktestResponse {
    let act = |ago, pod: &str, rung: v1::EconomyRung, restored| v1::BacktestAct {
        at: Some(at(now - ago)),
        pod: pod.to_owned(),
        rung: rung.into(),
        restored,
    };
    let acts = vec![
        act(9000, "llama", v1::EconomyRung::Reclaim, false),
        act(8990, "qwen", v1::EconomyRung::Stop, false),
        act(5400, "qwen", v1::EconomyRung::Stop, true),
        act(5000, "batch", v1::EconomyRung::Freeze, false),
        act(4000, "batch", v1::EconomyRung::Freeze, true),
    ];
    let outcome = |rules| v1::BacktestOutcome {
        rules: Some(rules),
        entered: 2,
        active: Some(span(3 * 3600 + 5 * 60)),
        over: Some(span(12 * 60 + 30)),
        sheds: 1,
        restores: 1,
        acts,
    };
    v1::BacktestResponse {
        since: Some(at(now - 7 * 86_400)),
        until: Some(at(now)),
        samples: 7562,
        gaps: Some(span(300)),
        outcomes: vec![
            outcome(rules()),
            v1::BacktestOutcome {
                rules: Some(v1::EconomyRules {
                    ram: Some(band(75.0, 70.0)),
                    ..rules()
                }),
                entered: 5,
                active: Some(span(26 * 3600)),
                over: Some(span(45 * 60)),
                sheds: 6,
                restores: 5,
                acts: Vec::new(),
            },
            v1::BacktestOutcome {
                rules: Some(v1::EconomyRules {
                    ram: Some(band(85.0, 80.0)),
                    hold: Some(span(60)),
                    ..rules()
                }),
                acts: Vec::new(),
                ..v1::BacktestOutcome::default()
            },
        ],
    }
}

/// An act and what it brought.
pub fn events(now: i64) -> Vec<v1::Event> {
    let event = |number, kind: &str, message: &str| v1::Event {
        id: format!("01939d5c-0000-7000-8000-00000000001{number}"),
        at: Some(at(now - 90 + number)),
        kind: kind.to_owned(),
        object: Some("qwen".to_owned()),
        run: None,
        message: message.to_owned(),
    };
    vec![
        event(
            1,
            "shed",
            "RAM was at 86.3 % of at most 80 % for 30s; qwen uses 3.0 GiB and has priority 20",
        ),
        event(
            2,
            "economy_measured",
            "3.0 GiB were freed, RAM is at 72.3 %",
        ),
    ]
}
