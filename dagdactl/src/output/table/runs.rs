//! The table of `workflow runs` and the page of `workflow runs show`.

use std::fmt::Write;
use std::time::Duration;

use jiff::Timestamp;

use super::grid::{Column, Grid, Tone, known, plain};
use super::workflows::order;
use super::{events, field, ids};
use crate::output::colour::{DIM, STRONG, paint};
use crate::output::escape;
use crate::output::human::{self, Clock};
use crate::output::json::runs::{
    QueuePlaceView, RunDetailView, RunListView, RunPodView, RunStateView, RunView,
};

/// The runs as a table, why one failed or waits below its row.
pub fn list(view: &RunListView, clock: &Clock, width: Option<usize>) -> String {
    let mut grid = Grid::new(&[
        Column::Left("ID"),
        Column::Left("WORKFLOW"),
        Column::Left("STATE"),
        Column::Left("STARTED"),
        Column::Right("TOOK"),
    ]);
    let ids = view.runs.iter().map(|run| run.id.as_str());
    for run in &view.runs {
        grid.row([
            plain(ids::short(&run.id, &ids)),
            plain(&run.workflow),
            state(run),
            known(run.accepted_at, |at| clock.at(at)),
            known(took(run, clock.now), human::elapsed),
        ]);
        if let Some(reason) = reason(run) {
            grid.below(&reason, "  ", width);
        }
    }
    grid.render()
}

/// A run's state as people read it.
pub fn state(run: &RunView) -> (String, Tone) {
    let tone = match run.state {
        RunStateView::Running => Tone::Good,
        RunStateView::Queued
        | RunStateView::Evicting
        | RunStateView::Starting
        | RunStateView::RollingBack
        | RunStateView::Stopping
        | RunStateView::Unknown => Tone::Warn,
        RunStateView::Degraded | RunStateView::Failed | RunStateView::RolledBack => Tone::Bad,
        RunStateView::Stopped | RunStateView::Cancelled => Tone::Dim,
    };
    (run.state.as_str().replace('_', " "), tone)
}

/// From its admission until all its pods were ready, or it ended without; until now where
/// neither has come yet. `None` before its admission.
fn took(run: &RunView, now: Timestamp) -> Option<Duration> {
    let end = run.ready_at.or(run.ended_at).unwrap_or(now);
    let took = end.duration_since(run.admitted_at?);
    Some(took.try_into().unwrap_or_default())
}

/// Why it failed, waits, or is not whole.
fn reason(run: &RunView) -> Option<String> {
    if let Some(failure) = &run.failure {
        return Some(failure.message.clone());
    }
    if let Some(place) = &run.queue {
        return Some(queue(place));
    }
    let lost = |pod: &&RunPodView| run.state == RunStateView::Degraded && pod.step == "lost";
    let lost: Vec<String> = run
        .pods
        .iter()
        .filter(lost)
        .map(|pod| match &pod.message {
            Some(message) => format!("{}: {message}", pod.pod),
            None => format!("{} does not run any more", pod.pod),
        })
        .collect();
    (!lost.is_empty()).then(|| lost.join("; "))
}

fn queue(place: &QueuePlaceView) -> String {
    let QueuePlaceView {
        place,
        length,
        waits_for,
        ..
    } = place;
    format!("place {place} of {length}: {waits_for}")
}

/// As [`queue`], with the earliest time.
pub fn waiting(place: &QueuePlaceView, clock: &Clock) -> String {
    let mut text = queue(place);
    if let Some(at) = place.earliest_at {
        let _ = write!(text, "; at the earliest {}", clock.ahead(at));
        if let Some(reason) = &place.earliest_reason {
            let _ = write!(text, ": {reason}");
        }
    }
    text
}

/// A run in a line: `running, for 2h (0193…)`.
pub fn summary(run: &RunView, clock: &Clock) -> String {
    let (state, _) = state(run);
    let since = run.ended_at.or(run.ready_at).or(run.admitted_at);
    let since = since.or(run.accepted_at);
    let for_how_long = since
        .map(|since| format!(", for {}", human::age(since, clock.now)))
        .unwrap_or_default();
    format!("{state}{for_how_long} ({})", run.id)
}

