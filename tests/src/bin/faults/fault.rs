//! A fault, and what is noted while it is gone through.

use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use dagda_tests::random::Random;

/// A fault to go through.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// What it is asked for by.
    pub name: &'static str,
    /// What is done.
    pub done: &'static str,
    /// Does it, and notes what holds.
    pub go: fn(&mut Notes),
}

/// What is noted of a fault.
#[derive(Debug, Default)]
pub struct Notes {
    invariants: Vec<Invariant>,
    figures: Vec<Figure>,
}

/// Something that must hold.
#[derive(Debug)]
pub struct Invariant {
    /// In words.
    pub must: String,
    /// Why it did not; `None` where it did.
    pub broken: Option<String>,
}

/// Something that was measured.
#[derive(Debug)]
pub struct Figure {
    /// Of what.
    pub what: String,
    /// With its unit.
    pub value: String,
}

/// A fault that was gone through.
#[derive(Debug)]
pub struct Outcome {
    /// Which.
    pub fault: Fault,
    /// What must hold, in the order in which it was looked at.
    pub invariants: Vec<Invariant>,
    /// What was seen.
    pub figures: Vec<Figure>,
    /// All of it.
    pub took: Duration,
}

impl Fault {
    /// Goes through it; a step that panics ends it.
    pub fn go_through(&self) -> Outcome {
        let begin = Instant::now();
        let mut notes = Notes::default();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (self.go)(&mut notes))) {
            notes.invariants.push(Invariant {
                must: "the fault can be gone through".to_owned(),
                broken: Some(words(panic.as_ref())),
            });
        }
        let Notes {
            invariants,
            figures,
        } = notes;
        Outcome {
            fault: *self,
            invariants,
            figures,
            took: begin.elapsed(),
        }
    }
}

impl Notes {
    /// Looks whether something holds: `look` panics where it does not.
    pub fn must(&mut self, must: &str, look: impl FnOnce()) {
        let broken = catch_unwind(AssertUnwindSafe(look)).err();
        self.invariants.push(Invariant {
            must: must.to_owned(),
            broken: broken.map(|panic| words(panic.as_ref())),
        });
    }

    /// Random choices, and the seed that makes them again.
    pub fn random(&mut self) -> Random {
        let (random, seed) = Random::seeded_by_environment();
        self.saw("DAGDA_TEST_SEED", seed);
        random
    }

    /// Notes what was measured.
    pub fn saw(&mut self, what: &str, value: impl Display) {
        self.figures.push(Figure {
            what: what.to_owned(),
            value: value.to_string(),
        });
    }
}

impl Outcome {
    /// Whether everything did hold.
    pub fn held(&self) -> bool {
        self.invariants.iter().all(|it| it.broken.is_none())
    }
}

/// A duration as people read it.
pub fn milliseconds(duration: Duration) -> String {
    format!("{:.0} ms", duration.as_secs_f64() * 1000.0)
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "it panicked without words".to_owned())
}
