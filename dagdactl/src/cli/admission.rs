//! What is to happen where a start does not fit.

use clap::Args;
use dagda_proto::v1::AdmissionMode;

/// The options of every start.
#[derive(Debug, Args)]
pub struct AdmissionArgs {
    /// Where it does not fit, stop the pods that dagdad proposes first
    ///
    /// Only optional pods are stopped, never one of a higher priority where lower ones suffice;
    /// `workflow plan` and a refused start name them.
    #[arg(long, conflicts_with = "force")]
    pub evict: bool,

    /// Start whether it fits or not; dagdad records that it was forced
    #[arg(long)]
    pub force: bool,
}

impl AdmissionArgs {
    /// As it goes on the wire.
    pub const fn mode(&self) -> AdmissionMode {
        match (self.evict, self.force) {
            (_, true) => AdmissionMode::Force,
            (true, false) => AdmissionMode::Evict,
            (false, false) => AdmissionMode::Fit,
        }
    }
}
