//! Economy mode: told whole, set and planned.

use std::sync::Arc;
use std::time::Duration;

use dagda_proto::v1::{self, economy_service_server::EconomyService};
use rstest::rstest;
use tonic::{Code, Request};

use super::super::convert;
use super::backtest::replay;
use super::ports::Records;
use super::{Bench, asked, bench, detail, wire};
use crate::domain::economy::{
    Active, Band, Cause, EconomyPlan, EconomyRules, EconomyView, Gauge, PlannedStep, Policy, Rung,
    Taken, TakenView, Taking, Trigger, WhatIf,
};
use crate::domain::error::CommandError;
use crate::domain::operation::Done;
use crate::domain::pod::Priority;
use crate::domain::quantity::{Bytes, Millicpu};
use crate::engine::Message;
use crate::engine::answering::Answer;
use crate::engine::economy::{Reading, Situation};
use crate::engine::event::{Command, Reply};
use crate::engine::example::{at, footprint, name, pod, snapshot};
use crate::engine::snapshot::Snapshot;

/// Memory was short: one pod of each kind of taking.
fn economical() -> EconomyView {
    let taken = |pod: &str, taking| TakenView {
        taken: Taken {
            pod: name(pod),
            taking,
            at: at(7),
            used: footprint(2, 3),
            reason: format!("why {pod}"),
        },
        priority: Priority::new(20).unwrap(),
        returns: format!("when {pod}"),
    };
    EconomyView {
        policy: Policy::Auto,
        active: Some(Active {
            since: at(5),
            cause: Cause::Short {
                trigger: Trigger::Ram,
                value: 86.25,
                threshold: 80.0,
            },
        }),
        rules: EconomyRules::of(80.0, 70.0),
        gauges: vec![
            Gauge {
                trigger: Trigger::Ram,
                value: Some(86.25),
                band: Band::below(80.0, 5.0),
                short_for: Some(Duration::from_secs(40)),
            },
            Gauge {
                trigger: Trigger::Pressure,
                value: None,
                band: Band::below(20.0, 10.0),
                short_for: None,
            },
        ],
        taken: vec![
            taken("web", Taking::Throttled { to: Millicpu(500) }),
            taken("batch", Taking::Frozen),
            taken("qwen", Taking::Shed { for_good: true }),
            taken("llama", Taking::Shed { for_good: false }),
        ],
        next: "ends when RAM stays below 75 % for 2m".to_owned(),
    }
}

pub(super) fn wire_rules() -> v1::EconomyRules {
    let band = |enter, leave| Some(v1::EconomyBand { enter, leave });
    v1::EconomyRules {
        ram: band(80.0, 75.0),
        cpu: band(70.0, 65.0),
        pressure: band(20.0, 10.0),
        hold: Some(span(30)),
        recovery: Some(span(120)),
        grace: Some(span(60)),
        sheds_per_hour: 3,
    }
}

fn having(economy: EconomyView) -> Snapshot {
    let mut snapshot = snapshot(vec![pod("web", footprint(1, 1))], Vec::new());
    snapshot.economy = economy;
    snapshot
}

/// A measured box.
pub(super) fn measured() -> Snapshot {
    let mut snapshot = having(economical());
    snapshot.situation = Some(Arc::new(Situation {
        reading: Reading {
            at: at(0),
            ram_total: Bytes::gib(20),
            ram_used: Bytes::gib(10),
            swap_free: Bytes(0),
            cpu_percent: 10.0,
            cpu_count: 4,
            pressure: None,
        },
        promised: footprint(0, 0),
        pods: std::collections::BTreeMap::new(),
    }));
    snapshot
}

#[tokio::test]
async fn it_is_told_whole() {
    let bench = bench(having(economical()), Records::default());
    let told = bench
        .api
        .get_economy(Request::new(v1::GetEconomyRequest {}))
        .await
        .unwrap()
        .into_inner();
    let taken = |pod: &str, rung: v1::EconomyRung| v1::Taken {
        pod: pod.to_owned(),
        rung: rung.into(),
        at: Some(wire(7)),
        reason: format!("why {pod}"),
        priority: 20,
        used_memory_bytes: 2 << 30,
        used_cpu_millicores: 3000,
        cpu_limit_millicores: None,
        for_good: false,
        returns: format!("when {pod}"),
    };
    let expected = v1::EconomyStatus {
        policy: v1::EconomyPolicy::Auto.into(),
        active: true,
        since: Some(wire(5)),
        reason: Some("RAM was at 86.2 % of at most 80 %".to_owned()),
        rules: Some(wire_rules()),
        gauges: vec![
            v1::EconomyGauge {
                trigger: v1::EconomyTrigger::Ram.into(),
                value_percent: Some(86.25),
                band: wire_rules().ram,
                short_for: Some(span(40)),
            },
            v1::EconomyGauge {
                trigger: v1::EconomyTrigger::Pressure.into(),
                value_percent: None,
                band: wire_rules().pressure,
                short_for: None,
            },
        ],
        taken: vec![
            v1::Taken {
                cpu_limit_millicores: Some(500),
                ..taken("web", v1::EconomyRung::Throttle)
            },
            taken("batch", v1::EconomyRung::Freeze),
            v1::Taken {
                for_good: true,
                ..taken("qwen", v1::EconomyRung::Stop)
            },
            taken("llama", v1::EconomyRung::Stop),
        ],
        next: "ends when RAM stays below 75 % for 2m".to_owned(),
    };
    assert_eq!(told, expected);
}

