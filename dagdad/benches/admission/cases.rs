//! Starts that do not fit beside pods that may be stopped for them: what is usual, and what is
//! hard. `make bench` measures the same ones beside their target.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use dagdad::domain::name::ObjectName;
use dagdad::domain::pod::{Footprint, Priority};
use dagdad::domain::quantity::{Bytes, Millicpu};
use dagdad::engine::admission::{Asked, Budget, Evictable, Holder, Limit};
use jiff::Timestamp;

/// A decision to be made.
pub struct Case {
    /// How many pods could be stopped.
    pub pods: usize,
    /// What they are like.
    pub kind: Kind,
    /// Everything to decide on.
    pub budget: Budget,
    /// What does not fit.
    pub asked: Asked,
}

/// What the pods are like.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Sizes as people declare them, some priorities, room for a few pods missing.
    Usual,
    /// Sizes as they are observed, all of one priority, room for a few pods missing: the most
    /// sets that are alike but for a few pages.
    Odd,
    /// As before, and room for a third of the pods missing.
    OddAndMany,
    /// Sizes about 10 GiB, all of one priority, room for nearly all pods missing.
    Close,
    /// Sizes as they are observed, all of one priority; CPU is enforced and short as well.
    BothShort,
}

impl Kind {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::Usual,
        Self::Odd,
        Self::OddAndMany,
        Self::Close,
        Self::BothShort,
    ];
}

impl Display for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Usual => "usual",
            Kind::Odd => "odd sizes",
            Kind::OddAndMany => "odd sizes, many go",
            Kind::Close => "close sizes",
            Kind::BothShort => "both short",
        };
        write!(f, "{:3} pods, {kind}", self.pods)
    }
}

/// Every kind with so many pods.
pub fn cases(pods: usize) -> Vec<Case> {
    Kind::ALL.map(|kind| case(pods, kind)).into()
}

fn case(pods: usize, kind: Kind) -> Case {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let holders: BTreeMap<_, _> = (0..pods)
        .map(|number| {
            let (memory, priority) = match kind {
                Kind::Usual => (
                    Bytes::mib(64 * (1 + random.below(64))).0,
                    10 * random.below(10),
                ),
                Kind::Odd | Kind::OddAndMany | Kind::BothShort => (
                    Bytes::mib(64).0 + random.below(Bytes::gib(4).0),
                    u64::from(Priority::default().get()),
                ),
                Kind::Close => (
                    Bytes::gib(9).0 + random.below(Bytes::gib(2).0),
                    u64::from(Priority::default().get()),
                ),
            };
            let holder = Holder {
                need: Footprint {
                    memory: Bytes(memory),
                    cpu: Millicpu(1 + random.below(4000)),
                },
                release: None,
                evictable: Some(Evictable {
                    priority: u8::try_from(priority).ok().and_then(Priority::new).unwrap(),
                    run_priority: None,
                    busy_at: now() - Duration::from_secs(random.below(100_000)),
                }),
            };
            (format!("pod-{number}").parse().unwrap(), holder)
        })
        .collect();
    let memory: Bytes = holders.values().map(|holder| holder.need.memory).sum();
    let cpu: Millicpu = holders.values().map(|holder| holder.need.cpu).sum();
    let missing = |held: u64| match kind {
        Kind::Usual | Kind::Odd => held / 33,
        Kind::OddAndMany | Kind::BothShort => held / 3,
        Kind::Close => held - held / 33,
    };
    let needed = Footprint {
        memory: Bytes(missing(memory.0)),
        cpu: Millicpu(missing(cpu.0)),
    };
    let name = "asked".parse().unwrap();
    Case {
        pods,
        kind,
        budget: Budget {
            at: now(),
            memory: Limit {
                capacity: memory,
                ceiling: memory,
                others: Bytes(0),
            },
            cpu: Limit {
                capacity: cpu,
                ceiling: cpu,
                others: Millicpu(0),
            },
            cpu_enforced: matches!(kind, Kind::BothShort),
            holders,
            claims: BTreeMap::new(),
        },
        asked: Asked {
            object: ObjectName::Pod("asked".parse().unwrap()),
            priority: Priority::default(),
            pods: vec![(name, needed)],
        },
    }
}

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + Duration::from_hours(500_000)
}

/// Xorshift: the same cases each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        let Self(state) = self;
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state % bound
    }
}
