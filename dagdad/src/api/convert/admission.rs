//! Whether a start fits, in numbers, and what a pod is expected to use.

use dagda_proto::v1;

use super::time::timestamp;
use crate::domain::admission::{
    Admission, Denial, Earliest, Figures, Remedy, Room, Spared, Victim,
};
use crate::domain::footprint::{Expectation, Observed};
use crate::domain::pod::Footprint;
use crate::domain::quantity::{Bytes, Millicpu};

pub fn from_admission(mode: i32) -> Admission {
    match v1::AdmissionMode::try_from(mode) {
        Ok(v1::AdmissionMode::Evict) => Admission::Evict,
        Ok(v1::AdmissionMode::Force) => Admission::Force,
        Ok(v1::AdmissionMode::Fit | v1::AdmissionMode::Unspecified) | Err(_) => Admission::Fit,
    }
}

pub fn admission_mode(admission: Admission) -> v1::AdmissionMode {
    match admission {
        Admission::Fit => v1::AdmissionMode::Fit,
        Admission::Evict => v1::AdmissionMode::Evict,
        Admission::Force => v1::AdmissionMode::Force,
    }
}

pub fn figures(figures: &Figures) -> v1::Figures {
    let Figures {
        memory,
        cpu,
        cpu_enforced,
    } = figures;
    v1::Figures {
        memory: Some(room(memory, |Bytes(bytes)| *bytes)),
        cpu: Some(room(cpu, |Millicpu(millicores)| *millicores)),
        cpu_enforced: *cpu_enforced,
    }
}

fn room<T>(room: &Room<T>, amount: impl Fn(&T) -> u64) -> v1::Room {
    let Room {
        needed,
        available,
        ceiling,
        capacity,
        others,
        reserved,
    } = room;
    v1::Room {
        needed: amount(needed),
        available: amount(available),
        ceiling: amount(ceiling),
        capacity: amount(capacity),
        others: amount(others),
        reserved: amount(reserved),
    }
}

pub fn denial(denial: &Denial) -> v1::Denial {
    let Denial {
        asked,
        figures,
        remedy,
        earliest,
    } = denial;
    let (never_fits, victims, evictable, spared) = match remedy {
        Remedy::Never => (true, Vec::new(), Bytes(0), Vec::new()),
        Remedy::Evict(victims) => (
            false,
            victims.iter().map(victim).collect(),
            victims.iter().map(|victim| victim.frees.memory).sum(),
            Vec::new(),
        ),
        Remedy::NotEnough { evictable, spared } => (
            false,
            Vec::new(),
            evictable.memory,
            spared.iter().map(self::spared).collect(),
        ),
    };
    let (earliest_at, earliest_reason) = self::earliest(earliest.as_ref());
    v1::Denial {
        kind: asked.kind().to_owned(),
        name: asked.to_string(),
        figures: Some(self::figures(figures)),
        short_of: denial.short_of().to_owned(),
        never_fits,
        victims,
        evictable_bytes: evictable.0,
        suggested_command: denial.suggested_command(),
        earliest_at,
        earliest_reason,
        spared,
    }
}

fn spared(spared: &Spared) -> v1::Spared {
    let Spared { pod, run_priority } = spared;
    v1::Spared {
        pod: pod.to_string(),
        run_priority: u32::from(run_priority.get()),
    }
}

fn victim(victim: &Victim) -> v1::Victim {
    let Victim {
        pod,
        priority,
        frees: Footprint { memory, cpu },
        reason,
    } = victim;
    v1::Victim {
        pod: pod.to_string(),
        priority: u32::from(priority.get()),
        freed_bytes: memory.0,
        freed_cpu_millicores: cpu.0,
        reason: reason.clone(),
    }
}

/// The two fields by which messages tell of the earliest time.
pub fn earliest(earliest: Option<&Earliest>) -> (Option<prost_types::Timestamp>, Option<String>) {
    match earliest {
        Some(Earliest { at, reason }) => (Some(timestamp(*at)), Some(reason.clone())),
        None => (None, None),
    }
}

pub fn expectation(expected: &Expectation) -> v1::Expectation {
    let Expectation {
        footprint: Footprint { memory, cpu },
        declared,
        observed,
    } = expected;
    v1::Expectation {
        memory_bytes: memory.0,
        cpu_millicores: cpu.0,
        declared_memory_bytes: declared.memory.0,
        declared_cpu_millicores: declared.cpu.0,
        memory_basis: expected.memory_basis().as_str().to_owned(),
        cpu_basis: expected.cpu_basis().as_str().to_owned(),
        observed: observed.as_ref().map(self::observed),
    }
}

fn observed(observed: &Observed) -> v1::ObservedFootprint {
    let Observed {
        runs,
        memory_lowest,
        memory_highest,
        cpu_highest,
        slowest_ready,
    } = observed;
    v1::ObservedFootprint {
        runs: *runs,
        memory_lowest_peak_bytes: memory_lowest.0,
        memory_highest_peak_bytes: memory_highest.0,
        cpu_highest_peak_millicores: cpu_highest.0,
        slowest_ready_seconds: slowest_ready.map(|after| after.as_secs_f64()),
        confidence: observed.confidence().as_str().to_owned(),
    }
}
