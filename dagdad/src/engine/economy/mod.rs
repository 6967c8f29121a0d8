//! Economy mode, pure. (Being written: the diagram and the machine come with it.)

mod situation;

pub use self::situation::{PodSituation, Situation, Stance};
