//! The page of `pods show`.

use std::fmt::Write;

use jiff::Timestamp;

use super::grid::{Column, Grid, Tone, known, plain};
use super::pods;
use crate::output::colour::{STRONG, paint};
use crate::output::json::pod_detail::PodDetailView;
use crate::output::wrap::wrap;
use crate::output::{escape, human};

/// All that is known of a pod; the manifest stands last.
pub fn show(view: &PodDetailView, now: Timestamp, width: Option<usize>) -> String {
    let pod = &view.pod;
    let mut text = String::new();
    let mut field = |label: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{}  {}",
            paint(STRONG, format_args!("{label:<9}")),
            escape::text(value)
        );
    };
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
        let lines = wrap(message, "           ", width);
        field("Message", lines.join("\n").trim_start());
    }
    if let (Some(cpu), Some(ram)) = (pod.cpu_percent, pod.ram_bytes) {
        let split = match (pod.ram_anon_bytes, pod.ram_file_bytes) {
            (Some(anon), Some(file)) => {
                format!(
                    " ({} anonymous, {} file-backed)",
                    human::bytes(anon),
                    human::bytes(file)
                )
            }
            _ => String::new(),
        };
        field(
            "Uses",
            &format!(
                "{} of a core, {}{split}",
                human::percent(cpu),
                human::bytes(ram)
            ),
        );
    }
    if !view.manifest.is_empty() {
        let cores = view.declared_cpu_millicores as f64 / 1000.0;
        field(
            "Declared",
            &format!("{}, CPU {cores}", human::bytes(view.declared_memory_bytes)),
        );
        field("Restart", &view.restart_policy.replace('_', " "));
        field("Grace", &format!("{} s", view.grace_period_seconds));
    }
    if !view.after.is_empty() {
        field("After", &view.after.join(", "));
    }
    if !pod.ports.is_empty() {
        let ports: Vec<String> = pod.ports.iter().map(pods::port).collect();
        field("Ports", &ports.join("\n           "));
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
