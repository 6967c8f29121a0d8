//! The clock on the wall is set.

use super::*;

const DAY: i64 = 24 * 3600;
const HOUR: i64 = 3600;

impl Bench {
    /// The clock shows so many seconds more from now on, which the engine notices.
    fn set_clock(&mut self, seconds: i64) -> Vec<Effect> {
        self.wait(seconds);
        self.tell(Event::ClockSet(SignedDuration::from_secs(seconds)))
    }

    fn is_being_started(&self, pod: &str) -> bool {
        let name: PodName = pod.parse().unwrap();
        self.state.pods[&name].operation.is_some()
    }
}

#[test]
fn a_start_is_given_its_time_although_the_clock_jumps() {
    for jump in [DAY, -HOUR] {
        let slow = pods::publishing("slow", 8080);
        let mut bench = Bench::with(std::slice::from_ref(&slow));
        let (id, _) = bench.start("slow");
        bench.reach_awaiting(id, &slow);
        bench.runs("slow");
        bench.list();
        bench.set_clock(jump);
        bench.tell(Event::Tick);
        assert!(bench.is_being_started("slow"), "{jump} s: it was given up");
        let timeout = i64::try_from(settings().start_timeout.as_secs()).unwrap();
        bench.wait(timeout);
        bench.tell(Event::Tick);
        assert!(
            !bench.is_being_started("slow"),
            "{jump} s: it is never given up"
        );
    }
}

#[test]
fn what_the_runtime_does_is_looked_at_at_once_after_the_clock_was_set_back() {
    let mut bench = Bench::with(&[pods::always("a")]);
    bench.tell(Event::Runtime(RuntimeSignal::Changed));
    bench.set_clock(-HOUR);
    bench.wait(1);
    assert!(bench.tell(Event::Tick).contains(&Effect::List));
    bench.tell(Event::Listed(Ok(Vec::new())));
    bench.set_clock(-HOUR);
    bench.wait(61);
    let due = bench.tell(Event::Tick);
    assert!(
        due.contains(&Effect::List),
        "gaps are healed each minute: {due:?}"
    );
    assert!(
        due.contains(&Effect::Tidy),
        "history is thinned each minute: {due:?}"
    );
}