#[test]
fn the_box_at_a_glance_names_what_was_stopped() {
    let told = convert::status(&having(economical())).economy.unwrap();
    let expected = v1::Economy {
        policy: v1::EconomyPolicy::Auto.into(),
        active: true,
        reason: Some("RAM was at 86.2 % of at most 80 %".to_owned()),
        shed: vec!["qwen".to_owned(), "llama".to_owned()],
    };
    assert_eq!(told, expected);

    let calm = EconomyView {
        policy: Policy::Off,
        active: None,
        taken: Vec::new(),
        ..economical()
    };
    let told = convert::status(&having(calm)).economy.unwrap();
    let expected = v1::Economy {
        policy: v1::EconomyPolicy::Off.into(),
        ..v1::Economy::default()
    };
    assert_eq!(told, expected);
}

/// Calls `set_policy`, answers for the engine with `reply`, and gives the call's result.
async fn set(
    policy: v1::EconomyPolicy,
    expected: Policy,
    reply: Reply,
) -> Result<v1::EconomyStatus, tonic::Status> {
    let Bench {
        api,
        mut mailbox,
        snapshots,
    } = bench(having(economical()), Records::default());
    let call = tokio::spawn(async move {
        let policy = policy.into();
        api.set_policy(asked(v1::SetPolicyRequest { policy })).await
    });
    let Some(Message::Command {
        command, caller, ..
    }) = mailbox.recv().await
    else {
        panic!("nothing is asked");
    };
    assert_eq!(command, Command::SetEconomy { policy: expected });
    snapshots.send_replace(Arc::new(having(EconomyView {
        policy: expected,
        ..economical()
    })));
    assert!(caller.send(Answer::Reply(reply)).is_ok());
    call.await.unwrap().map(tonic::Response::into_inner)
}

#[rstest]
#[case(v1::EconomyPolicy::Auto, Policy::Auto)]
#[case(v1::EconomyPolicy::On, Policy::On)]
#[case(v1::EconomyPolicy::Off, Policy::Off)]
#[tokio::test]
async fn who_sets_it_is_told_how_it_stands_then(
    #[case] policy: v1::EconomyPolicy,
    #[case] expected: Policy,
) {
    let done = Reply::Done(Done {
        changed: true,
        message: "done".to_owned(),
    });
    let told = set(policy, expected, done).await.unwrap();
    assert_eq!(told.policy(), policy);
    assert_eq!(told.taken.len(), 4);
}

#[tokio::test]
async fn what_cannot_be_set_is_refused() {
    let refused = Reply::Refused(CommandError::Store("disk full".to_owned()));
    let status = set(v1::EconomyPolicy::On, Policy::On, refused).await;
    assert_eq!(detail(&status.unwrap_err()).code, "store_failed");

    let bench = bench(having(economical()), Records::default());
    let request = v1::SetPolicyRequest { policy: 0 };
    let status = bench.api.set_policy(asked(request)).await;
    let status = status.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        status.message(),
        "the policy of economy mode is one of auto, on and off"
    );
}

async fn plan(
    snapshot: Snapshot,
    what_if: Option<v1::WhatIf>,
) -> Result<v1::EconomyPlan, tonic::Status> {
    let bench = bench(snapshot, Records::default());
    let request = Request::new(v1::PlanEconomyRequest { what_if });
    Ok(bench.api.plan_economy(request).await?.into_inner())
}

#[tokio::test]
async fn a_plan_is_made_under_the_rules_asked_for() {
    let told = plan(measured(), None).await.unwrap();
    assert_eq!(told.rules, Some(wire_rules()));
    assert_eq!(
        (told.ram_percent_after, told.cpu_percent_after),
        (50.0, 10.0)
    );
    let what_if = v1::WhatIf {
        ram_percent: Some(60.0),
        hysteresis_percent: Some(10.0),
        recovery: Some(span(90)),
        ..v1::WhatIf::default()
    };
    let rules = plan(measured(), Some(what_if)).await.unwrap().rules;
    let band = |enter, leave| Some(v1::EconomyBand { enter, leave });
    let expected = v1::EconomyRules {
        ram: band(60.0, 50.0),
        cpu: band(70.0, 60.0),
        recovery: Some(span(90)),
        ..wire_rules()
    };
    assert_eq!(rules, Some(expected));
}

