//! What dagdad makes of each fault that its box may have: done to the real daemon, a real Podman
//! and a real MariaDB, each followed by what must hold then. Prints one table; ends with 1 where
//! something did not hold. `faults [--json] [FILTER]`: the faults whose names have FILTER in them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a step that fails is a fault that could not be gone through, there and then"
)]

mod clock;
mod crowd;
mod damaged;
mod disk;
mod fault;
mod inhabited;
mod killed;
mod log_file;
mod prober;
mod saved;
mod state_dir;
mod stopped;
mod table;

use std::process::ExitCode;

use fault::{Fault, Outcome};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let mut filters = arguments.iter().filter(|argument| *argument != "--json");
    let (filter, rest) = (filters.next(), filters.next());
    let chosen: Vec<Fault> = all()
        .into_iter()
        .filter(|fault| filter.is_none_or(|filter| fault.name.contains(filter.as_str())))
        .collect();
    if rest.is_some() || chosen.is_empty() {
        let names: Vec<&str> = all().iter().map(|fault| fault.name).collect();
        eprintln!(
            "usage: faults [--json] [FILTER], part of one of these names:\n{}",
            names.join("\n")
        );
        return ExitCode::from(2);
    }
    let outcomes: Vec<Outcome> = chosen
        .iter()
        .map(|fault| {
            eprintln!("{} …", fault.name);
            fault.go_through()
        })
        .collect();
    if json {
        println!("{}", table::json(&outcomes));
    } else {
        println!("{}", table::text(&outcomes));
    }
    if outcomes.iter().all(Outcome::held) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn all() -> Vec<Fault> {
    [
        killed::faults(),
        stopped::faults(),
        disk::faults(),
        damaged::faults(),
        log_file::faults(),
        state_dir::faults(),
        clock::faults(),
        crowd::faults(),
    ]
    .concat()
}
