//! Economy mode of the fake.

use dagda_proto::v1::{self, economy_service_server::EconomyService};
use tonic::Request;
use tonic::Response;

use super::{Answer, Part, now, refusal};
use crate::sample;

#[tonic::async_trait]
impl EconomyService for Part {
    async fn get_economy(
        &self,
        request: Request<v1::GetEconomyRequest>,
    ) -> Answer<v1::EconomyStatus> {
        self.heard(request);
        Ok(Response::new(sample::economy::status(now())))
    }

    async fn set_policy(
        &self,
        request: Request<v1::SetPolicyRequest>,
    ) -> Answer<v1::EconomyStatus> {
        let policy = self.heard(request).policy();
        Ok(Response::new(sample::economy::calm_status(policy)))
    }

    /// A hysteresis of more than 50 is refused; below a threshold of more than 90 nothing is short.
    async fn plan_economy(
        &self,
        request: Request<v1::PlanEconomyRequest>,
    ) -> Answer<v1::EconomyPlan> {
        let what_if = self.heard(request).what_if.unwrap_or_default();
        if what_if.hysteresis_percent > Some(50.0) {
            return Err(refusal("invalid", "--hysteresis is too large"));
        }
        Ok(Response::new(if what_if.ram_percent > Some(90.0) {
            sample::economy::calm_plan()
        } else {
            sample::economy::plan()
        }))
    }

    /// Nothing is recorded of the last minute.
    async fn backtest(
        &self,
        request: Request<v1::BacktestRequest>,
    ) -> Answer<v1::BacktestResponse> {
        let request = self.heard(request);
        let recent = request
            .since
            .is_some_and(|since| since.seconds > now() - 60);
        Ok(Response::new(if recent {
            v1::BacktestResponse::default()
        } else {
            sample::economy::backtest(now())
        }))
    }
}
