//! The page of `economy status`.

use std::fmt::Write;

use super::field;
use super::grid::{Column, Grid, Tone, known, plain};
use crate::output::human::{self, Clock};
use crate::output::json::economy::{
    EconomyStatusView, GaugeView, RulesView, RungView, TakenView, TriggerView,
};

/// Whether it is active and why, how far from that the box is, and who has to wait for what.
pub fn status(view: &EconomyStatusView, clock: &Clock, width: Option<usize>) -> String {
    let mut text = String::new();
    field(&mut text, "Policy", view.policy.as_str(), width);
    field(&mut text, "Active", &active(view, clock), width);
    if !view.next.is_empty() {
        field(&mut text, "Next", &view.next, width);
    }
    field(&mut text, "Rules", &rules(&view.rules), width);
    // Writing to a String cannot fail.
    if !view.gauges.is_empty() {
        let _ = write!(text, "\n{}", gauges(&view.gauges));
    }
    if !view.taken.is_empty() {
        let _ = write!(text, "\n{}", taken(&view.taken, clock, width));
    }
    text
}

fn active(view: &EconomyStatusView, clock: &Clock) -> String {
    if !view.active {
        return "no".to_owned();
    }
    let mut text = "yes".to_owned();
    if let Some(since) = view.since {
        let (at, age) = (clock.at(since), human::age(since, clock.now));
        let _ = write!(text, ", since {at}, for {age}");
    }
    if let Some(reason) = &view.reason {
        let _ = write!(text, ": {reason}");
    }
    text
}

/// The times; the thresholds stand beside what is measured.
fn rules(rules: &RulesView) -> String {
    let RulesView {
        ram: _,
        cpu: _,
        pressure: _,
        hold_seconds,
        recovery_seconds,
        grace_seconds,
        sheds_per_hour,
    } = rules;
    let stops = human::count((*sheds_per_hour).into(), "stop");
    format!(
        "hold {}, recovery {}, grace {}, at most {stops} of a pod an hour",
        human::span(*hold_seconds),
        human::span(*recovery_seconds),
        human::span(*grace_seconds),
    )
}

/// What can be short, against its thresholds.
pub fn gauges(gauges: &[GaugeView]) -> String {
    let mut grid = Grid::new(&[
        Column::Left(""),
        Column::Right("NOW"),
        Column::Right("ENTERS AT"),
        Column::Right("ENDS BELOW"),
        Column::Right("SHORT FOR"),
    ]);
    for gauge in gauges {
        let GaugeView {
            trigger,
            value_percent,
            band,
            short_for_seconds,
        } = gauge;
        let label = match trigger {
            TriggerView::Ram => "RAM",
            TriggerView::Pressure => "Pressure",
            TriggerView::Cpu => "CPU",
            TriggerView::Unknown => "unknown",
        };
        let now = match value_percent {
            Some(value) if *value >= band.enter_percent => (human::percent(*value), Tone::Bad),
            Some(value) if *value >= band.leave_percent => (human::percent(*value), Tone::Warn),
            value => known(*value, human::percent),
        };
        grid.row([
            plain(label),
            now,
            plain(human::percent(band.enter_percent)),
            plain(human::percent(band.leave_percent)),
            known(*short_for_seconds, human::span),
        ]);
    }
    grid.render()
}

/// The pods that wait, why and for what below each.
fn taken(taken: &[TakenView], clock: &Clock, width: Option<usize>) -> String {
    let mut grid = Grid::new(&[
        Column::Left("TAKEN FROM"),
        Column::Right("PRIO"),
        Column::Left("WHAT"),
        Column::Right("USED RAM"),
        Column::Right("USED CPU"),
        Column::Right("FOR"),
    ]);
    for each in taken {
        let TakenView {
            pod,
            rung,
            at,
            reason,
            priority,
            used_memory_bytes,
            used_cpu_millicores,
            cpu_limit_millicores,
            for_good,
            returns,
        } = each;
        let (what, tone) = done(*rung);
        let what = match cpu_limit_millicores {
            Some(limit) => format!("{what} to {}", human::cores(*limit)),
            None => what.to_owned(),
        };
        let tone = if *for_good { Tone::Bad } else { tone };
        grid.row([
            plain(pod),
            plain(priority.to_string()),
            (what, tone),
            plain(human::bytes(*used_memory_bytes)),
            plain(human::cores(*used_cpu_millicores)),
            known(*at, |at| human::age(at, clock.now)),
        ]);
        if let Some(at) = at {
            let since = format!("since {}: {reason}", clock.at(*at));
            grid.below(&since, "  ", width);
        } else {
            grid.below(reason, "  ", width);
        }
        grid.below(&format!("comes back: {returns}"), "  ", width);
    }
    grid.render()
}

/// What was done to a pod.
pub const fn done(rung: RungView) -> (&'static str, Tone) {
    match rung {
        RungView::Reclaim => ("reclaimed", Tone::Plain),
        RungView::Throttle => ("throttled", Tone::Warn),
        RungView::Freeze => ("frozen", Tone::Warn),
        RungView::Stop => ("stopped", Tone::Warn),
        RungView::Unknown => ("unknown", Tone::Dim),
    }
}

/// The sentence of `economy set`.
pub fn set(view: &EconomyStatusView) -> String {
    let policy = view.policy.as_str();
    if view.next.is_empty() {
        format!("economy mode is set to {policy}")
    } else {
        format!("economy mode is set to {policy}: {}", view.next)
    }
}