#[tokio::test]
async fn a_box_that_was_not_measured_has_no_plan() {
    let status = plan(having(economical()), None).await.unwrap_err();
    assert_eq!(detail(&status).code, "busy");
    assert!(status.message().contains("not been measured"), "{status}");
    let bench = bench(having(economical()), Records::default());
    let request = Request::new(v1::BacktestRequest::default());
    let status = bench.api.backtest(request).await.unwrap_err();
    assert_eq!(detail(&status).code, "busy");
}

pub(super) const NOTHING: v1::WhatIf = v1::WhatIf {
    ram_percent: None,
    cpu_percent: None,
    pressure_percent: None,
    hysteresis_percent: None,
    hold: None,
    recovery: None,
};

pub(super) fn span(seconds: i64) -> prost_types::Duration {
    prost_types::Duration { seconds, nanos: 0 }
}

#[rstest]
#[case(
    v1::WhatIf { ram_percent: Some(0.0), ..NOTHING },
    "--ram-threshold cannot be 0; give a number above 0 and at most 100"
)]
#[case(
    v1::WhatIf { cpu_percent: Some(100.5), ..NOTHING },
    "--cpu-threshold cannot be 100.5; give a number above 0 and at most 100"
)]
#[case(
    v1::WhatIf { pressure_percent: Some(f64::NAN), ..NOTHING },
    "--pressure-threshold cannot be NaN; give a number above 0 and at most 100"
)]
#[case(
    v1::WhatIf { hysteresis_percent: Some(-1.0), ..NOTHING },
    "--hysteresis cannot be -1; give a number above 0 and at most 100"
)]
#[case(
    v1::WhatIf { hysteresis_percent: Some(70.0), ..NOTHING },
    "--hysteresis is 70, which is not below the threshold of CPU (70); give a number below it"
)]
#[case(
    v1::WhatIf { ram_percent: Some(10.0), hysteresis_percent: Some(12.0), ..NOTHING },
    "--hysteresis is 12, which is not below the threshold of RAM (10); give a number below it"
)]
#[case(
    v1::WhatIf { hold: Some(span(-1)), ..NOTHING },
    "--hold has to be a duration from 0s to 1day"
)]
#[case(
    v1::WhatIf { recovery: Some(span(0)), ..NOTHING },
    "--recovery has to be a duration from 1s to 1day"
)]
#[case(
    v1::WhatIf { recovery: Some(span(86_401)), ..NOTHING },
    "--recovery has to be a duration from 1s to 1day"
)]
#[tokio::test]
async fn rules_that_make_no_sense_name_the_option(
    #[case] what_if: v1::WhatIf,
    #[case] expected: &str,
) {
    let status = plan(measured(), Some(what_if)).await.unwrap_err();
    assert_eq!(
        (status.code(), status.message()),
        (Code::InvalidArgument, expected)
    );
    let status = replay(Records::default(), None, vec![NOTHING, what_if]).await;
    assert_eq!(status.unwrap_err().message(), expected);
}

#[test]
fn a_plan_finds_its_place_on_the_wire() {
    let plan = EconomyPlan {
        rules: EconomyRules::of(80.0, 70.0),
        gauges: economical().gauges,
        verdict: "RAM is short".to_owned(),
        steps: vec![PlannedStep {
            pod: name("qwen"),
            rung: Rung::Reclaim,
            priority: Priority::new(10).unwrap(),
            frees: footprint(1, 2),
            reason: "priority 10".to_owned(),
        }],
        enough: true,
        ram_after: 74.5,
        cpu_after: 20.5,
        restores: vec![name("web")],
    };
    let told = convert::economy_plan(&plan);
    let expected = v1::EconomyPlan {
        rules: Some(wire_rules()),
        gauges: convert::economy(&economical()).gauges,
        verdict: "RAM is short".to_owned(),
        steps: vec![v1::PlannedStep {
            pod: "qwen".to_owned(),
            rung: v1::EconomyRung::Reclaim.into(),
            priority: 10,
            frees_memory_bytes: 1 << 30,
            frees_cpu_millicores: 2000,
            reason: "priority 10".to_owned(),
        }],
        enough: true,
        ram_percent_after: 74.5,
        cpu_percent_after: 20.5,
        restores: vec!["web".to_owned()],
    };
    assert_eq!(told, expected);
}

/// A threshold that is moved keeps its distance as far as there is room, so that what was
/// entered can be left.
#[rstest]
#[case(40.0, 35.0)]
#[case(4.0, 2.0)]
fn a_moved_threshold_can_be_left(#[case] enter: f64, #[case] leave: f64) {
    let what_if = WhatIf {
        ram_percent: Some(enter),
        ..WhatIf::default()
    };
    let rules = what_if.apply(&EconomyRules::of(80.0, 70.0));
    assert_eq!(rules.ram, Band { enter, leave });
}
