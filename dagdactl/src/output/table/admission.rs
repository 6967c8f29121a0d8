//! Why something does not fit, in tables: what is needed and what is left, who would have to
//! go, and what to type.

use std::fmt::Write;

use super::grid::{Column, Grid, Tone, plain};
use crate::output::escape;
use crate::output::human::{self, Clock};
use crate::output::json::admission::{DenialView, FiguresView, SparedView, VictimView};
use crate::output::wrap::wrap;

/// What a denial comes down to, in one sentence.
pub fn headline(view: &DenialView) -> String {
    let DenialView {
        kind,
        name,
        never_fits,
        ..
    } = view;
    let what = if kind == "workflow" {
        format!("workflow {name}")
    } else {
        name.clone()
    };
    let verdict = if *never_fits {
        "can never fit here"
    } else {
        "does not fit"
    };
    format!("{what} {verdict}: {}", shortage(view))
}

/// `it needs 6.0 GiB of memory, 2.1 GiB are available, 3.9 GiB are missing`
pub fn shortage(view: &DenialView) -> String {
    let DenialView {
        figures,
        short_of,
        never_fits,
        ..
    } = view;
    let lacks = |resource: &str| short_of.split(',').any(|each| each.trim() == resource);
    let mut needs = Vec::new();
    let mut tell = |needed: String, ceiling: String, available: String, gap: String| {
        needs.push(if *never_fits {
            format!("it needs {needed}, and dagdad may give out {ceiling} at most")
        } else {
            format!("it needs {needed}, {available} are available, {gap} are missing")
        });
    };
    if lacks("memory") || !lacks("cpu") {
        tell(
            format!("{} of memory", human::bytes(figures.needed_bytes)),
            human::bytes(figures.ceiling_bytes),
            human::bytes(figures.available_bytes),
            human::bytes(figures.gap_bytes),
        );
    }
    if lacks("cpu") {
        tell(
            format!("{} cores", human::cores(figures.needed_cpu_millicores)),
            human::cores(figures.ceiling_cpu_millicores),
            human::cores(figures.available_cpu_millicores),
            human::cores(figures.gap_cpu_millicores),
        );
    }
    needs.join("; ")
}

/// The numbers behind a denial and what can be done about it.
pub fn explanation(view: &DenialView, clock: &Clock, width: Option<usize>) -> String {
    format!(
        "{}\n{}",
        room(&view.figures),
        remedy(
            &Remedy {
                kind: &view.kind,
                name: &view.name,
                never_fits: view.never_fits,
                victims: &view.victims,
                evictable_bytes: view.evictable_bytes,
                spared: &view.spared,
                suggested_command: view.suggested_command.as_deref(),
                earliest: view.earliest_at.zip(view.earliest_reason.as_deref()),
            },
            clock,
            width
        )
    )
}

/// What is needed and what there is, a row a resource.
pub fn room(figures: &FiguresView) -> String {
    let mut grid = Grid::new(&[
        Column::Left(""),
        Column::Right("NEEDED"),
        Column::Right("AVAILABLE"),
        Column::Right("CEILING"),
        Column::Right("CAPACITY"),
        Column::Right("OTHERS"),
        Column::Right("RESERVED"),
    ]);
    let mut row = |label: &str, tone: Tone, numbers: [String; 6]| {
        let [needed, available, ceiling, capacity, others, reserved] = numbers;
        grid.row([
            plain(label),
            plain(needed),
            (available, tone),
            plain(ceiling),
            plain(capacity),
            plain(others),
            plain(reserved),
        ]);
    };
    row(
        "Memory",
        match figures.gap_bytes {
            0 => Tone::Good,
            _ => Tone::Bad,
        },
        [
            figures.needed_bytes,
            figures.available_bytes,
            figures.ceiling_bytes,
            figures.capacity_bytes,
            figures.others_bytes,
            figures.reserved_bytes,
        ]
        .map(human::bytes),
    );
    let cpu = if figures.cpu_enforced {
        "CPU"
    } else {
        "CPU (*)"
    };
    row(
        cpu,
        match figures.gap_cpu_millicores {
            0 if figures.needed_cpu_millicores > figures.available_cpu_millicores => Tone::Warn,
            0 => Tone::Good,
            _ => Tone::Bad,
        },
        [
            figures.needed_cpu_millicores,
            figures.available_cpu_millicores,
            figures.ceiling_cpu_millicores,
            figures.capacity_cpu_millicores,
            figures.others_cpu_millicores,
            figures.reserved_cpu_millicores,
        ]
        .map(human::cores),
    );
    let mut text = grid.render();
    if !figures.cpu_enforced {
        text.push_str("(*) in cores; a lack of CPU only warns\n");
    }
    text
}

