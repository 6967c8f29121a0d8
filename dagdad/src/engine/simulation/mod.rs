//! The engine's life under a model of the world: a seeded runtime, store and people with all
//! their faults, in virtual time, from event to event.
//!
//! `DAGDA_SEEDS=10000 cargo test -p dagdad simulation` runs more seeds than usual,
//! `DAGDA_SEED=17` one of them with its last events printed. A seed that breaks an invariant
//! prints itself and the same.

mod calls;
mod catalogue;
mod clock;
mod daemon;
mod disk;
mod host;
mod invariants;
mod load;
mod people;
mod podman;
mod random;

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use self::calls::Call;
use self::clock::Clock;
use self::daemon::Daemon;
use self::disk::Disk;
use self::host::Host;
use self::invariants::{Ledger, Readings, Sightings};
use self::load::Load;
use self::people::mirror_status;
use self::podman::{Inside, Mood, Podman};
use self::random::Random;
use super::effect::Effect;
use super::event::{EffectResult, Event};
use crate::domain::alert::Rules;
use crate::domain::catalogue::CataloguePod;
use crate::domain::economy::{EconomyRules, Policy};
use crate::domain::name::PodName;
use crate::domain::workflow::CatalogueWorkflow;
use crate::ports::MirrorLink;

/// Seeds run by an ordinary `cargo test`; `make bench` runs ten times as many.
const SEEDS: u64 = 1_000;
/// How long faults go on.
const TROUBLE: Duration = Duration::from_mins(40);
/// How long people sleep, halfway through. What is faulty stays so.
const NIGHT: Duration = Duration::from_hours(1);
/// How long the world is left in peace before it must have settled.
const PEACE: Duration = Duration::from_mins(20);
/// How many of the last events are shown.
const TAIL: usize = 150;

pub(super) struct World {
    /// The time that passes, whatever the clock shows.
    now: Timestamp,
    clock: Clock,
    random: Random,
    /// Boxed, since they are large and are moved around in it.
    agenda: BTreeMap<(Timestamp, u64), Box<Happening>>,
    entries: u64,
    daemon: Option<Daemon>,
    incarnations: u64,
    podman: Podman,
    host: Host,
    load: Load,
    /// The way to MariaDB.
    mirror: MirrorLink,
    disk: Disk,
    ledger: Ledger,
    sightings: Sightings,
    rules: Rules,
    readings: Readings,
    economy_rules: EconomyRules,
    /// Every manifest ever applied, by digest.
    manifests: BTreeMap<String, CataloguePod>,
    workflow_manifests: BTreeMap<String, CatalogueWorkflow>,
    /// Pods that people stopped and nobody started since, and with what.
    stopped_by_people: BTreeMap<PodName, Tool>,
    tickets: u64,
    calls: u64,
    /// People sleep until then.
    night_ends: Timestamp,
    /// No more faults.
    calm: bool,
    climate: Climate,
    /// A lack of CPU refuses a start.
    cpu_enforced: bool,
    /// When the daemon that lives first knew what runs.
    settled_at: Timestamp,
    trace: Option<VecDeque<String>>,
}

/// How hard life is, for as long as a world is not calm.
#[derive(Debug, Clone, Copy)]
struct Climate {
    /// Nobody meddles, nothing is lost or late beyond reason, no pod fails by itself: what goes
    /// wrong here is the engine's own doing.
    gentle: bool,
    /// The daemon is killed now and then.
    mortal: bool,
    others: Others,
    /// The clock is set, and the machine sleeps.
    restless: bool,
    /// What economy mode may do; people set it only where that is anything.
    policy: Policy,
}

/// What is used by all that is no pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Others {
    /// The same all the time; pods stay within their footprints, too, and nobody forces
    /// anything: the budget is kept at any moment.
    Steady,
    /// Now a little more, now a little less.
    Drifting,
    /// Now nothing to speak of, now nearly all there is.
    Busy,
}

impl Climate {
    const fn of(seed: u64) -> Self {
        Self {
            gentle: seed.is_multiple_of(2),
            mortal: !seed.is_multiple_of(4),
            others: match seed % 8 {
                0 | 2 => Others::Steady,
                1 | 3 | 4 => Others::Busy,
                _ => Others::Drifting,
            },
            restless: seed % 6 == 3,
            policy: if (seed / 8).is_multiple_of(2) {
                Policy::Auto
            } else {
                Policy::Off
            },
        }
    }

