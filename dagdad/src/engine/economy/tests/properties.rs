//! What holds whatever the load and the pods are.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
struct Load {
    pods: Vec<(PodSituation, bool)>,
    /// Use of RAM and CPU by others, pressure, whether nobody looked meanwhile, and for how many
    /// samples that goes on.
    curve: Vec<(u64, f64, f64, bool, u8)>,
}

fn situation() -> impl Strategy<Value = PodSituation> {
    (
        0..=100_u8,
        0..12_u64,
        0..4_u64,
        any::<bool>(),
        prop_oneof![
            3 => Just(Stance::Open),
            1 => Just(Stance::Protected),
        ],
        prop::option::of(600..100_000_u64),
    )
        .prop_map(
            |(priority, gib, cores, may_freeze, stance, idle)| PodSituation {
                may_freeze,
                stance,
                idle: idle.map(Duration::from_secs),
                ..pod(priority, gib, cores)
            },
        )
}

fn load() -> impl Strategy<Value = Load> {
    let pods = prop::collection::vec((situation(), any::<bool>()), 0..8);
    let stretch = (
        0..90_u64,
        0.0..90.0_f64,
        prop_oneof![Just(0.0), 0.0..60.0_f64],
        prop::bool::weighted(0.05),
        1..60_u8,
    );
    let curve = prop::collection::vec(stretch, 1..12);
    (pods, curve).prop_map(|(pods, curve)| Load { pods, curve })
}

fn set(it: &mut Box, ram: u64, cpu: f64, pressure: f64) {
    let used = it.situation.pods.values().map(|pod| pod.used);
    let (memory, cores) = used.fold((0, 0), |(memory, cores), used| {
        (memory + used.memory.0, cores + used.cpu.0)
    });
    let reading = it.reading();
    reading.ram_used = Bytes(Bytes::gib(ram).0 + memory).min(Bytes::gib(100));
    reading.cpu_percent = (cpu + cores as f64 / 100.0).min(100.0);
    reading.pressure = Some(pressure);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_is_taken_or_given_out_of_turn(load in load()) {
        let pods: Vec<(String, PodSituation)> = load
            .pods
            .iter()
            .enumerate()
            .map(|(index, (pod, _))| (format!("p{index}"), pod.clone()))
            .collect();
        let pods: Vec<(&str, PodSituation)> =
            pods.iter().map(|(name, pod)| (name.as_str(), pod.clone())).collect();
        let mut it = Box::new(&pods, 0, 0.0);
        let mut room_since: Option<Timestamp> = None;
        let mut given_at: Option<Timestamp> = None;
        let mut short_since: BTreeMap<Trigger, Timestamp> = BTreeMap::new();
        let mut started: BTreeMap<PodName, Timestamp> = BTreeMap::new();
        for (ram, cpu, pressure, stalled, samples) in load.curve {
            for sample in 0..samples {
                set(&mut it, ram, cpu, pressure);
                let passed = (!stalled || sample > 0).then_some(SAMPLE);
                let (_, act) = it.sample_after(passed);
                let (now, reading) = (it.now, it.situation.reading);
                for trigger in Trigger::ALL {
                    let short = reading.reaches(trigger, it.rules.band(trigger).enter);
                    match (short, passed) {
                        (false, _) => {
                            short_since.remove(&trigger);
                        }
                        (true, None) => {
                            short_since.insert(trigger, now);
                        }
                        (true, Some(_)) => {
                            short_since.entry(trigger).or_insert(now);
                        }
                    }
                }
                let room = reading.has_room(|trigger| it.rules.band(trigger));
                room_since = match (room, passed) {
                    (false, _) => None,
                    (true, None) => Some(now),
                    (true, Some(_)) => room_since.or(Some(now)),
                };
                let Some(act) = act else { continue };
                match &act {
                    Act::Take(step) => {
                        let pod = &it.situation.pods[&step.pod];
                        prop_assert!(it.active());
                        prop_assert_eq!(pod.stance, Stance::Open);
                        let since = short_since.get(&step.trigger);
                        let since = since.expect("it is short");
                        prop_assert!(now.duration_since(*since).unsigned_abs() >= it.rules.hold);
                        if let Some(at) = started.get(&step.pod) {
                            let age = now.duration_since(*at).unsigned_abs();
                            prop_assert!(age >= it.rules.grace, "{age:?} old");
                        }
                        prop_assert!(step.frees != Footprint::default());
                        prop_assert!(step.rung != Rung::Freeze || pod.may_freeze);
                        prop_assert!(!it.economy.has_shed(&step.pod));
                        if (step.rung, step.trigger) == (Rung::Stop, Trigger::Ram) {
                            let gap = reading.ram_beyond(it.rules.ram.enter);
                            let better = it.situation.pods.iter().find(|(name, other)| {
                                **name != step.pod
                                    && other.priority < step.priority
                                    && ladder::may_be_taken_from(other, &it.rules, now)
                                    && other.used.memory >= gap
                                    && !it.economy.tried.contains(&((*name).clone(), Rung::Stop))
                            });
                            prop_assert!(better.is_none(), "{better:?} instead of {step:?}");
                        }
                    }
                    Act::Give(taken) => {
                        prop_assert!(!it.active());
                        let recovery = it.rules.recovery;
                        let since = room_since.expect("there is room");
                        prop_assert!(now.duration_since(since).unsigned_abs() >= recovery);
                        if let Some(at) = given_at {
                            prop_assert!(now.duration_since(at).unsigned_abs() >= recovery);
                        }
                        prop_assert!(now.duration_since(taken.at).unsigned_abs() >= recovery);
                        given_at = Some(now);
                        if taken.taking.rung() == Rung::Stop {
                            started.insert(taken.pod.clone(), now);
                        }
                    }
                }
                it.carry_out(&act);
            }
        }
        // Once there is room for all, everything comes back that may.
        let all: u64 = pods.iter().map(|(_, pod)| pod.used.memory.0 >> 30).sum();
        let cores: u64 = pods.iter().map(|(_, pod)| pod.used.cpu.0).sum();
        if all >= 75 || cores >= 6_500 {
            return Ok(());
        }
        for _ in 0..2000 {
            set(&mut it, 0, 0.0, 0.0);
            if let (_, Some(act)) = it.sample() {
                prop_assert!(given_back(Some(&act)).is_some(), "{act:?}");
                it.carry_out(&act);
            }
        }
        let left = it.economy.record().taken.iter();
        let left: Vec<_> = left
            .filter(|taken| taken.taking != Taking::Shed { for_good: true })
            .collect();
        prop_assert!(left.is_empty(), "{left:?}");
        prop_assert!(!it.active());
    }
}
