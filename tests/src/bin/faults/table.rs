//! The table of all faults, 80 columns wide, and the same as JSON.

use serde_json::{Value, json};

use crate::fault::Outcome;

const WIDTH: usize = 80;
/// Of the first column, the space after it included.
const NAMES: usize = 19;
/// No more than so many characters are shown of why something did not hold.
const REASON: usize = 600;

/// The table.
pub fn text(outcomes: &[Outcome]) -> String {
    let rule = "─".repeat(WIDTH);
    let mut lines = vec![rule.clone()];
    for outcome in outcomes {
        let mut name = outcome.fault.name;
        let mut put = |mark: &str, text: &str| {
            let room = WIDTH - NAMES - mark.chars().count();
            for (index, line) in wrapped(text, room).into_iter().enumerate() {
                let lead = if index == 0 {
                    mark.to_owned()
                } else {
                    " ".repeat(mark.chars().count())
                };
                lines.push(format!("{name:<NAMES$}{lead}{line}"));
                name = "";
            }
        };
        put("", outcome.fault.done);
        for invariant in &outcome.invariants {
            match &invariant.broken {
                None => put("✓ ", &invariant.must),
                Some(reason) => {
                    put("✗ ", &invariant.must);
                    let reason: String = reason.chars().take(REASON).collect();
                    put("  ↳ ", &reason);
                }
            }
        }
        let figures: Vec<String> = outcome
            .figures
            .iter()
            .map(|figure| format!("{} {}", figure.what, figure.value))
            .collect();
        let took = format!("{:.0} s in all", outcome.took.as_secs_f64());
        let seen: Vec<String> = figures.into_iter().chain([took]).collect();
        put("seen: ", &seen.join(" · "));
        lines.push(rule.clone());
    }
    let broken = outcomes.iter().filter(|outcome| !outcome.held()).count();
    let count = outcomes
        .iter()
        .map(|outcome| outcome.invariants.len())
        .sum::<usize>();
    lines.push(match broken {
        0 => format!("{} faults, {count} invariants, all held", outcomes.len()),
        _ => format!("{broken} of {} faults broke an invariant", outcomes.len()),
    });
    lines.join("\n")
}

/// One JSON document.
pub fn json(outcomes: &[Outcome]) -> Value {
    let faults: Vec<Value> = outcomes
        .iter()
        .map(|outcome| {
            let invariants: Vec<Value> = outcome
                .invariants
                .iter()
                .map(
                    |it| json!({"must": it.must, "held": it.broken.is_none(), "broken": it.broken}),
                )
                .collect();
            let seen: Vec<Value> = outcome
                .figures
                .iter()
                .map(|figure| json!({"what": figure.what, "value": figure.value}))
                .collect();
            json!({
                "name": outcome.fault.name,
                "done": outcome.fault.done,
                "held": outcome.held(),
                "invariants": invariants,
                "seen": seen,
                "seconds": outcome.took.as_secs_f64(),
            })
        })
        .collect();
    json!({ "faults": faults })
}

fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut letters: Vec<char> = word.chars().collect();
        while !letters.is_empty() {
            let line = lines.last_mut().expect("there is a line");
            let used = line.chars().count();
            let gap = usize::from(used > 0);
            if used + gap + letters.len() <= room {
                line.extend(std::iter::repeat_n(' ', gap));
                line.extend(letters.drain(..));
            } else if used == 0 {
                line.extend(letters.drain(..room));
                lines.push(String::new());
            } else {
                lines.push(String::new());
            }
        }
    }
    lines
}