    fn steady(self) -> bool {
        self.others == Others::Steady
    }
}

/// What people stop pods with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tool {
    Dagda,
    Podman,
}

#[derive(Debug)]
enum Happening {
    Tell(u64, Event),
    Perform(u64, Vec<Effect>),
    Reply(Call, EffectResult),
    Probe {
        incarnation: u64,
        pod: PodName,
        watch: u64,
        check: usize,
    },
    Measure(u64),
    /// The daemon has tried to reach MariaDB.
    Reached(u64),
    Commit(u64),
    RetryKept(u64),
    Podman(Inside),
    Somebody,
    Birth,
}

/// When what is an alert: as it is by default, or sooner, so that more is told.
fn some_rules(random: &mut Random) -> Rules {
    let mut rules = Rules::default();
    if random.chance(30) {
        return rules;
    }
    let paces = [
        &mut rules.cpu_high.pace,
        &mut rules.ram_high.pace,
        &mut rules.disk_high.pace,
        &mut rules.pressure_high.pace,
        &mut rules.store_down,
    ];
    for pace in paces {
        pace.hold = random.millis(0, 90_000);
        pace.clear_hold = random.millis(0, 120_000);
    }
    rules
}

/// What economy mode goes by: as it is by default, or brisker, so that more is done.
fn some_economy_rules(random: &mut Random) -> EconomyRules {
    let rules = EconomyRules::of(80.0, 70.0);
    if random.chance(30) {
        return rules;
    }
    EconomyRules {
        hold: random.millis(0, 40_000),
        recovery: random.millis(5_000, 60_000),
        grace: random.millis(0, 60_000),
        ..rules
    }
}

#[test]
fn no_seed_breaks_an_invariant() {
    if let Ok(seed) = std::env::var("DAGDA_SEED") {
        return World::live(seed.parse().expect("DAGDA_SEED is a number"), true);
    }
    let seeds = std::env::var("DAGDA_SEEDS").map_or(SEEDS, |seeds| {
        seeds.parse().expect("DAGDA_SEEDS is a number")
    });
    let began = Instant::now();
    let broken = Mutex::new(Vec::new());
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        return;
                    }
                    if std::panic::catch_unwind(|| World::live(seed, false)).is_err() {
                        broken.lock().expect("no one panics with it").push(seed);
                    }
                }
            });
        }
    });
    let days = (TROUBLE + NIGHT + PEACE).as_secs_f64() * seeds as f64 / 86_400.0;
    let took = began.elapsed().as_secs_f64();
    eprintln!(
        "{seeds} seeds: {days:.1} simulated days in {took:.1} s, {:.1} a second",
        days / took
    );
    let broken = broken.into_inner().expect("no one panicked with it");
    if let Some(&seed) = broken.iter().min() {
        eprintln!("{} of {seeds} seeds are broken: {broken:?}", broken.len());
        // Once more, the same, to show how it came about.
        World::live(seed, true);
    }
}

impl World {
    fn live(seed: u64, traced: bool) {
        let mut random = Random::seeded(seed);
        let now = Timestamp::from_second(1_800_000_000).expect("a time");
        let rules = some_rules(&mut random);
        let economy_rules = some_economy_rules(&mut random);
        let mut world = Self {
            now,
            clock: Clock::default(),
            load: Load::some(&rules, now, &mut random),
            mirror: MirrorLink::Connected,
            sightings: Sightings::default(),
            rules,
            readings: Readings::default(),
            economy_rules,
            settled_at: now,
            host: Host::small(&mut random),
            cpu_enforced: random.chance(30),
            random,
            agenda: BTreeMap::new(),
            entries: 0,
            daemon: None,
            incarnations: 0,
            podman: Podman::default(),
            disk: Disk::default(),
            ledger: Ledger::default(),
            manifests: BTreeMap::new(),
            workflow_manifests: BTreeMap::new(),
            stopped_by_people: BTreeMap::new(),
            tickets: 0,
            calls: 0,
            night_ends: now,
            calm: false,
            climate: Climate::of(seed),
            trace: traced.then(VecDeque::new),
        };
        if traced {
            eprintln!("seed {seed}");
        }
        world.be_born();
        world.apply_all();
        world.after(Duration::ZERO, Happening::Somebody);
        world.run_for(TROUBLE / 2);
        world.night_ends = world.now + NIGHT;
        world.run_for(NIGHT + TROUBLE / 2);
        world.calm = true;
        world.clock.slow = false;
        world.disk.full = false;
        world.settle_load();
        world.turn_mirror(MirrorLink::Connected);
        world.change_mood(Mood::Well);
        world.run_for(PEACE);
        world.check_quiescence();
    }

