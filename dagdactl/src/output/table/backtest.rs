//! The tables of `economy backtest`.

use std::fmt::Write;

use super::economy::done;
use super::field;
use super::grid::{Column, Grid, Tone, known, plain};
use crate::output::human::{self, Clock};
use crate::output::json::backtest::{ActView, BacktestView, OutcomeView};
use crate::output::json::economy::{BandView, RulesView, RungView};

/// What each set of rules would have led to; with `acts` also every single act.
pub fn table(view: &BacktestView, acts: bool, clock: &Clock, width: Option<usize>) -> String {
    let mut text = String::new();
    field(&mut text, "Recorded", &recorded(view, clock), width);
    let Some(now) = view.outcomes.first() else {
        return text;
    };
    field(&mut text, "As it is", &rules(&now.rules), width);
    let names: Vec<String> = std::iter::once("as it is".to_owned())
        .chain(
            view.outcomes
                .iter()
                .skip(1)
                .map(|other| difference(&now.rules, &other.rules)),
        )
        .collect();
    // Writing to a String cannot fail.
    let _ = write!(text, "\n{}", outcomes(&names, &view.outcomes));
    if acts {
        for (name, outcome) in names.iter().zip(&view.outcomes) {
            let _ = write!(text, "\n{}", self::acts(name, &outcome.acts, clock));
        }
    }
    text
}

fn recorded(view: &BacktestView, clock: &Clock) -> String {
    let mut text = match (view.since, view.until) {
        (Some(since), Some(until)) => format!("{} to {}", clock.at(since), clock.at(until)),
        _ => "nothing".to_owned(),
    };
    let _ = write!(text, ", {}", human::count(view.samples, "sample"));
    if view.gaps_seconds >= 1.0 {
        let _ = write!(text, ", with gaps of {}", human::span(view.gaps_seconds));
    }
    text
}

/// What dagdad goes by.
fn rules(rules: &RulesView) -> String {
    let RulesView {
        ram,
        cpu,
        pressure,
        hold_seconds,
        recovery_seconds,
        grace_seconds: _,
        sheds_per_hour: _,
    } = rules;
    let band =
        |label,
         BandView {
             enter_percent,
             leave_percent,
         }: &BandView| { format!("{label} {enter_percent}% to {leave_percent}%") };
    format!(
        "{}, {}, {}, hold {}, recovery {}",
        band("RAM", ram),
        band("CPU", cpu),
        band("pressure", pressure),
        human::span(*hold_seconds),
        human::span(*recovery_seconds)
    )
}

/// In what `other` is not as `now`.
fn difference(now: &RulesView, other: &RulesView) -> String {
    let mut parts = Vec::new();
    for (label, now, other) in [
        ("RAM", now.ram, other.ram),
        ("CPU", now.cpu, other.cpu),
        ("pressure", now.pressure, other.pressure),
    ] {
        if now != other {
            let BandView {
                enter_percent,
                leave_percent,
            } = other;
            parts.push(format!("{label} {enter_percent}% to {leave_percent}%"));
        }
    }
    let spans = [
        ("hold", now.hold_seconds, other.hold_seconds),
        ("recovery", now.recovery_seconds, other.recovery_seconds),
    ];
    for (label, now, other) in spans {
        if (now - other).abs() > f64::EPSILON {
            parts.push(format!("{label} {}", human::span(other)));
        }
    }
    if parts.is_empty() {
        "the same".to_owned()
    } else {
        parts.join(", ")
    }
}

fn outcomes(names: &[String], outcomes: &[OutcomeView]) -> String {
    let mut grid = Grid::new(&[
        Column::Right("IN ECONOMY"),
        Column::Right("OVER"),
        Column::Right("ENTERED"),
        Column::Right("SHED"),
        Column::Right("RESTORED"),
        Column::Right("MILDER"),
        Column::Left("RULES"),
    ]);
    for (name, outcome) in names.iter().zip(outcomes) {
        let OutcomeView {
            rules: _,
            entered,
            active_seconds,
            over_seconds,
            sheds,
            restores,
            acts,
        } = outcome;
        let milder = acts
            .iter()
            .filter(|act| !act.restored && act.rung != RungView::Stop);
        grid.row([
            plain(human::span(*active_seconds)),
            plain(human::span(*over_seconds)),
            plain(entered.to_string()),
            plain(sheds.to_string()),
            plain(restores.to_string()),
            plain(milder.count().to_string()),
            plain(name),
        ]);
    }
    grid.render()
}

fn acts(name: &str, acts: &[ActView], clock: &Clock) -> String {
    if acts.is_empty() {
        return format!("Acts, {name}: none\n");
    }
    let mut grid = Grid::new(&[
        Column::Left("WHEN"),
        Column::Left("POD"),
        Column::Left("WHAT"),
    ]);
    for act in acts {
        let ActView {
            at,
            pod,
            rung,
            restored,
        } = act;
        let (what, tone) = if *restored {
            (undone(*rung), Tone::Good)
        } else {
            done(*rung)
        };
        grid.row([
            known(*at, |at| clock.at(at)),
            plain(pod),
            (what.to_owned(), tone),
        ]);
    }
    format!("Acts, {name}:\n{}", grid.render())
}

/// How a pod is given back what was taken.
const fn undone(rung: RungView) -> &'static str {
    match rung {
        RungView::Reclaim | RungView::Unknown => "restored",
        RungView::Throttle => "unthrottled",
        RungView::Freeze => "thawed",
        RungView::Stop => "started again",
    }
}
