//! The panel of `status`: problems first, then the host, then what runs.

use std::fmt::Write;

use jiff::Timestamp;

use crate::output::colour::{self, BAD, DIM, GOOD, STRONG, WARN, paint};
use crate::output::json::status::{
    EconomyPolicyView, EconomyView, HostView, RuntimeView, StatusView, StoreView,
};
use crate::output::wrap::wrap;
use crate::output::{escape, human};

/// The whole box in a panel of at most 80 columns, disks and reasons aside.
pub fn panel(view: &StatusView, now: Timestamp, width: Option<usize>) -> String {
    let mut text = String::new();
    let up = view
        .started_at
        .map(|at| format!(", up {}", human::age(at, now)))
        .unwrap_or_default();
    let _ = writeln!(
        text,
        "{}{up}",
        paint(
            STRONG,
            format_args!("dagdad {}", escape::cell(&view.version))
        )
    );

    for problem in problems(view) {
        let lines = wrap(&escape::text(&problem), "  ", width);
        let _ = writeln!(
            text,
            "{} {}",
            paint(BAD, "!"),
            lines.join("\n").trim_start()
        );
    }
    text.push('\n');
    match &view.host {
        Some(host) => text.push_str(&self::host(host)),
        None => line(&mut text, "Host", "not measured yet"),
    }
    text.push('\n');
    line(&mut text, "Pods", &pods(view));
    line(&mut text, "Economy", &economy(&view.economy, width));
    line(
        &mut text,
        "Runs",
        &format!("{} active, {} queued", view.runs.active, view.runs.queued),
    );
    let alerts = match view.alerts.firing {
        0 => "none firing".to_owned(),
        firing => paint(BAD, format_args!("{firing} firing")),
    };
    line(&mut text, "Alerts", &alerts);
    line(&mut text, "Store", &store(&view.store));
    line(&mut text, "Podman", &runtime(&view.runtime));
    text
}

fn line(text: &mut String, label: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{}  {value}",
        paint(STRONG, format_args!("{label:<8}"))
    );
}

/// What the owner should look into, the worst first.
fn problems(view: &StatusView) -> Vec<String> {
    let mut problems = Vec::new();
    if let RuntimeView {
        connected: false,
        reason,
        ..
    } = &view.runtime
    {
        let reason = reason.as_deref().unwrap_or("Podman does not answer");
        problems.push(format!("{reason}; see: dagdactl doctor"));
    }
    if view.pods.error > 0 {
        let pods = human::count(view.pods.error.into(), "pod");
        problems.push(format!("{pods} in error; see: dagdactl pods list"));
    }
    if let ("disconnected", reason) = (view.store.mariadb.as_str(), &view.store.reason) {
        let reason = reason.as_deref().unwrap_or("no reason given");
        problems.push(format!(
            "MariaDB is not reached, nothing is lost meanwhile: {reason}; see: dagdactl doctor"
        ));
    }
    problems
}

/// What the host has and uses, a line each.
pub fn host(host: &HostView) -> String {
    let mut text = String::new();
    let cores = human::count(host.cpu_count.into(), "core");
    let load = format!(
        "{cores}, load {:.2} {:.2} {:.2}",
        host.load_1m, host.load_5m, host.load_15m
    );
    gauge(&mut text, "CPU", host.cpu_percent, &load);
    let ram = format!(
        "{} of {}, {} available",
        human::bytes(host.ram_used_bytes),
        human::bytes(host.ram_total_bytes),
        human::bytes(host.ram_available_bytes)
    );
    gauge(&mut text, "RAM", host.ram_percent, &ram);
    if host.swap_total_bytes > 0 {
        let percent = host.swap_used_bytes as f64 * 100.0 / host.swap_total_bytes as f64;
        let swap = format!(
            "{} of {}",
            human::bytes(host.swap_used_bytes),
            human::bytes(host.swap_total_bytes)
        );
        gauge(&mut text, "Swap", percent, &swap);
    }
    for disk in &host.disks {
        let free = format!(
            "{}, {} of {} free",
            disk.mount,
            human::bytes(disk.available_bytes),
            human::bytes(disk.total_bytes)
        );
        gauge(&mut text, "Disk", disk.used_percent, &free);
    }
    if let Some(pressure) = &host.pressure {
        let shares = format!(
            "CPU {}, memory {}, I/O {}",
            human::percent(pressure.cpu_some_avg10),
            human::percent(pressure.memory_some_avg10),
            human::percent(pressure.io_some_avg10)
        );
        line(
            &mut text,
            "Pressure",
            &format!("{shares}  {}", paint(DIM, "share of 10 s spent waiting")),
        );
    }
    text
}

/// A share with a bar: `RAM        61.0%  ████████████░░░░░░░░  …`.
fn gauge(text: &mut String, label: &str, percent: f64, more: &str) {
    let percentage = format!("{:>6}", human::percent(percent));
    let value = format!("{percentage}  {}  {}", bar(percent), escape::cell(more));
    line(text, label, &value);
}

/// Twenty characters, a full one for each five percent.
fn bar(percent: f64) -> String {
    const CELLS: usize = 20;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped to 0..=20
    let full = (percent.clamp(0.0, 100.0) / 100.0 * CELLS as f64).round() as usize;
    format!(
        "{}{}",
        paint(colour::of_percent(percent), "█".repeat(full)),
        paint(DIM, "░".repeat(CELLS - full))
    )
}

fn pods(view: &StatusView) -> String {
    let counts = &view.pods;
    let mut text = format!("{} of {} running", counts.running, counts.total);
    if counts.error > 0 {
        let _ = write!(
            text,
            ", {}",
            paint(BAD, format_args!("{} in error", counts.error))
        );
    }
    if counts.unmanaged > 0 {
        let _ = write!(text, ", {} unmanaged", counts.unmanaged);
    }
    text
}

/// Whether it is active, why, and what was stopped.
fn economy(view: &EconomyView, width: Option<usize>) -> String {
    let policy = view.policy.as_str();
    let mut text = match (view.policy, view.active) {
        (EconomyPolicyView::Off, false) => "off".to_owned(),
        (_, false) => format!("{policy}, not active"),
        (_, true) => format!("{policy}, active"),
    };
    if let Some(reason) = &view.reason {
        let _ = write!(text, ": {}", escape::cell(reason));
    }
    if !view.shed.is_empty() {
        let _ = write!(text, "; shed: {}", escape::cell(&view.shed.join(", ")));
    }
    let lines = wrap(&text, &" ".repeat(10), width).join("\n");
    let text = lines.trim_start();
    // Painted last: what is not seen has a width, too.
    match text.strip_prefix(&format!("{policy}, active")) {
        Some(rest) => format!("{policy}, {}{rest}", paint(WARN, "active")),
        None => text.to_owned(),
    }
}

fn store(view: &StoreView) -> String {
    let waiting = match view.outbox {
        0 => String::new(),
        rows => format!(", {} waiting", human::count(rows, "row")),
    };
    match view.mariadb.as_str() {
        "disabled" => "SQLite; MariaDB is not configured".to_owned(),
        "connected" => format!("MariaDB {}{waiting}", paint(GOOD, "connected")),
        other => format!("MariaDB {}{waiting}", paint(WARN, escape::cell(other))),
    }
}

fn runtime(view: &RuntimeView) -> String {
    let version = view
        .version
        .as_deref()
        .map(|v| format!(" ({})", escape::cell(v)))
        .unwrap_or_default();
    if view.connected {
        format!("{}{version}", paint(GOOD, "connected"))
    } else {
        paint(BAD, "not connected")
    }
}
