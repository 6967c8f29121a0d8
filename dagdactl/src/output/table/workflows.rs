//! The table of `workflow list` and the page of `workflow show`.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::grid::{Column, Grid, Tone, known, plain};
use super::pods;
use super::runs;
use super::tree::{Branch, branches};
use super::{admission, field};
use crate::output::colour::{STRONG, paint};
use crate::output::escape;
use crate::output::human::{self, Clock};
use crate::output::json::admission::DenialView;
use crate::output::json::workflows::{
    MemberView, WorkflowDetailView, WorkflowListView, WorkflowView,
};
use crate::output::wrap::wrap;

/// The widest lead before a name that is still drawn; a deeper order is listed instead.
const DEEPEST: usize = 40;

/// The workflows as a table, each with its description below it.
pub fn list(view: &WorkflowListView, width: Option<usize>) -> String {
    let mut grid = Grid::new(&[
        Column::Left("NAME"),
        Column::Right("PODS"),
        Column::Right("PRIO"),
        Column::Right("MEMORY"),
        Column::Right("CPU"),
        Column::Left("RUN"),
        Column::Left("FITS NOW"),
    ]);
    for workflow in &view.workflows {
        grid.row([
            plain(&workflow.name),
            plain(workflow.pods.len().to_string()),
            plain(workflow.priority.to_string()),
            plain(human::bytes(workflow.expected_memory_bytes)),
            plain(human::cores(workflow.expected_cpu_millicores)),
            match &workflow.run {
                Some(run) => runs::state(run),
                None => ("-".to_owned(), Tone::Dim),
            },
            fits(workflow),
        ]);
        if let Some(description) = &workflow.description {
            grid.below(description, "  ", width);
        }
    }
    grid.render()
}

/// Whether it fits, and by how much it does not.
fn fits(workflow: &WorkflowView) -> (String, Tone) {
    match &workflow.denial {
        _ if workflow.fits => ("yes".to_owned(), Tone::Good),
        Some(DenialView {
            never_fits: true, ..
        }) => ("never".to_owned(), Tone::Bad),
        Some(DenialView { figures, .. }) if figures.gap_bytes > 0 => (
            format!("no, {} missing", human::bytes(figures.gap_bytes)),
            Tone::Warn,
        ),
        Some(DenialView { figures, .. }) if figures.gap_cpu_millicores > 0 => (
            format!(
                "no, {} cores missing",
                human::cores(figures.gap_cpu_millicores)
            ),
            Tone::Warn,
        ),
        Some(_) | None => ("no".to_owned(), Tone::Warn),
    }
}

/// All that is known of a workflow: facts, its pods as a tree, the manifest last.
pub fn show(view: &WorkflowDetailView, clock: &Clock, width: Option<usize>) -> String {
    let workflow = &view.workflow;
    let mut text = String::new();
    let mut field = |label: &str, value: &str| field(&mut text, label, value, width);
    field("Name", &workflow.name);
    if let Some(description) = &workflow.description {
        field("About", description);
    }
    field("Priority", &workflow.priority.to_string());
    field(
        "Timeout",
        &format!(
            "{}; on failure: {}",
            human::span(view.timeout_seconds),
            view.on_failure
        ),
    );
    field(
        "Expected",
        &format!(
            "{}, CPU {}",
            human::bytes(workflow.expected_memory_bytes),
            human::cores(workflow.expected_cpu_millicores)
        ),
    );
    match &workflow.run {
        Some(run) => field("Run", &runs::summary(run, clock)),
        None => field("Run", "none"),
    }
    match &workflow.denial {
        Some(denial) if !workflow.fits => {
            let verdict = if denial.never_fits { "never" } else { "no" };
            let why = admission::shortage(denial);
            let name = &workflow.name;
            field(
                "Fits now",
                &format!("{verdict}: {why}\nsee: dagdactl workflow plan {name}"),
            );
        }
        _ => field("Fits now", if workflow.fits { "yes" } else { "no" }),
    }
    let _ = write!(text, "\n{}", members(&view.members, clock, width));
    if !view.manifest.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n{}", paint(STRONG, "Manifest"));
        for line in view.manifest.lines() {
            let _ = writeln!(text, "  {}", escape::text(line));
        }
    }
    text
}

/// The pods as a tree; where that would be too deep to read, level by level.
fn members(members: &[MemberView], clock: &Clock, width: Option<usize>) -> String {
    let branches = branches(members);
    let deepest = branches.iter().map(|branch| branch.lead.width()).max();
    let tree = grid(&branches, clock, width);
    let too_wide = width.is_some_and(|width| tree.width() > width);
    if deepest.unwrap_or_default() <= DEEPEST && !too_wide {
        return tree.render();
    }
    let mut text = String::from("Too deep to be drawn as a tree: level by level.\n");
    let mut level = None;
    for member in members {
        if level != Some(member.level) {
            level = Some(member.level);
            let _ = writeln!(text, "{}", paint(STRONG, order(member.level)));
        }
        let (state, _) = state(member);
        let after = match member.after.as_slice() {
            [] => String::new(),
            some => format!(", after {}", some.join(", ")),
        };
        let sentence = format!("{}: {state}{after}", member.pod);
        for line in wrap(&escape::text(&sentence), "  ", width) {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// A level as people count: the first is 1.
pub fn order(level: u32) -> String {
    level.saturating_add(1).to_string()
}

fn grid(branches: &[Branch<'_>], clock: &Clock, width: Option<usize>) -> Grid {
    let mut grid = Grid::new(&[
        Column::Left("POD"),
        Column::Left("STATE"),
        Column::Left("READY"),
        Column::Right("AGE"),
        Column::Left("ALSO AFTER"),
    ]);
    for branch in branches {
        let Branch {
            lead,
            member,
            also,
            below,
        } = branch;
        let ready = match (member.state, member.ready) {
            (Some(state), ready) => pods::ready(state, ready),
            (None, _) => ("-".to_owned(), Tone::Dim),
        };
        grid.row([
            plain(format!("{lead}{}", member.pod)),
            state(member),
            ready,
            known(member.since, |since| human::age(since, clock.now)),
            plain(also.join(", ")),
        ]);
        if let Some(message) = &member.message {
            grid.below(message, below, width);
        }
    }
    grid
}

fn state(member: &MemberView) -> (String, Tone) {
    match member.state {
        Some(state) => (state.as_str().to_owned(), pods::tone(state, member.ready)),
        None => ("not in the catalogue".to_owned(), Tone::Bad),
    }
}
