//! `dagdactl economy backtest`.

use std::time::Duration;

use dagda_proto::v1::{BacktestRequest, WhatIf};

use crate::cli::economy::{BacktestArgs, Percent};
use crate::commands::resources::ago;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::human::Clock;
use crate::output::json::backtest::BacktestView;
use crate::output::table::backtest;

/// Replays the recorded past under the rules as they are, and under each of those asked for.
pub async fn run(args: &BacktestArgs, session: &mut Session) -> Result<Outcome, Error> {
    let request = BacktestRequest {
        since: args.since.map(ago),
        what_ifs: what_ifs(args)?,
    };
    let daemon = session.connect().await?;
    let answer = daemon.work(daemon.economy().backtest(request)).await?;
    let view = BacktestView::from(answer);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else if view.samples == 0 {
        output.note(
            "nothing is recorded of that time, so there is nothing to replay; dagdad records while it runs: dagdactl resources --since 1h",
        );
    } else {
        let width = output.width();
        output.text(&backtest::table(&view, args.acts, &Clock::system(), width))?;
    }
    Ok(Outcome::Done)
}

/// Every combination of the thresholds given, with all else that is given; none where nothing
/// is.
fn what_ifs(args: &BacktestArgs) -> Result<Vec<WhatIf>, Error> {
    let BacktestArgs {
        since: _,
        ram_threshold,
        cpu_threshold,
        pressure_threshold,
        hysteresis,
        hold,
        recovery,
        acts: _,
    } = args;
    let base = WhatIf {
        hysteresis_percent: hysteresis.map(f64::from),
        hold: span("--hold", *hold)?,
        recovery: span("--recovery", *recovery)?,
        ..WhatIf::default()
    };
    let mut all = Vec::new();
    for ram_percent in each(ram_threshold) {
        for cpu_percent in each(cpu_threshold) {
            for pressure_percent in each(pressure_threshold) {
                all.push(WhatIf {
                    ram_percent,
                    cpu_percent,
                    pressure_percent,
                    ..base
                });
            }
        }
    }
    all.retain(|what_if| *what_if != WhatIf::default());
    Ok(all)
}

/// Each value, or none at all once.
fn each(values: &[Percent]) -> Vec<Option<f64>> {
    if values.is_empty() {
        vec![None]
    } else {
        values.iter().map(|value| Some((*value).into())).collect()
    }
}

fn span(option: &str, span: Option<Duration>) -> Result<Option<prost_types::Duration>, Error> {
    let wire = span.map(prost_types::Duration::try_from).transpose();
    wire.map_err(|_| Error::Usage(format!("{option} is too long")))
}
