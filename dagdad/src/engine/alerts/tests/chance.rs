//! Episodes as chance has it.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Happening {
    Looks { value: f64, times: u8 },
    Gap(i64),
    Restart,
    Acknowledge,
    PutDown,
}

fn happening() -> impl Strategy<Value = Happening> {
    let value = prop_oneof![Just(60.0), Just(75.0), Just(79.9), 80.0..100.0, 0.0..100.0];
    prop_oneof![
        8 => (value, 1..20u8).prop_map(|(value, times)| Happening::Looks { value, times }),
        1 => prop::sample::select(vec![-3600, -1, 16, 60, 3600]).prop_map(Happening::Gap),
        1 => Just(Happening::Restart),
        1 => Just(Happening::Acknowledge),
        1 => Just(Happening::PutDown),
    ]
}

/// How long, watched all the time, the value has been on one side; `None` where it is not.
#[derive(Debug, Default)]
struct Spans {
    over: Option<u64>,
    below: Option<u64>,
}

impl Spans {
    fn pass(span: &mut Option<u64>, is: bool, seconds: Option<u64>) {
        *span = match (is, *span, seconds) {
            (false, _, _) => None,
            (true, Some(span), Some(seconds)) => Some(span + seconds),
            (true, _, _) => Some(0),
        };
    }
}

proptest! {
    /// A simple account of the same: it is raised exactly when it held for long enough, and
    /// resolved exactly when it was clear for long enough.
    #[test]
    fn one_episode_one_row(happenings in prop::collection::vec(happening(), 1..60)) {
        let mut bench = Bench::new();
        let (mut spans, mut put_down) = (Spans::default(), false);
        for happening in happenings {
            let going_on = bench.unresolved().first().map(|alert| alert.id);
            let (value, times, gap) = match happening {
                Happening::Looks { value, times } => (value, times, None),
                Happening::Gap(gap) => (85.0, 1, Some(gap)),
                Happening::Restart => {
                    bench.restart();
                    (spans, put_down) = (Spans::default(), false);
                    continue;
                }
                Happening::Acknowledge => {
                    if let Some(alert) = going_on.and_then(|id| bench.episodes.acknowledge(id, bench.now)) {
                        bench.write(&alert);
                    }
                    bench.check();
                    continue;
                }
                Happening::PutDown => {
                    if let Some(alert) = going_on.and_then(|id| bench.episodes.put_down(id, true, bench.now)) {
                        bench.write(&alert);
                        put_down = true;
                    }
                    bench.check();
                    continue;
                }
            };
            for _ in 0..times {
                let before = bench.unresolved().first().map(|alert| alert.flapping);
                let passed = gap.is_none().then_some(TICK);
                Spans::pass(&mut spans.over, value >= FIRE, passed);
                Spans::pass(&mut spans.below, value < CLEAR, passed);
                let change = bench.look(value, gap.unwrap_or(5), gap.is_none());
                match before {
                    None => {
                        let due = !put_down && spans.over.is_some_and(|over| over >= 30);
                        prop_assert_eq!(matches!(change, Some(Change::Raised(_))), due);
                        put_down &= value >= CLEAR;
                    }
                    Some(flapping) => {
                        let patience = if flapping { 180 } else { 60 };
                        let due = spans.below.is_some_and(|below| below >= patience);
                        prop_assert_eq!(matches!(change, Some(Change::Resolved(_))), due);
                        if due {
                            spans.over = None;
                        }
                    }
                }
            }
        }
    }
}
