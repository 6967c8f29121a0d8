//! What economy mode did, from the engine; what it would do, from a snapshot; and what it would
//! have done, from the store.

use std::time::Duration;

use dagda_proto::v1::{self, economy_service_server::EconomyService};
use jiff::Timestamp;
use tonic::{Request, Response, Status};

use super::{Api, access, convert, status};
use crate::domain::economy::{EconomyRules, WhatIf};
use crate::domain::error::CommandError;
use crate::engine::answering::Answer;
use crate::engine::economy::{Situation, backtest, plan};
use crate::engine::event::{Command, Reply};
use crate::engine::snapshot::Snapshot;

/// Other rules that are replayed for one caller at most: each of them goes over the whole past.
const MAX_WHAT_IFS: usize = 16;
/// The longest span that somebody may ask for.
const LONGEST_SPAN: Duration = Duration::from_hours(24);

#[tonic::async_trait]
impl EconomyService for Api {
    async fn get_economy(
        &self,
        _: Request<v1::GetEconomyRequest>,
    ) -> Result<Response<v1::EconomyStatus>, Status> {
        let snapshot = self.engine.snapshot();
        Ok(Response::new(convert::economy(&snapshot.economy)))
    }

    async fn set_policy(
        &self,
        request: Request<v1::SetPolicyRequest>,
    ) -> Result<Response<v1::EconomyStatus>, Status> {
        let caller = access::caller(&request)?;
        let policy = convert::from_policy(request.into_inner().policy()).ok_or_else(|| {
            invalid("the policy of economy mode is one of auto, on and off".to_owned())
        })?;
        let command = Command::SetEconomy { policy };
        let answer = self.engine.command(&caller, command).await;
        match answer.map_err(|error| status::from_command(&error))? {
            Answer::Reply(Reply::Done(_)) => {
                let snapshot = self.engine.snapshot();
                Ok(Response::new(convert::economy(&snapshot.economy)))
            }
            Answer::Reply(Reply::Refused(error)) => Err(status::from_command(&error)),
            Answer::Operation(_)
            | Answer::Reply(
                Reply::Operation(_)
                | Reply::Run(_)
                | Reply::Alerts { .. }
                | Reply::Applied(_)
                | Reply::Silences(_),
            ) => Err(Status::internal("the engine answered another question")),
        }
    }

    async fn plan_economy(
        &self,
        request: Request<v1::PlanEconomyRequest>,
    ) -> Result<Response<v1::EconomyPlan>, Status> {
        let v1::PlanEconomyRequest { what_if } = request.into_inner();
        let snapshot = self.engine.snapshot();
        let view = &snapshot.economy;
        let what_if = checked(what_if.unwrap_or_default(), &view.rules)?;
        let situation = measured(&snapshot)?;
        let rules = what_if.apply(&view.rules);
        let plan = plan(&snapshot.economy_mode, situation, &rules, view.policy);
        Ok(Response::new(convert::economy_plan(&plan)))
    }

    async fn backtest(
        &self,
        request: Request<v1::BacktestRequest>,
    ) -> Result<Response<v1::BacktestResponse>, Status> {
        let v1::BacktestRequest { since, what_ifs } = request.into_inner();
        let since = since.map_or(Ok(Timestamp::UNIX_EPOCH), |since| {
            convert::from_timestamp(&since)
                .ok_or_else(|| invalid("`since` is no time that exists".to_owned()))
        })?;
        if what_ifs.len() > MAX_WHAT_IFS {
            return Err(invalid(format!(
                "{} other rules are too many at once; ask for at most {MAX_WHAT_IFS}",
                what_ifs.len()
            )));
        }
        let snapshot = self.engine.snapshot();
        let rules = snapshot.economy.rules;
        let what_ifs = what_ifs
            .into_iter()
            .map(|what_if| checked(what_if, &rules))
            .collect::<Result<Vec<_>, _>>()?;
        let cpu_count = measured(&snapshot)?.reading.cpu_count;
        let managed = snapshot.pods.iter().filter_map(|pod| pod.managed.as_ref());
        let pods: Vec<_> = managed.map(|pod| pod.entry.spec.clone()).collect();
        let samples = self.store.samples(since, Timestamp::now()).await;
        let samples = samples.map_err(|error| status::from_store(&error))?;
        // Thousands of samples for each set of rules: too long for a thread that serves others.
        let replay = tokio::task::spawn_blocking(move || {
            convert::backtest(&backtest(&samples, &pods, cpu_count, &rules, &what_ifs))
        });
        let told = replay.await.map_err(|error| {
            tracing::error!(dagda_error = %error, "the backtest failed");
            Status::internal("the backtest failed; see: journalctl -u dagdad")
        })?;
        Ok(Response::new(told))
    }
}

/// How things stand, where that is known already.
#[allow(clippy::result_large_err)] // tonic's own type, returned as it goes on the wire
fn measured(snapshot: &Snapshot) -> Result<&Situation, Status> {
    let situation = snapshot.situation.as_deref();
    situation.ok_or_else(|| status::from_command(&CommandError::NotMeasured))
}

fn invalid(message: String) -> Status {
    status::from_command(&CommandError::Invalid(message))
}

/// What somebody would have otherwise, where it makes sense over `rules`; an error names the
/// option of dagdactl that does not.
#[allow(clippy::result_large_err)] // as above
fn checked(wire: v1::WhatIf, rules: &EconomyRules) -> Result<WhatIf, Status> {
    let v1::WhatIf {
        ram_percent,
        cpu_percent,
        pressure_percent,
        hysteresis_percent,
        hold,
        recovery,
    } = wire;
    for (option, percent) in [
        ("--ram-threshold", ram_percent),
        ("--cpu-threshold", cpu_percent),
        ("--pressure-threshold", pressure_percent),
        ("--hysteresis", hysteresis_percent),
    ] {
        if let Some(percent) = percent.filter(|percent| !(*percent > 0.0 && *percent <= 100.0)) {
            return Err(invalid(format!(
                "{option} cannot be {percent}; give a number above 0 and at most 100"
            )));
        }
    }
    if let Some(hysteresis) = hysteresis_percent {
        for (what, threshold) in [
            ("RAM", ram_percent.unwrap_or(rules.ram.enter)),
            ("CPU", cpu_percent.unwrap_or(rules.cpu.enter)),
        ] {
            if hysteresis >= threshold {
                return Err(invalid(format!(
                    "--hysteresis is {hysteresis}, which is not below the threshold of {what} ({threshold}); give a number below it"
                )));
            }
        }
    }
    Ok(WhatIf {
        ram_percent,
        cpu_percent,
        pressure_percent,
        hysteresis: hysteresis_percent,
        hold: span("--hold", hold, Duration::ZERO)?,
        recovery: span("--recovery", recovery, Duration::from_secs(1))?,
    })
}

#[allow(clippy::result_large_err)] // as above
fn span(
    option: &str,
    wire: Option<prost_types::Duration>,
    least: Duration,
) -> Result<Option<Duration>, Status> {
    let Some(wire) = wire else {
        return Ok(None);
    };
    convert::from_duration(&wire)
        .filter(|span| (least..=LONGEST_SPAN).contains(span))
        .map(Some)
        .ok_or_else(|| {
            let [least, most] = [least, LONGEST_SPAN].map(humantime::format_duration);
            invalid(format!(
                "{option} has to be a duration from {least} to {most}"
            ))
        })
}
