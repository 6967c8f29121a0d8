//! `dagdactl economy plan`.

use dagda_proto::v1::{PlanEconomyRequest, WhatIf};

use crate::cli::economy::PlanArgs;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::json::economy_plan::EconomyPlanView;
use crate::output::table::economy_plan;

/// Explains what economy mode would do now.
pub async fn run(args: &PlanArgs, session: &mut Session) -> Result<Outcome, Error> {
    let PlanArgs {
        ram_threshold,
        cpu_threshold,
        pressure_threshold,
        hysteresis,
    } = *args;
    let daemon = session.connect().await?;
    let request = PlanEconomyRequest {
        what_if: Some(WhatIf {
            ram_percent: ram_threshold.map(f64::from),
            cpu_percent: cpu_threshold.map(f64::from),
            pressure_percent: pressure_threshold.map(f64::from),
            hysteresis_percent: hysteresis.map(f64::from),
            hold: None,
            recovery: None,
        }),
    };
    let answer = daemon
        .answer(daemon.economy().plan_economy(request))
        .await?;
    let view = EconomyPlanView::from(answer);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        let width = output.width();
        output.text(&economy_plan::plan(&view, width))?;
    }
    Ok(Outcome::Done)
}