    fn run_for(&mut self, time: Duration) {
        let end = self.now.checked_add(time).expect("a time");
        loop {
            let next = self.agenda.first_key_value().map(|(key, _)| *key);
            let tick = self.daemon.as_ref().and_then(|daemon| daemon.tick);
            let Some(due) = next
                .into_iter()
                .chain(tick)
                .min()
                .filter(|due| due.0 <= end)
            else {
                break;
            };
            self.now = due.0;
            if Some(due) == tick {
                self.tell(Event::Tick);
            } else if let Some((_, happening)) = self.agenda.pop_first() {
                self.happen(*happening);
            }
        }
        self.now = end;
    }

    fn after(&mut self, delay: Duration, happening: Happening) {
        let turn = self.turn(delay);
        self.agenda.insert(turn, Box::new(happening));
    }

    /// When something is due, and in which order with all that is due then.
    fn turn(&mut self, delay: Duration) -> (Timestamp, u64) {
        self.entries += 1;
        (self.now.checked_add(delay).expect("a time"), self.entries)
    }

    fn happen(&mut self, happening: Happening) {
        let living = self.daemon.as_ref().map_or(0, |daemon| daemon.incarnation);
        match happening {
            Happening::Tell(incarnation, event) if incarnation == living => self.tell(event),
            Happening::Perform(incarnation, effects) if incarnation == living => {
                self.note_effects(&effects);
                self.perform(effects);
            }
            Happening::Reply(call, result) if call.incarnation == living => {
                let Some(daemon) = &mut self.daemon else {
                    return;
                };
                let current = daemon
                    .calls
                    .get(&call.operation)
                    .is_some_and(|(_, number)| *number == call.number);
                if current {
                    daemon.calls.remove(&call.operation);
                    self.tell(Event::Result {
                        pod: call.pod,
                        operation: call.operation,
                        result,
                    });
                }
            }
            Happening::Probe {
                incarnation,
                pod,
                watch,
                check,
            } if incarnation == living => {
                let result = self.probe(&pod);
                self.ledger.probed(watch, check);
                self.tell(Event::Probed {
                    pod,
                    watch,
                    check,
                    result,
                });
            }
            Happening::Measure(incarnation) if incarnation == living => {
                self.measure(incarnation);
            }
            Happening::Reached(incarnation) if incarnation == living => {
                let status = mirror_status(self.mirror.clone());
                self.tell(Event::Mirror(status));
            }
            Happening::Commit(incarnation) if incarnation == living => self.commit_done(),
            Happening::RetryKept(incarnation) if incarnation == living => self.retry_kept(),
            Happening::Podman(inside) => {
                self.note(|| format!("podman {inside:?}"));
                self.inside(inside);
            }
            Happening::Somebody => self.somebody(),
            Happening::Birth => self.be_born(),
            // The daemon they were for is dead.
            Happening::Tell(..)
            | Happening::Perform(..)
            | Happening::Reply(..)
            | Happening::Probe { .. }
            | Happening::Measure(_)
            | Happening::Reached(_)
            | Happening::Commit(_)
            | Happening::RetryKept(_) => {}
        }
    }

    fn faulty(&self) -> bool {
        !self.calm && !self.climate.gentle
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push_back(format!("{} {}", self.now.strftime("%H:%M:%S%.3f"), line()));
            while trace.len() > TAIL {
                trace.pop_front();
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for line in self.trace.iter().flatten() {
                eprintln!("{line}");
            }
        }
    }
}
