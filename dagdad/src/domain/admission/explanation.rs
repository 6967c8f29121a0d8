//! The sentence that explains a denial.

use std::fmt::{self, Display, Formatter};

use super::{Denial, Earliest, Figures, Remedy, Spared, Victim};
use crate::domain::pod::Footprint;
use crate::domain::quantity::{Bytes, Millicpu};

impl Display for Denial {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self {
            asked,
            figures,
            remedy,
            earliest,
        } = self;
        let shortages = shortages(figures);
        match remedy {
            Remedy::Never => write!(
                f,
                "{asked} can never fit here: {}; ask for less in its manifest, or raise the threshold in dagdad.toml",
                for_ever(&shortages)
            )?,
            Remedy::Evict(victims) => {
                let (they_are, them) = match victims.as_slice() {
                    [_] => ("this pod is", "it"),
                    _ => ("these pods are", "them"),
                };
                let victims = victims.iter().map(|victim| {
                    let Victim {
                        pod,
                        priority: _,
                        frees,
                        reason,
                    } = victim;
                    format!("{pod} ({reason}, frees {})", of_use(*frees, figures))
                });
                write!(
                    f,
                    "{asked} does not fit: {}; it fits once {they_are} stopped: {}",
                    joined(shortages.iter().map(Shortage::for_now)),
                    victims.collect::<Vec<_>>().join(", ")
                )?;
                if let Some(command) = self.suggested_command() {
                    write!(f, "; to stop {them} and start {asked}: {command}")?;
                }
            }
            Remedy::NotEnough { evictable, spared } => {
                let others = Footprint {
                    memory: figures.memory.others,
                    cpu: figures.cpu.others,
                };
                let stops = if *evictable == Footprint::default() {
                    "no pod may be stopped for it".to_owned()
                } else {
                    format!(
                        "to stop every pod that may be stopped would free only {}",
                        of_use(*evictable, figures)
                    )
                };
                write!(
                    f,
                    "{asked} does not fit: {}; {stops}{}; {} are used outside the catalogue",
                    joined(shortages.iter().map(Shortage::for_now)),
                    left_alone(spared),
                    of_use(others, figures)
                )?;
            }
        }
        match earliest {
            Some(Earliest { at, reason }) => {
                write!(f, "; it fits at {at:.0} at the earliest: {reason}")
            }
            None => Ok(()),
        }
    }
}

/// Who is not stopped for it, and why not.
fn left_alone(spared: &[Spared]) -> String {
    let pods: Vec<String> = spared
        .iter()
        .map(|Spared { pod, run_priority }| {
            format!("{pod} (needed by a run of priority {run_priority})")
        })
        .collect();
    if pods.is_empty() {
        String::new()
    } else {
        format!(", and left alone are {}", pods.join(", "))
    }
}

/// One resource of which there is too little, in words.
struct Shortage {
    needed: String,
    available: String,
    ceiling: String,
    /// `80 % of the machine`.
    share: String,
    /// `1.5 GiB too little`.
    gap: String,
    /// What is taken beyond the ceiling already, if anything.
    over: Option<String>,
    /// More is needed than there ever is. Where it is not, more is than with what is held.
    alone: bool,
}

fn shortages(figures: &Figures) -> Vec<Shortage> {
    let Figures { memory, cpu, .. } = figures;
    let gap = figures.gap();
    let mut shortages = Vec::new();
    if gap.memory > Bytes(0) {
        let over = gap.memory.saturating_sub(memory.needed);
        shortages.push(Shortage {
            needed: format!("{} of memory", memory.needed),
            available: memory.available.to_string(),
            ceiling: memory.ceiling.to_string(),
            share: share(memory.ceiling.0, memory.capacity.0),
            gap: format!("{} too little", gap.memory),
            over: (over > Bytes(0)).then(|| over.to_string()),
            alone: memory.needed > memory.ceiling,
        });
    }
    if gap.cpu > Millicpu(0) {
        let over = gap.cpu.saturating_sub(cpu.needed);
        shortages.push(Shortage {
            needed: cores(cpu.needed),
            available: cpu.available.to_string(),
            ceiling: cores(cpu.ceiling),
            share: share(cpu.ceiling.0, cpu.capacity.0),
            gap: format!("{} too few", gap.cpu),
            over: (over > Millicpu(0)).then(|| over.to_string()),
            alone: cpu.needed > cpu.ceiling,
        });
    }
    shortages
}

impl Shortage {
    fn for_now(&self) -> String {
        let Self {
            needed,
            available,
            ceiling,
            share,
            gap,
            over,
            alone: _,
        } = self;
        let why = match over {
            Some(over) => format!(", as {over} more than that are taken already"),
            None => String::new(),
        };
        format!(
            "it needs {needed}, {available} of the {ceiling} that dagdad may give out ({share}) are left: {gap}{why}"
        )
    }

    fn for_ever(&self) -> String {
        let Self {
            needed,
            ceiling,
            share,
            alone,
            ..
        } = self;
        let beside = if *alone {
            ""
        } else {
            " beside what its pods hold already"
        };
        format!("it needs {needed}{beside}, and dagdad may give out {ceiling} at most ({share})")
    }
}

/// Those that are too large by themselves; where none is, all, which are so together with what
/// is held.
fn for_ever(shortages: &[Shortage]) -> String {
    let any_alone = shortages.iter().any(|shortage| shortage.alone);
    let told = shortages
        .iter()
        .filter(|shortage| shortage.alone || !any_alone);
    joined(told.map(Shortage::for_ever))
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join("; ")
}

fn share(part: u64, whole: u64) -> String {
    let percent = Bytes(part).percent_of(Bytes(whole));
    format!("{percent:.0} % of the machine")
}

/// As much of a footprint as there is too little of.
fn of_use(frees: Footprint, figures: &Figures) -> String {
    let gap = figures.gap();
    let memory = (gap.memory > Bytes(0)).then(|| frees.memory.to_string());
    let cpu = (gap.cpu > Millicpu(0)).then(|| cores(frees.cpu));
    memory
        .into_iter()
        .chain(cpu)
        .collect::<Vec<_>>()
        .join(" and ")
}

fn cores(cpu: Millicpu) -> String {
    match cpu {
        Millicpu(1000) => "1 core".to_owned(),
        cpu => format!("{cpu} cores"),
    }
}