/// What [`remedy`] tells of: the parts that a denial and a plan share.
#[derive(Debug)]
pub struct Remedy<'v> {
    /// `pod` or `workflow`.
    pub kind: &'v str,
    /// What was to start.
    pub name: &'v str,
    /// Whether it can never fit.
    pub never_fits: bool,
    /// Who would have to go.
    pub victims: &'v [VictimView],
    /// What all who may go would free.
    pub evictable_bytes: u64,
    /// Who is left alone.
    pub spared: &'v [SparedView],
    /// What to type.
    pub suggested_command: Option<&'v str>,
    /// When it fits by itself, and why then.
    pub earliest: Option<(jiff::Timestamp, &'v str)>,
}

/// Who would have to go, when it fits by itself, and what to type.
pub fn remedy(remedy: &Remedy<'_>, clock: &Clock, width: Option<usize>) -> String {
    let mut text = String::new();
    let mut say = |sentence: &str| {
        for line in wrap(&escape::text(sentence), "", width) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{line}");
        }
    };
    if remedy.never_fits {
        say(
            "No stop of other pods makes room for that. Lower what it asks for \
             (resources.requests in its manifest), or raise dagdad's threshold.",
        );
        return text;
    }
    match remedy.victims {
        [] if remedy.evictable_bytes == 0 => say("No pod may be stopped to make room for it."),
        [] => say(&format!(
            "Stopping every pod that may be stopped would free {}: not enough.",
            human::bytes(remedy.evictable_bytes)
        )),
        some => {
            say(if some.len() == 1 {
                "It fits once this pod is stopped:"
            } else {
                "It fits once these pods are stopped, in this order:"
            });
            text.push_str(&victims(some, width));
            text.push('\n');
        }
    }
    if !remedy.spared.is_empty() {
        let pods: Vec<String> = remedy
            .spared
            .iter()
            .map(|pod| format!("{} (a run of priority {})", pod.pod, pod.run_priority))
            .collect();
        let sentence = format!(
            "Left alone, since a run of a higher priority needs them: {}.",
            pods.join(", ")
        );
        for line in wrap(&escape::text(&sentence), "", width) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{line}");
        }
    }
    let mut advice = |to: &str, command: &str| {
        let _ = writeln!(text, "To {to}: {}", escape::cell(command));
    };
    if let Some(command) = remedy.suggested_command {
        let start = if remedy.kind == "workflow" {
            "run the workflow".to_owned()
        } else {
            format!("start {}", escape::cell(remedy.name))
        };
        let to = match remedy.victims {
            [] => start,
            [_] => format!("stop it and {start}"),
            _ => format!("stop them and {start}"),
        };
        advice(&to, command);
    }
    if remedy.kind == "workflow" {
        advice(
            "wait until it fits",
            &format!("dagdactl workflow run {} --queue", remedy.name),
        );
    }
    if let Some((at, reason)) = remedy.earliest {
        let sentence = format!(
            "It fits {} at the earliest: {reason}.",
            clock.ahead(at).trim_end_matches('.')
        );
        for line in wrap(&escape::text(&sentence), "", width) {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// The pods to stop; why each of them stands below its row where it does not fit beside it.
fn victims(victims: &[VictimView], width: Option<usize>) -> String {
    let mut beside = Grid::new(&[
        Column::Left("POD"),
        Column::Right("PRIO"),
        Column::Right("FREES"),
        Column::Right("CPU"),
        Column::Left("WHY"),
    ]);
    for victim in victims {
        let [pod, priority, bytes, cpu] = cells(victim);
        beside.row([pod, priority, bytes, cpu, plain(&victim.reason)]);
    }
    if width.is_none_or(|width| beside.width() <= width) {
        return beside.render();
    }
    let mut above = Grid::new(&[
        Column::Left("POD"),
        Column::Right("PRIO"),
        Column::Right("FREES"),
        Column::Right("CPU"),
    ]);
    for victim in victims {
        above.row(cells(victim));
        above.below(&victim.reason, "  ", width);
    }
    above.render()
}

fn cells(victim: &VictimView) -> [(String, Tone); 4] {
    let VictimView {
        pod,
        priority,
        freed_bytes,
        freed_cpu_millicores,
        reason: _,
    } = victim;
    [
        plain(pod),
        plain(priority.to_string()),
        plain(human::bytes(*freed_bytes)),
        plain(human::cores(*freed_cpu_millicores)),
    ]
}
