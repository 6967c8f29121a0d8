//! What is missing, and the sentences that say so.

use rstest::rstest;

use super::*;

/// A box of 20 GiB and 8 cores.
fn figures(needed: (u64, u64), others: (u64, u64), reserved: (u64, u64)) -> Figures {
    let available = |ceiling: u64, others: u64, reserved: u64| {
        ceiling.saturating_sub(others.saturating_add(reserved))
    };
    Figures {
        memory: Room {
            needed: Bytes::gib(needed.0),
            available: Bytes::gib(available(16, others.0, reserved.0)),
            ceiling: Bytes::gib(16),
            capacity: Bytes::gib(20),
            others: Bytes::gib(others.0),
            reserved: Bytes::gib(reserved.0),
        },
        cpu: Room {
            needed: Millicpu(needed.1),
            available: Millicpu(available(5600, others.1, reserved.1)),
            ceiling: Millicpu(5600),
            capacity: Millicpu(8000),
            others: Millicpu(others.1),
            reserved: Millicpu(reserved.1),
        },
        cpu_enforced: true,
    }
}

fn denial(asked: &str, figures: Figures, remedy: Remedy) -> Denial {
    Denial {
        asked: ObjectName::Pod(asked.parse().unwrap()),
        figures,
        remedy,
        earliest: None,
    }
}

fn victim(pod: &str, gib: u64, cpu: u64, reason: &str) -> Victim {
    Victim {
        pod: pod.parse().unwrap(),
        priority: Priority::default(),
        frees: Footprint {
            memory: Bytes::gib(gib),
            cpu: Millicpu(cpu),
        },
        reason: reason.to_owned(),
    }
}

#[rstest]
#[case::room_to_spare((4, 1000), (1, 0), (2, 0), (0, 0))]
#[case::to_the_last_byte((13, 5600), (1, 0), (2, 0), (0, 0))]
#[case::memory((14, 1000), (1, 0), (2, 0), (1, 0))]
#[case::cpu((1, 3000), (1, 1000), (2, 2000), (0, 400))]
#[case::both((16, 6000), (1, 0), (0, 0), (1, 400))]
#[case::what_is_taken_beyond_the_ceiling_is_missing_too((1, 1), (12, 6000), (7, 600), (4, 1001))]
#[case::who_needs_nothing_more_misses_nothing((0, 0), (12, 6000), (7, 600), (0, 0))]
fn what_is_missing(
    #[case] needed: (u64, u64),
    #[case] others: (u64, u64),
    #[case] reserved: (u64, u64),
    #[case] gap: (u64, u64),
) {
    let figures = figures(needed, others, reserved);
    let expected = Footprint {
        memory: Bytes::gib(gap.0),
        cpu: Millicpu(gap.1),
    };
    assert_eq!(figures.gap(), expected);
    let denial = denial("llama", figures, Remedy::Never);
    match gap {
        (0, 0) => {}
        (_, 0) => assert_eq!(denial.short_of(), "memory"),
        (0, _) => assert_eq!(denial.short_of(), "cpu"),
        (_, _) => assert_eq!(denial.short_of(), "memory,cpu"),
    }
}

#[test]
fn cpu_is_only_missing_where_it_is_enforced() {
    let figures = Figures {
        cpu_enforced: false,
        ..figures((1, 9000), (0, 0), (0, 0))
    };
    assert_eq!(figures.gap(), Footprint::default());
}

#[test]
fn a_sum_that_no_number_holds_is_too_much() {
    let figures = figures((u64::MAX >> 30, 0), (u64::MAX >> 30, 0), (0, 0));
    assert!(figures.gap().memory > Bytes::gib(1 << 33));
}

#[test]
fn says_whom_to_stop() {
    let one = Remedy::Evict(vec![victim(
        "qwen",
        4,
        500,
        "optional, priority 10, idle for 2h",
    )]);
    let denial = denial("llama", figures((6, 1000), (4, 0), (8, 0)), one);
    assert_eq!(
        denial.to_string(),
        "llama does not fit: it needs 6.0 GiB of memory, 4.0 GiB of the 16.0 GiB that dagdad may \
         give out (80 % of the machine) are left: 2.0 GiB too little; it fits once this pod is \
         stopped: qwen (optional, priority 10, idle for 2h, frees 4.0 GiB); to stop it and start \
         llama: dagdactl pods start llama --evict"
    );
}

