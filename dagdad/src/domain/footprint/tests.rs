//! The rule by which runs are expected by.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

const DECLARED: Footprint = Footprint {
    memory: Bytes::mib(1000),
    cpu: Millicpu(500),
};
const CEILING: Footprint = Footprint {
    memory: Bytes::gib(16),
    cpu: Millicpu(4000),
};

fn run(memory_peak: Bytes, cpu_peak: u64) -> PodRun {
    PodRun {
        id: Uuid::nil(),
        pod: "llama".parse().unwrap(),
        started_at: Timestamp::UNIX_EPOCH,
        ready_after: None,
        ended_at: None,
        completed: false,
        memory_peak,
        cpu_peak: Millicpu(cpu_peak),
    }
}

/// Of runs of so many MiB and milli-CPUs each.
fn expected(runs: &[(u64, u64)]) -> Expectation {
    let runs: Vec<PodRun> = runs
        .iter()
        .map(|(mib, cpu)| run(Bytes::mib(*mib), *cpu))
        .collect();
    expect(DECLARED, &runs, CEILING)
}

#[rstest]
#[case::before_the_first(&[], 1000, 500)]
#[case::two_are_too_few(&[(9000, 900), (9000, 900)], 1000, 500)]
#[case::three_do(&[(2000, 900), (1500, 900), (1000, 900)], 2200, 990)]
#[case::the_declared_is_not_undercut(&[(100, 100), (100, 100), (100, 100)], 1000, 500)]
#[case::each_resource_by_itself(&[(100, 1000), (100, 1000), (100, 1000)], 1000, 1100)]
#[case::the_margin_may_reach_beyond_the_declared(&[(950, 480), (1, 1), (1, 1)], 1045, 528)]
#[case::no_more_cpu_than_may_be_given_out(&[(1, 9000), (1, 9000), (1, 9000)], 1000, 4000)]
#[case::the_margin_stops_at_the_ceiling(&[(16000, 1), (16000, 1), (16000, 1)], 16384, 500)]
#[case::what_was_needed_does_not(&[(17000, 1), (1, 1), (1, 1)], 17000, 500)]
#[case::one_never_measured_does_not_count(&[(9000, 900), (9000, 900), (0, 0)], 1000, 500)]
#[case::nor_does_it_among_enough(&[(2000, 600), (2000, 600), (2000, 600), (0, 3000)], 2200, 660)]
fn footprint_of(#[case] runs: &[(u64, u64)], #[case] mib: u64, #[case] cpu: u64) {
    let footprint = Footprint {
        memory: Bytes::mib(mib),
        cpu: Millicpu(cpu),
    };
    assert_eq!(expected(runs).footprint, footprint);
}

#[test]
fn more_cpu_than_may_be_given_out_can_still_be_declared() {
    let declared = Footprint {
        cpu: Millicpu(6000),
        ..DECLARED
    };
    let runs = vec![run(Bytes::mib(1), 9000); 3];
    assert_eq!(expect(declared, &runs, CEILING).footprint.cpu, declared.cpu);
}

#[test]
fn margins_and_mib_are_rounded_up() {
    let declared = Footprint::default();
    let runs = vec![run(Bytes(4096), 5); 3];
    let footprint = expect(declared, &runs, CEILING).footprint;
    assert_eq!(
        (footprint.memory, footprint.cpu),
        (Bytes::mib(1), Millicpu(6))
    );
}

#[test]
fn says_what_was_seen() {
    let mut runs = vec![
        run(Bytes::mib(300), 20),
        run(Bytes::mib(100), 30),
        run(Bytes(0), 0),
    ];
    runs[0].ready_after = Some(Duration::from_secs(3));
    runs[1].ready_after = Some(Duration::from_secs(5));
    runs[2].ready_after = Some(Duration::from_secs(90));
    let seen = expect(DECLARED, &runs, CEILING).observed;
    let expected = Observed {
        runs: 2,
        memory_lowest: Bytes::mib(100),
        memory_highest: Bytes::mib(300),
        cpu_highest: Millicpu(30),
        slowest_ready: Some(Duration::from_secs(5)),
    };
    assert_eq!(seen, Some(expected));
    assert_eq!(expect(DECLARED, &runs[2..], CEILING).observed, None);
}

#[rstest]
#[case(&[(2000, 100), (2000, 100), (2000, 100)], Basis::Observed, Basis::Declared)]
#[case(&[(100, 1000), (100, 1000), (100, 1000)], Basis::Declared, Basis::Observed)]
#[case(&[(2000, 1000)], Basis::Declared, Basis::Declared)]
fn says_which_figure_it_took(
    #[case] runs: &[(u64, u64)],
    #[case] memory: Basis,
    #[case] cpu: Basis,
) {
    let expected = expected(runs);
    assert_eq!(
        (expected.memory_basis(), expected.cpu_basis()),
        (memory, cpu)
    );
}

#[rstest]
#[case::too_few(&[100, 100], Confidence::Low)]
#[case::few(&[100, 100, 100], Confidence::Medium)]
#[case::still_few(&[100, 100, 100, 100, 100], Confidence::Medium)]
#[case::many_that_agree(&[100, 80, 90, 100, 100, 100], Confidence::High)]
#[case::many_that_differ(&[100, 79, 90, 100, 100, 100], Confidence::Medium)]
fn says_how_sure_it_is(#[case] mib: &[u64], #[case] confidence: Confidence) {
    let runs: Vec<(u64, u64)> = mib.iter().map(|mib| (*mib, 0)).collect();
    assert_eq!(expected(&runs).observed.unwrap().confidence(), confidence);
}

proptest! {
    /// Whatever was seen: as much as declared at least, no less than any run needed once there
    /// are enough, and the same in whatever order the runs are told.
    #[test]
    fn whatever_was_seen(
        declared in (any::<u64>(), any::<u64>()),
        (peaks, shuffled) in prop::collection::vec((any::<u64>(), any::<u64>()), 0..12)
            .prop_flat_map(|peaks| (Just(peaks.clone()), Just(peaks).prop_shuffle())),
        ceiling in (any::<u64>(), any::<u64>()),
    ) {
        let of = |peaks: &[(u64, u64)]| {
            let runs: Vec<PodRun> = peaks
                .iter()
                .map(|(memory, cpu)| run(Bytes(*memory), *cpu))
                .collect();
            let declared = Footprint { memory: Bytes(declared.0), cpu: Millicpu(declared.1) };
            let ceiling = Footprint { memory: Bytes(ceiling.0), cpu: Millicpu(ceiling.1) };
            expect(declared, &runs, ceiling)
        };
        let expected = of(&peaks);
        prop_assert_eq!(&expected, &of(&shuffled));
        let Footprint { memory, cpu } = expected.footprint;
        prop_assert!(memory.0 >= declared.0 && cpu.0 >= declared.1);
        prop_assert!(cpu.0 <= declared.1.max(ceiling.1));
        let measured: Vec<u64> = peaks.iter().map(|(memory, _)| *memory).filter(|it| *it > 0).collect();
        if measured.len() >= RUNS_NEEDED {
            prop_assert!(measured.iter().all(|peak| memory.0 >= *peak));
        } else {
            prop_assert_eq!(expected.footprint, expected.declared);
        }
    }
}
