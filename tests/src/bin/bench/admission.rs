//! What a refusal costs that says who would have to go.

// The cases are the ones that `cargo bench` tells apart.
#[path = "../../../../dagdad/benches/admission/cases.rs"]
mod cases;

use std::hint::black_box;

use cases::{Case, cases};
use dagdad::engine::admission::decide;

use crate::measure::{Row, Spread, time};

/// Decisions a case: enough for the 10th and the 90th percentile.
const ROUNDS: u32 = 100;

/// The slowest kind of case with so many pods.
pub fn with_victims(pods: usize) -> Row {
    let (case, spread) = cases(pods)
        .into_iter()
        .map(|case| {
            let spread = measured(&case);
            (case, spread)
        })
        .max_by(|(_, a), (_, b)| a.median().total_cmp(&b.median()))
        .expect("there are cases");
    Row {
        what: format!(
            "admission with victims, slowest kind: {}",
            case.to_string().trim()
        ),
        ours: format!("{spread} ms"),
        peer: "none".to_owned(),
        figure: format!("{:.3} ms", spread.median()),
        target: "≤ 1 ms at 200 pods".to_owned(),
        met: spread.median() <= 1.0,
    }
}

fn measured(case: &Case) -> Spread {
    Spread::of_durations((0..ROUNDS).map(|_| {
        time(|| {
            let denial = decide(&case.budget, &case.asked).expect_err("it does not fit");
            assert!(!black_box(denial).victims().is_empty(), "{case}");
        })
    }))
}