#[test]
fn says_whom_to_stop_in_their_order_for_a_workflow() {
    let two = Remedy::Evict(vec![
        victim("adminer", 1, 1000, "optional, priority 10"),
        victim("qwen", 4, 500, "optional, priority 30"),
    ]);
    let denial = Denial {
        asked: ObjectName::Workflow("ai".parse().unwrap()),
        ..denial("llama", figures((6, 3000), (7, 600), (8, 3000)), two)
    };
    assert_eq!(
        denial.to_string(),
        "ai does not fit: it needs 6.0 GiB of memory, 1.0 GiB of the 16.0 GiB that dagdad may \
         give out (80 % of the machine) are left: 5.0 GiB too little; it needs 3 cores, 2 of the \
         5.6 cores that dagdad may give out (70 % of the machine) are left: 1 too few; it fits \
         once these pods are stopped: adminer (optional, priority 10, frees 1.0 GiB and 1 core), \
         qwen (optional, priority 30, frees 4.0 GiB and 0.5 cores); to stop them and start ai: \
         dagdactl workflow run ai --evict"
    );
}

#[test]
fn says_that_nothing_helps() {
    let remedy = Remedy::NotEnough {
        evictable: Footprint::default(),
        spared: vec![Spared {
            pod: "qwen".parse().unwrap(),
            run_priority: Priority::new(70).unwrap(),
        }],
    };
    let denial = denial("llama", figures((1, 0), (12, 0), (7, 0)), remedy);
    assert_eq!(
        denial.to_string(),
        "llama does not fit: it needs 1.0 GiB of memory, 0 B of the 16.0 GiB that dagdad may give \
         out (80 % of the machine) are left: 4.0 GiB too little, as 3.0 GiB more than that are \
         taken already; no pod may be stopped for it, and left alone are qwen (needed by a run of \
         priority 70); 12.0 GiB are used outside the catalogue"
    );
    assert_eq!(denial.suggested_command(), None);
}

#[test]
fn says_by_how_little_stopping_would_help() {
    let remedy = Remedy::NotEnough {
        evictable: Footprint {
            memory: Bytes::gib(9),
            cpu: Millicpu(250),
        },
        spared: Vec::new(),
    };
    let denial = denial("llama", figures((1, 1000), (1, 3500), (9, 2000)), remedy);
    assert_eq!(
        denial.to_string(),
        "llama does not fit: it needs 1 core, 0.1 of the 5.6 cores that dagdad may give out (70 % \
         of the machine) are left: 0.9 too few; to stop every pod that may be stopped would free \
         only 0.25 cores; 3.5 cores are used outside the catalogue"
    );
}

#[test]
fn says_that_it_can_never_fit() {
    let denial = denial(
        "llama",
        figures((40, 3000), (1, 0), (0, 3000)),
        Remedy::Never,
    );
    assert_eq!(
        denial.to_string(),
        "llama can never fit here: it needs 40.0 GiB of memory, and dagdad may give out 16.0 GiB \
         at most (80 % of the machine); ask for less in its manifest, or raise the threshold in \
         dagdad.toml"
    );
}

#[test]
fn says_that_it_can_never_fit_beside_what_it_holds() {
    let denial = denial("ai", figures((10, 0), (1, 0), (9, 0)), Remedy::Never);
    assert_eq!(
        denial.to_string(),
        "ai can never fit here: it needs 10.0 GiB of memory beside what its pods hold already, \
         and dagdad may give out 16.0 GiB at most (80 % of the machine); ask for less in its \
         manifest, or raise the threshold in dagdad.toml"
    );
}

#[test]
fn says_when_it_fits() {
    let remedy = Remedy::NotEnough {
        evictable: Footprint::default(),
        spared: Vec::new(),
    };
    let denial = Denial {
        earliest: Some(Earliest {
            at: "2026-11-21T20:15:04.25Z".parse().unwrap(),
            reason: "qwen is being stopped and is down by then".to_owned(),
        }),
        ..denial("llama", figures((6, 0), (4, 0), (8, 0)), remedy)
    };
    assert!(
        denial.to_string().ends_with(
            "; it fits at 2026-11-21T20:15:04Z at the earliest: qwen is being stopped and is down by then"
        ),
        "{denial}"
    );
}
