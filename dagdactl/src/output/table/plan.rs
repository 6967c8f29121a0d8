//! The page of `workflow plan`.

use std::fmt::Write;

use super::grid::{Column, Grid, Tone, known, plain};
use super::workflows::order;
use super::{admission, field};
use crate::output::colour::{BAD, GOOD, WARN, paint};
use crate::output::escape;
use crate::output::human::{self, Clock};
use crate::output::json::admission::ExpectationView;
use crate::output::json::plan::{PlanView, PlannedPodView};
use crate::output::wrap::wrap;

/// What a run would do: the order, what each pod is expected to use and how that is known,
/// then whether it fits.
pub fn plan(view: &PlanView, clock: &Clock, width: Option<usize>) -> String {
    let mut text = String::new();
    field(&mut text, "Workflow", &view.name, width);
    let levels = view.pods.iter().map(|pod| pod.level).max();
    let levels = u64::from(levels.map_or(0, |last| last.saturating_add(1)));
    let until_ready = view.expected_seconds.map_or_else(
        || "how long until ready is not known of every pod yet".to_owned(),
        |seconds| format!("ready after about {}", human::seconds(seconds)),
    );
    let start = format!(
        "{} in {}; {until_ready}",
        human::count(view.pods.len() as u64, "pod"),
        human::count(levels, "step"),
    );
    field(&mut text, "Start", &start, width);
    let timeout = format!(
        "{}; on failure: {}",
        human::span(view.timeout_seconds),
        view.on_failure
    );
    field(&mut text, "Timeout", &timeout, width);
    // Writing to a String cannot fail.
    let _ = write!(text, "\n{}", pods(&view.pods));
    let _ = write!(text, "\n{}", admission::room(&view.figures));
    let _ = writeln!(text, "\n{}", verdict(view));
    for warning in &view.warnings {
        let lines = wrap(&escape::text(warning), "  ", width).join("\n");
        let _ = writeln!(text, "{} {}", paint(WARN, "!"), lines.trim_start());
    }
    if view.fits {
        if let Some(command) = &view.suggested_command {
            let _ = writeln!(text, "To run it: {}", escape::cell(command));
        }
        return text;
    }
    text.push_str(&admission::remedy(
        &admission::Remedy {
            kind: "workflow",
            name: &view.name,
            never_fits: view.never_fits,
            victims: &view.victims,
            evictable_bytes: view.evictable_bytes.unwrap_or_default(),
            spared: &view.spared,
            suggested_command: view.suggested_command.as_deref(),
            earliest: view.earliest_at.zip(view.earliest_reason.as_deref()),
        },
        clock,
        width,
    ));
    text
}

/// Whether it fits, and what is missing.
fn verdict(view: &PlanView) -> String {
    if view.fits {
        return paint(GOOD, "It fits.");
    }
    let figures = &view.figures;
    let mut missing = Vec::new();
    if figures.gap_bytes > 0 {
        missing.push(format!("{} of memory", human::bytes(figures.gap_bytes)));
    }
    if figures.gap_cpu_millicores > 0 {
        missing.push(format!(
            "{} cores",
            human::cores(figures.gap_cpu_millicores)
        ));
    }
    let verdict = if view.never_fits {
        "It can never fit here"
    } else {
        "It does not fit now"
    };
    match missing.as_slice() {
        [] => paint(BAD, format_args!("{verdict}.")),
        some => paint(
            BAD,
            format_args!("{verdict}: {} are missing.", some.join(" and ")),
        ),
    }
}

/// The pods; the number of a step stands before the first of those that start together.
fn pods(pods: &[PlannedPodView]) -> String {
    let mut grid = Grid::new(&[
        Column::Left("STEP"),
        Column::Left("POD"),
        Column::Right("MEMORY"),
        Column::Right("CPU"),
        Column::Left("BASIS"),
        Column::Right("RUNS"),
        Column::Left("SURE"),
        Column::Left("NOW"),
    ]);
    let mut level = None;
    for pod in pods {
        let PlannedPodView {
            pod,
            level: own,
            after: _,
            running,
            expected,
        } = pod;
        let step = if level == Some(*own) {
            String::new()
        } else {
            order(*own)
        };
        level = Some(*own);
        let observed = expected.observed.as_ref();
        grid.row([
            plain(step),
            plain(pod),
            plain(human::bytes(expected.memory_bytes)),
            plain(human::cores(expected.cpu_millicores)),
            plain(basis(expected)),
            known(observed, |observed| observed.runs.to_string()),
            known(observed, |observed| observed.confidence.clone()),
            if *running {
                ("running".to_owned(), Tone::Good)
            } else {
                ("-".to_owned(), Tone::Dim)
            },
        ]);
    }
    grid.render()
}

/// Where the figures come from; each by itself where that differs.
pub fn basis(expected: &ExpectationView) -> String {
    let ExpectationView {
        memory_basis,
        cpu_basis,
        ..
    } = expected;
    if memory_basis == cpu_basis {
        memory_basis.clone()
    } else {
        match (memory_basis.as_str(), cpu_basis.as_str()) {
            ("observed", "declared") => "memory observed".to_owned(),
            ("declared", "observed") => "CPU observed".to_owned(),
            (memory, cpu) => format!("{memory}, {cpu}"),
        }
    }
}