/// All that is known of a run: facts, its pods, what happened.
pub fn show(view: &RunDetailView, clock: &Clock, width: Option<usize>) -> String {
    let run = &view.run;
    let mut text = String::new();
    let mut field = |label: &str, value: &str| field(&mut text, label, value, width);
    field("Run", &run.id);
    field(
        "Workflow",
        &format!("{}, priority {}", run.workflow, run.priority),
    );
    field("State", &state(run).0);
    field("Admission", run.admission.as_str());
    let mut moment = |label: &str, at: Option<Timestamp>, more: String| {
        if let Some(at) = at {
            field(label, &format!("{}{more}", clock.at(at)));
        }
    };
    let waited = run.accepted_at.zip(run.admitted_at).map(between);
    let waited = waited.filter(|waited| waited.as_secs() > 0);
    moment("Accepted", run.accepted_at, String::new());
    moment(
        "Admitted",
        run.admitted_at,
        waited.map_or_else(String::new, |waited| {
            format!(", after waiting {}", human::elapsed(waited))
        }),
    );
    let took = run.admitted_at.zip(run.ready_at).map(between);
    moment(
        "Ready",
        run.ready_at,
        took.map_or_else(String::new, |took| {
            format!(", after {}", human::elapsed(took))
        }),
    );
    moment("Ended", run.ended_at, String::new());
    if run.ready_at.is_none() && run.ended_at.is_none() {
        moment("Deadline", run.deadline, String::new());
    }
    if let Some(place) = &run.queue {
        field("Queue", &waiting(place, clock));
    }
    if !run.victims.is_empty() {
        field(
            "Stops",
            &format!("{}, to make room", run.victims.join(", ")),
        );
    }
    if let Some(failure) = &run.failure {
        field("Failure", &failure.message);
        for line in &failure.log {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {} {}", paint(DIM, "|"), escape::plain(line));
        }
    }
    let _ = write!(text, "\n{}", pods(&run.pods, clock, width));
    if !view.events.is_empty() {
        let _ = writeln!(text, "\n{}", paint(STRONG, "What happened"));
        for event in &view.events {
            text.push_str(&events::event(event, &clock.zone, width));
        }
    }
    text
}

fn between((from, to): (Timestamp, Timestamp)) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

fn pods(pods: &[RunPodView], clock: &Clock, width: Option<usize>) -> String {
    let mut grid = Grid::new(&[
        Column::Left("STEP"),
        Column::Left("POD"),
        Column::Left("STATE"),
        Column::Right("FOR"),
        Column::Left("STARTED BY IT"),
        Column::Left("AFTER"),
    ]);
    let mut level = None;
    for pod in pods {
        let RunPodView {
            pod,
            level: own,
            after,
            step,
            started_by_run,
            since,
            message,
        } = pod;
        let first = level != Some(*own);
        level = Some(*own);
        grid.row([
            plain(if first { order(*own) } else { String::new() }),
            plain(pod),
            (step.clone(), tone(step)),
            known(*since, |since| human::age(since, clock.now)),
            plain(if *started_by_run { "yes" } else { "no" }),
            known((!after.is_empty()).then_some(after), |after| {
                after.join(", ")
            }),
        ]);
        if let Some(message) = message {
            grid.below(message, "      ", width);
        }
    }
    grid.render()
}

/// How a pod's step in a run looks.
pub fn tone(step: &str) -> Tone {
    match step {
        "ready" | "completed" | "kept" => Tone::Good,
        "starting" | "stopping" => Tone::Warn,
        "failed" | "lost" => Tone::Bad,
        "waiting" | "stopped" => Tone::Dim,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dagda_proto::v1;

    fn run(id: &str) -> RunView {
        v1::Run {
            id: id.to_owned(),
            ..v1::Run::default()
        }
        .into()
    }

    #[test]
    fn it_took_what_it_took_from_its_admission() {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut run = run("x");
        assert_eq!(took(&run, at(9)), None);
        run.accepted_at = Some(at(1));
        run.admitted_at = Some(at(3));
        assert_eq!(took(&run, at(9)), Some(Duration::from_secs(6)));
        run.ended_at = Some(at(8));
        assert_eq!(took(&run, at(9)), Some(Duration::from_secs(5)));
        run.ready_at = Some(at(4));
        assert_eq!(took(&run, at(9)), Some(Duration::from_secs(1)));
    }
}
