//! Every field finds its place on the wire.

use std::time::Duration;

use dagda_proto::v1;
use rstest::rstest;

use super::super::{convert, status};
use super::{detail, wire};
use crate::domain::admission::{Denial, Earliest, Figures, Remedy, Room, Victim};
use crate::domain::error::CommandError;
use crate::domain::event::{EventKind, EventRecord};
use crate::domain::footprint::{Expectation, Observed};
use crate::domain::name::ObjectName;
use crate::domain::operation::OperationKind;
use crate::domain::pod::{Footprint, Priority};
use crate::domain::quantity::{Bytes, Millicpu};
use crate::engine::example::{at, footprint, name, pod, run_id};

fn room<T>(amount: impl Fn(u64) -> T, from: u64) -> Room<T> {
    Room {
        needed: amount(from),
        available: amount(from + 1),
        ceiling: amount(from + 2),
        capacity: amount(from + 3),
        others: amount(from + 4),
        reserved: amount(from + 5),
    }
}

fn wire_room(from: u64) -> v1::Room {
    v1::Room {
        needed: from,
        available: from + 1,
        ceiling: from + 2,
        capacity: from + 3,
        others: from + 4,
        reserved: from + 5,
    }
}

/// Short of memory and of CPU.
fn denial(remedy: Remedy) -> Box<Denial> {
    Box::new(Denial {
        asked: ObjectName::Pod(name("llama")),
        figures: Figures {
            memory: room(Bytes, 100),
            cpu: room(Millicpu, 200),
            cpu_enforced: true,
        },
        remedy,
        earliest: Some(Earliest {
            at: at(60),
            reason: "qwen is being stopped".to_owned(),
        }),
    })
}

fn victims() -> Vec<Victim> {
    vec![
        Victim {
            pod: name("web"),
            priority: Priority::new(10).unwrap(),
            frees: Footprint {
                memory: Bytes(30),
                cpu: Millicpu(40),
            },
            reason: "optional, priority 10".to_owned(),
        },
        Victim {
            pod: name("qwen"),
            priority: Priority::new(20).unwrap(),
            frees: Footprint {
                memory: Bytes(50),
                cpu: Millicpu(60),
            },
            reason: "optional, priority 20".to_owned(),
        },
    ]
}

#[test]
fn a_denial_tells_the_whole_explanation() {
    let error = CommandError::Insufficient(denial(Remedy::Evict(victims())));
    let told = convert::error_detail(&error);
    assert_eq!(told.code, "insufficient_resources");
    assert_eq!(told.message, error.to_string());
    assert_eq!(
        told.denial,
        Some(v1::Denial {
            spared: Vec::new(),
            kind: "pod".to_owned(),
            name: "llama".to_owned(),
            figures: Some(v1::Figures {
                memory: Some(wire_room(100)),
                cpu: Some(wire_room(200)),
                cpu_enforced: true,
            }),
            short_of: "memory,cpu".to_owned(),
            never_fits: false,
            victims: vec![
                v1::Victim {
                    pod: "web".to_owned(),
                    priority: 10,
                    freed_bytes: 30,
                    freed_cpu_millicores: 40,
                    reason: "optional, priority 10".to_owned(),
                },
                v1::Victim {
                    pod: "qwen".to_owned(),
                    priority: 20,
                    freed_bytes: 50,
                    freed_cpu_millicores: 60,
                    reason: "optional, priority 20".to_owned(),
                },
            ],
            evictable_bytes: 80,
            suggested_command: Some("dagdactl pods start llama --evict".to_owned()),
            earliest_at: Some(wire(60)),
            earliest_reason: Some("qwen is being stopped".to_owned()),
        })
    );
}

#[rstest]
#[case(Remedy::Never, true, 0)]
#[case(Remedy::NotEnough { evictable: footprint(2, 1), spared: Vec::new() }, false, 2 << 30)]
fn a_denial_without_a_way_out_proposes_none(
    #[case] remedy: Remedy,
    #[case] never: bool,
    #[case] evictable: u64,
) {
    let error = CommandError::Insufficient(denial(remedy));
    let told = convert::error_detail(&error).denial.unwrap();
    assert_eq!((told.never_fits, told.evictable_bytes), (never, evictable));
    assert_eq!((told.victims, told.suggested_command), (Vec::new(), None));
}

#[test]
fn a_refused_call_carries_the_explanation_and_other_errors_none() {
    let refused = CommandError::Insufficient(denial(Remedy::Never));
    let refused = status::from_command(&refused);
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    assert!(detail(&refused).denial.unwrap().never_fits);
    let other = status::from_command(&CommandError::ShuttingDown);
    assert_eq!(detail(&other).denial, None);
}

#[test]
fn a_pod_is_shown_with_what_is_expected_of_it_and_held_for_it() {
    let mut pod = pod("llama", footprint(1, 1));
    let managed = pod.managed.as_mut().unwrap();
    managed.expected = Expectation {
        footprint: footprint(3, 1),
        declared: footprint(1, 1),
        observed: Some(Observed {
            runs: 4,
            memory_lowest: Bytes(11),
            memory_highest: Bytes(12),
            cpu_highest: Millicpu(13),
            slowest_ready: Some(Duration::from_millis(1500)),
        }),
    };
    managed.reserved = Some(footprint(2, 3));
    managed.runs = vec![run_id(1), run_id(2)];
    managed.operation = Some(OperationKind::Start);
    let told = convert::pod_detail(&pod, pod.managed.as_ref().unwrap());
    assert_eq!(
        told.expected,
        Some(v1::Expectation {
            memory_bytes: 3 << 30,
            cpu_millicores: 1000,
            declared_memory_bytes: 1 << 30,
            declared_cpu_millicores: 1000,
            memory_basis: "observed".to_owned(),
            cpu_basis: "declared".to_owned(),
            observed: Some(v1::ObservedFootprint {
                runs: 4,
                memory_lowest_peak_bytes: 11,
                memory_highest_peak_bytes: 12,
                cpu_highest_peak_millicores: 13,
                slowest_ready_seconds: Some(1.5),
                confidence: "medium".to_owned(),
            }),
        })
    );
    assert_eq!(told.reserved_memory_bytes, Some(2 << 30));
    assert_eq!(told.reserved_cpu_millicores, Some(3000));
    assert_eq!(told.runs, [run_id(1).to_string(), run_id(2).to_string()]);
    assert_eq!(told.operation.as_deref(), Some("start"));
}

#[test]
fn an_event_names_its_run() {
    let record = EventRecord {
        id: uuid::Uuid::from_u128(5),
        at: at(5),
        kind: EventKind::RunReady,
        object: Some("ai".to_owned()),
        run: Some(run_id(7)),
        message: "ai is ready".to_owned(),
    };
    let told = convert::event(&record);
    assert_eq!(told.run, Some(run_id(7).to_string()));
    assert_eq!(told.kind, "run_ready");
}
