//! Tables of `pods list` and `pods stats`.

use jiff::Timestamp;

use super::grid::{Column, Grid, Tone, known, plain};
use crate::output::human;
use crate::output::json::pods::{
    PodListView, PodStateView, PodStatsView, PodView, PortView, StatsView,
};

/// The pods as a table, what is to say about one below its row. Where the table is wider than
/// the terminal, only the first port of each pod is shown.
pub fn list(view: &PodListView, now: Timestamp, width: Option<usize>) -> String {
    let full = grid(view, now, width, all_ports);
    let grid = match width {
        Some(width) if full.width() > width => grid(view, now, Some(width), first_port),
        _ => full,
    };
    let mut text = grid.render();
    if view.pods.iter().any(|pod| pod.changed) {
        text.push_str("* manifest changed; restart to use it\n");
    }
    text
}

fn grid(
    view: &PodListView,
    now: Timestamp,
    width: Option<usize>,
    ports: fn(&[PortView]) -> String,
) -> Grid {
    let mut grid = Grid::new(&[
        Column::Left("NAME"),
        Column::Left("CATEGORY"),
        Column::Right("PRIO"),
        Column::Left("STATE"),
        Column::Left("READY"),
        Column::Right("CPU"),
        Column::Right("RAM"),
        Column::Left("PORTS"),
        Column::Right("AGE"),
    ]);
    for pod in &view.pods {
        let category = match pod.category {
            Some(category) => plain(category.as_str()),
            None => ("unmanaged".to_owned(), Tone::Dim),
        };
        grid.row([
            plain(&pod.name),
            category,
            known(pod.priority, |priority| priority.to_string()),
            state(pod),
            ready(pod.state, pod.ready),
            known(pod.cpu_percent, human::percent),
            known(pod.ram_bytes, human::bytes),
            known((!pod.ports.is_empty()).then_some(&pod.ports[..]), ports),
            known(pod.since, |since| human::age(since, now)),
        ]);
        if let Some(message) = &pod.message {
            grid.below(message, "  ", width);
        }
    }
    grid
}

/// The state, with a mark where the manifest has changed.
pub fn state(pod: &PodView) -> (String, Tone) {
    let mark = if pod.changed { "*" } else { "" };
    (
        format!("{}{mark}", pod.state.as_str()),
        tone(pod.state, pod.ready),
    )
}

/// How a state looks.
pub const fn tone(state: PodStateView, ready: bool) -> Tone {
    match state {
        PodStateView::Running if ready => Tone::Good,
        PodStateView::Running
        | PodStateView::Starting
        | PodStateView::Stopping
        | PodStateView::Unknown => Tone::Warn,
        PodStateView::Stopped => Tone::Dim,
        PodStateView::Error => Tone::Bad,
    }
}

/// Whether a pod in this state does its work.
pub fn ready(state: PodStateView, ready: bool) -> (String, Tone) {
    match (state, ready) {
        (_, true) => plain("yes"),
        (PodStateView::Running | PodStateView::Starting, false) => ("no".to_owned(), Tone::Warn),
        _ => ("-".to_owned(), Tone::Dim),
    }
}

/// Address and port on the host, as one would type it.
fn on_host(port: &PortView) -> String {
    let protocol = if port.protocol == "tcp" || port.protocol.is_empty() {
        String::new()
    } else {
        format!("/{}", port.protocol)
    };
    match &port.host_ip {
        None => format!("*:{}{protocol}", port.host_port),
        Some(ip) if ip.contains(':') => format!("[{ip}]:{}{protocol}", port.host_port),
        Some(ip) => format!("{ip}:{}{protocol}", port.host_port),
    }
}

/// As [`on_host`], and where it leads.
pub fn port(port: &PortView) -> String {
    format!("{} -> {}", on_host(port), port.container_port)
}

fn all_ports(ports: &[PortView]) -> String {
    ports.iter().map(on_host).collect::<Vec<_>>().join(",")
}

fn first_port(ports: &[PortView]) -> String {
    match ports {
        [] => String::new(),
        [only] => on_host(only),
        [first, rest @ ..] => format!("{} +{}", on_host(first), rest.len()),
    }
}

/// What pods use, as a table.
pub fn stats(view: &StatsView) -> String {
    let mut grid = Grid::new(&[
        Column::Left("NAME"),
        Column::Left("STATE"),
        Column::Right("CPU"),
        Column::Right("RAM"),
        Column::Right("ANON"),
        Column::Right("FILE"),
        Column::Right("MAPPED"),
    ]);
    for pod in &view.pods {
        let PodStatsView {
            name,
            state,
            cpu_percent,
            ram_bytes,
            ram_anon_bytes,
            ram_file_bytes,
            ram_mapped_bytes,
        } = pod;
        grid.row([
            plain(name),
            (state.as_str().to_owned(), tone(*state, true)),
            known(*cpu_percent, human::percent),
            known(*ram_bytes, human::bytes),
            known(*ram_anon_bytes, human::bytes),
            known(*ram_file_bytes, human::bytes),
            known(*ram_mapped_bytes, human::bytes),
        ]);
    }
    grid.render()
}
