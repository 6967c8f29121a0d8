//! `dagdactl economy set`.

use dagda_proto::v1::{EconomyPolicy, SetPolicyRequest};

use crate::cli::economy::{Policy, SetArgs};
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::json::economy::EconomyStatusView;
use crate::output::table::economy;

/// Sets what economy mode may do.
pub async fn run(args: &SetArgs, session: &mut Session) -> Result<Outcome, Error> {
    let SetArgs { policy } = args;
    let policy = match policy {
        Policy::Auto => EconomyPolicy::Auto,
        Policy::On => EconomyPolicy::On,
        Policy::Off => EconomyPolicy::Off,
    };
    let daemon = session.connect().await?;
    let request = SetPolicyRequest {
        policy: policy.into(),
    };
    let answer = daemon.answer(daemon.economy().set_policy(request)).await?;
    let view = EconomyStatusView::from(answer);
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else {
        output.success(&economy::set(&view), None)?;
    }
    Ok(Outcome::Done)
}
