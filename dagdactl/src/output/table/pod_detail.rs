//! The page of `pods show`.

use std::fmt::Write;

use jiff::Timestamp;

use super::grid::{Column, Grid, Tone, known, plain};
use super::{field, pods};
use crate::output::colour::{STRONG, paint};
use crate::output::json::admission::{ExpectationView, ObservedView};
use crate::output::json::pod_detail::PodDetailView;
use crate::output::json::pods::PodView;
use crate::output::{escape, human};

/// All that is known of a pod; the manifest stands last.
pub fn show(view: &PodDetailView, now: Timestamp, width: Option<usize>) -> String {
    let pod = &view.pod;
    let mut text = String::new();
    let mut field = |label: &str, value: &str| field(&mut text, label, value, width);
    field("Name", &pod.name);
    match (pod.category, pod.priority) {
        (Some(category), Some(priority)) => field(
            "Category",
            &format!("{}, priority {priority}", category.as_str()),
        ),
        _ => field(
            "Category",
            "unmanaged: Podman runs it, the catalogue does not have it",
        ),
    }
    let mut state = pod.state.as_str().to_owned();
    if pod.ready {
        state.push_str(", ready");
    }
    if let Some(since) = pod.since {
        let _ = write!(state, ", for {}", human::age(since, now));
    }
    if let Some(operation) = &view.operation {
        let _ = write!(state, "; {operation} under way");
    }
    field("State", &state);
    if pod.changed {
        field(
            "Changed",
            "the manifest was changed after the start; restart to use it",
        );
    }
    if let Some(message) = &pod.message {
        field("Message", message);
    }
    if let Some(uses) = uses(pod) {
        field("Uses", &uses);
    }
    if !view.manifest.is_empty() {
        if view.expected.is_none() {
            let declared = format!(
                "{}, CPU {}",
                human::bytes(view.declared_memory_bytes),
                human::cores(view.declared_cpu_millicores)
            );
            field("Declared", &declared);
        }
        field("Restart", &view.restart_policy.replace('_', " "));
        field("Grace", &format!("{} s", view.grace_period_seconds));
        field("Idle", &idle(view, now));
        field(
            "Freeze",
            if view.freeze {
                "allowed"
            } else {
                "not allowed"
            },
        );
    }
    if !view.after.is_empty() {
        field("After", &view.after.join(", "));
    }
    if !view.runs.is_empty() {
        let runs: Vec<String> = view.runs.iter().map(|run| format!("run {run}")).collect();
        field("Needed by", &runs.join("\n"));
    }
    if !pod.ports.is_empty() {
        let ports: Vec<String> = pod.ports.iter().map(pods::port).collect();
        field("Ports", &ports.join("\n"));
    }
    if let Some(expected) = &view.expected {
        let _ = write!(text, "\n{}", footprint(view, expected, width));
    }
    if !view.containers.is_empty() {
        let _ = write!(text, "\n{}", containers(view));
    }
    if !view.manifest.is_empty() {
        let _ = writeln!(text, "\n{}", paint(STRONG, "Manifest"));
        for line in view.manifest.lines() {
            let _ = writeln!(text, "  {}", escape::text(line));
        }
    }
    text
}

/// What it uses now, while that is measured.
fn uses(pod: &PodView) -> Option<String> {
    let (cpu, ram) = pod.cpu_percent.zip(pod.ram_bytes)?;
    let mut text = format!("{} of a core, {}", human::percent(cpu), human::bytes(ram));
    // Writing to a String cannot fail.
    if let Some(rate) = pod.network_bytes_per_second {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a rate, not below 0
        let rate = human::bytes(rate.round() as u64);
        let _ = write!(text, ", {rate}/s over the network");
    }
    if let (Some(anon), Some(file), Some(mapped)) =
        (pod.ram_anon_bytes, pod.ram_file_bytes, pod.ram_mapped_bytes)
    {
        let _ = write!(
            text,
            "\n{} anonymous, {} file-backed, {} of that mapped",
            human::bytes(anon),
            human::bytes(file),
            human::bytes(mapped)
        );
    }
    Some(text)
}

/// For how long it has done nothing, and when that counts.
fn idle(view: &PodDetailView, now: Timestamp) -> String {
    let from = human::span(view.idle_timeout_seconds);
    match view.idle_since {
        Some(since) => format!("for {}; counts from {from} on", human::age(since, now)),
        None => format!("no; counts from {from} on"),
    }
}

/// What it declares beside what was seen, what is reckoned with and what is held for it.
fn footprint(view: &PodDetailView, expected: &ExpectationView, width: Option<usize>) -> String {
    let ExpectationView {
        memory_bytes,
        cpu_millicores,
        declared_memory_bytes,
        declared_cpu_millicores,
        memory_basis,
        cpu_basis,
        observed,
    } = expected;
    let mut grid = Grid::new(&[
        Column::Left(""),
        Column::Right("DECLARED"),
        Column::Right("OBSERVED"),
        Column::Right("EXPECTED"),
        Column::Left("BASIS"),
        Column::Right("RESERVED"),
    ]);
    let observed = observed.as_ref();
    grid.row([
        plain("Memory"),
        plain(human::bytes(*declared_memory_bytes)),
        known(observed, |seen| {
            human::bytes(seen.memory_highest_peak_bytes)
        }),
        plain(human::bytes(*memory_bytes)),
        plain(memory_basis),
        known(view.reserved_memory_bytes, human::bytes),
    ]);
    grid.row([
        plain("CPU"),
        plain(human::cores(*declared_cpu_millicores)),
        known(observed, |seen| {
            human::cores(seen.cpu_highest_peak_millicores)
        }),
        plain(human::cores(*cpu_millicores)),
        plain(cpu_basis),
        known(view.reserved_cpu_millicores, human::cores),
    ]);
    let told = match observed {
        None => "Observed is nothing yet: it has not run.".to_owned(),
        Some(seen) => {
            let ObservedView {
                runs,
                confidence,
                memory_lowest_peak_bytes,
                memory_highest_peak_bytes,
                cpu_highest_peak_millicores: _,
                slowest_ready_seconds,
            } = seen;
            let ready = slowest_ready_seconds.map_or_else(
                || "it has never become ready".to_owned(),
                |seconds| format!("ready after {} at the latest", human::seconds(seconds)),
            );
            let lowest = human::bytes(*memory_lowest_peak_bytes);
            let highest = human::bytes(*memory_highest_peak_bytes);
            let peaks = if lowest == highest {
                format!("a memory peak of {highest}")
            } else {
                format!("memory peaks of {lowest} to {highest}")
            };
            let runs = human::count((*runs).into(), "run");
            format!("Observed over {runs}, confidence {confidence}: {peaks}; {ready}.")
        }
    };
    grid.below(&told, "", width);
    grid.render()
}

fn containers(view: &PodDetailView) -> String {
    let mut grid = Grid::new(&[
        Column::Left("CONTAINER"),
        Column::Left("STATE"),
        Column::Right("EXIT"),
        Column::Right("RESTARTS"),
        Column::Left("IMAGE"),
    ]);
    for container in &view.containers {
        let name = if container.init {
            format!("{} (init)", container.name)
        } else {
            container.name.clone()
        };
        let tone = match (container.state.as_str(), container.exit_code) {
            ("running", _) => Tone::Good,
            ("exited", Some(code)) if code != 0 => Tone::Bad,
            _ => Tone::Plain,
        };
        grid.row([
            plain(name),
            (container.state.clone(), tone),
            known(container.exit_code, |code| code.to_string()),
            plain(container.restarts.to_string()),
            plain(&container.image),
        ]);
    }
    grid.render()
}
