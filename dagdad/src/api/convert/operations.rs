//! Where an operation is, and how it ended.

use dagda_proto::v1;

use super::error::error_detail;
use crate::domain::operation::{Done, OperationView, Progress, Stage};

pub fn operation_update(view: &OperationView) -> v1::OperationUpdate {
    use v1::operation_update::Update;
    let update = match view {
        OperationView::Running(Progress { stage, message }) => Update::Progress(v1::Progress {
            stage: match stage {
                Stage::Preparing => v1::Stage::Preparing,
                Stage::Pulling => v1::Stage::Pulling,
                Stage::Creating => v1::Stage::Creating,
                Stage::Awaiting => v1::Stage::Awaiting,
                Stage::Stopping => v1::Stage::Stopping,
            }
            .into(),
            message: message.clone(),
        }),
        OperationView::Finished(Ok(done)) => Update::Done(self::done(done)),
        OperationView::Finished(Err(error)) => Update::Error(error_detail(error)),
    };
    v1::OperationUpdate {
        update: Some(update),
    }
}

pub fn done(done: &Done) -> v1::Done {
    let Done { message, changed } = done;
    v1::Done {
        message: message.clone(),
        changed: *changed,
    }
}
