//! What the host's samples make of the alerts, and what people do with them.

use super::*;
use crate::domain::alert::{Alert, AlertState, Condition, HOST, MARIADB, Severity};
use crate::domain::event::EventKind;
use crate::domain::sample::{DiskSample, PodUsage, PressureSample};
use crate::ports::{MirrorLink, MirrorStatus};

/// A box with nothing on it whose host is measured every five seconds.
struct Watched {
    bench: Bench,
    host: HostSample,
    usage: Vec<(String, PodUsage)>,
    rows: Vec<Alert>,
    events: Vec<(EventKind, String)>,
    last: Option<Reply>,
}

impl Watched {
    fn new() -> Self {
        let mut bench = Bench::with(&[]);
        bench.list();
        Self {
            host: idle_host(bench.now),
            bench,
            usage: Vec::new(),
            rows: Vec::new(),
            events: Vec::new(),
            last: None,
        }
    }

    fn tell(&mut self, event: Event) {
        let effects = self.bench.tell(event);
        self.take(&effects);
    }

    fn take(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::Persist(Persist::Fact { records, then }) => {
                    for record in records {
                        match record {
                            Record::PutAlert(alert) => {
                                self.rows.retain(|row| row.id != alert.id);
                                self.rows.push((**alert).clone());
                            }
                            Record::Event(event) => {
                                self.events.push((event.kind, event.message.clone()));
                            }
                            _ => {}
                        }
                    }
                    self.take(then);
                }
                Effect::Answer { reply, .. } => self.last = Some(reply.clone()),
                _ => {}
            }
        }
    }

    fn sample(&mut self, seconds: i64) {
        self.bench.wait(seconds);
        self.host.at = self.bench.now;
        self.tell(Event::Sampled(Sample {
            host: self.host.clone(),
            pods: self.usage.clone(),
            unseen: Vec::new(),
        }));
    }

    fn samples(&mut self, seconds: i64) {
        for _ in 0..seconds / 5 {
            self.sample(5);
        }
    }

    fn ram(&mut self, percent: u64) {
        self.host.memory.used = Bytes::gib(64 * percent / 100);
    }

    fn command(&mut self, command: Command) -> Reply {
        self.bench.tickets += 1;
        let ticket = Ticket(self.bench.tickets);
        self.tell(Event::Command { ticket, command });
        self.last.take().expect("an answer")
    }

    fn only(&self) -> &Alert {
        let [alert] = self.rows.as_slice() else {
            panic!("{:#?}", self.rows);
        };
        alert
    }
}

fn using(cpu_percent: f64, gib: u64) -> PodUsage {
    PodUsage {
        cpu_percent,
        memory: Bytes::gib(gib),
        anon: Bytes::gib(gib),
        ..PodUsage::default()
    }
}

#[test]
fn short_memory_is_told_of_with_those_that_use_it() {
    let mut watched = Watched::new();
    watched.ram(91);
    watched.usage = vec![
        ("idle".to_owned(), using(0.0, 0)),
        ("qwen".to_owned(), using(1.0, 9)),
        ("llama".to_owned(), using(90.0, 30)),
        ("web".to_owned(), using(0.5, 1)),
        ("n8n".to_owned(), using(0.5, 2)),
    ];
    watched.sample(5);
    watched.samples(55);
    assert_eq!(watched.rows, []);
    watched.sample(5);
    let alert = watched.only().clone();
    assert_eq!(
        (alert.condition, alert.object.as_str()),
        (Condition::RamHigh, HOST)
    );
    assert_eq!(alert.severity, Severity::Warning);
    let culprits: Vec<&str> = alert.culprits.iter().map(|c| c.pod.as_str()).collect();
    assert_eq!(culprits, ["llama", "qwen", "n8n"]);
    assert_eq!(alert.culprits[0].memory, Bytes::gib(30));
    assert!(
        alert.message.starts_with("RAM at 9")
            && alert
                .message
                .ends_with("the threshold is 80 %; most by llama, qwen, n8n"),
        "{}",
        alert.message
    );

    watched.ram(97);
    watched.sample(5);
    assert_eq!(watched.only().severity, Severity::Critical);
    watched.ram(10);
    watched.sample(5);
    watched.samples(295);
    assert_eq!(watched.only().resolved_at, None);
    watched.sample(5);
    assert_eq!(watched.only().state(), AlertState::Resolved);
    let kinds: Vec<EventKind> = watched.events.iter().map(|(kind, _)| *kind).collect();
    let raised = EventKind::AlertRaised;
    assert_eq!(kinds, [raised, raised, EventKind::AlertResolved]);
    let (_, told) = watched.events.last().unwrap();
    assert!(
        told.contains("host is over after") && told.contains("its peak was 9"),
        "{told}"
    );
}

#[test]
fn each_disk_has_its_own_alert_and_a_disk_that_is_gone_has_none() {
    let mut watched = Watched::new();
    let disk = |mount: &str, free: u64| DiskSample {
        mount: mount.to_owned(),
        total: Bytes::gib(100),
        available: Bytes::gib(free),
    };
    watched.host.disks = vec![disk("/", 5), disk("/data", 50), disk("/mnt", 1)];
    watched.samples(65);
    let mut found: Vec<(&str, Severity)> = watched
        .rows
        .iter()
        .map(|alert| (alert.object.as_str(), alert.severity))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [("/", Severity::Warning), ("/mnt", Severity::Critical)]
    );
    watched.host.disks.truncate(2);
    watched.samples(305);
    let resolved = watched.rows.iter().filter(|row| row.resolved_at.is_some());
    let resolved: Vec<&str> = resolved.map(|alert| alert.object.as_str()).collect();
    assert_eq!(resolved, ["/mnt"]);
}

#[test]
fn busy_cores_and_pressure_are_told_of() {
    let mut watched = Watched::new();
    watched.host.cpu_percent = 100.0;
    watched.usage = vec![("batch".to_owned(), using(700.0, 1))];
    watched.host.pressure = Some(PressureSample {
        memory_some_avg10: 25.0,
        ..PressureSample::default()
    });
    watched.samples(35);
    assert_eq!(watched.only().condition, Condition::PressureHigh);
    watched.samples(270);
    let conditions: Vec<Condition> = watched.rows.iter().map(|row| row.condition).collect();
    assert_eq!(conditions, [Condition::PressureHigh, Condition::CpuHigh]);
    assert_eq!(watched.rows[1].culprits[0].pod, "batch");
    assert!((watched.rows[1].peak.unwrap() - 100.0).abs() < 0.1);
}

/// Asleep, or a clock that is set, raises nothing and resolves nothing.
#[test]
fn a_gap_is_no_alert_and_no_end() {
    for jump in [16, 60, 3600, -3600] {
        let mut watched = Watched::new();
        watched.ram(91);
        watched.samples(30);
        watched.sample(jump);
        watched.samples(55);
        assert_eq!(watched.rows, [], "after a jump of {jump} s");
        watched.sample(5);
        assert_eq!(watched.only().resolved_at, None);
        watched.ram(10);
        watched.samples(200);
        watched.sample(jump);
        watched.samples(295);
        assert_eq!(watched.only().resolved_at, None, "after a jump of {jump} s");
        watched.sample(5);
        assert!(watched.only().resolved_at.is_some());
    }
}

/// Where samples come quickly, a stall is told from a busy box sooner.
#[test]
fn a_short_gap_counts_and_one_of_many_quick_samples_does_not() {
    let held = |gap: i64| {
        let mut watched = Watched::new();
        watched.bench.state.settings.sample_interval = Duration::from_secs(1);
        watched.bench.state.settings.alerts.ram_high.pace.hold = Duration::from_secs(8);
        watched.ram(91);
        for seconds in [1, 1, 1, 1, gap] {
            watched.sample(seconds);
        }
        (0..20).position(|_| {
            watched.sample(1);
            !watched.rows.is_empty()
        })
    };
    // Held for 3 s before the gap, 8 s are to be held; after a stall, all of them once more.
    assert_eq!(held(1), Some(3));
    assert_eq!(held(4), Some(0));
    assert_eq!(held(6), Some(7));
    assert_eq!(held(14), Some(7));
}

#[test]
fn mariadb_away_is_told_of_once_it_is_away_for_long() {
    let mut watched = Watched::new();
    let link = |link| Event::Mirror(MirrorStatus { link, outbox: 7 });
    let away = MirrorLink::Disconnected {
        reason: "connection refused".to_owned(),
        since: start(),
    };
    watched.tell(link(away.clone()));
    watched.samples(30);
    watched.tell(link(MirrorLink::Connected));
    watched.samples(600);
    assert_eq!(watched.rows, []);

    watched.tell(link(away));
    watched.samples(65);
    let alert = watched.only();
    assert_eq!(
        (alert.condition, alert.object.as_str()),
        (Condition::StoreDown, MARIADB)
    );
    assert!(alert.message.contains("connection refused"));
    // A connection that is tried is none yet.
    watched.tell(link(MirrorLink::Connecting));
    watched.samples(600);
    assert_eq!(watched.only().resolved_at, None);
    watched.tell(link(MirrorLink::Connected));
    watched.samples(65);
    assert!(watched.only().resolved_at.is_some());
}

fn acknowledge(which: &str) -> Command {
    let which = which.to_owned();
    Command::AcknowledgeAlerts { which }
}

fn resolve(id: &str) -> Command {
    let id = id.to_owned();
    Command::ResolveAlert { id }
}

fn changed(reply: Reply) -> (Vec<AlertState>, bool) {
    let Reply::Alerts { alerts, changed } = reply else {
        panic!("{reply:?}");
    };
    (alerts.iter().map(Alert::state).collect(), changed)
}

#[test]
fn an_alert_is_acknowledged_once_and_goes_on() {
    let mut watched = Watched::new();
    watched.ram(91);
    watched.samples(65);
    let id = watched.only().id.to_string();
    let acknowledged = vec![AlertState::Acknowledged];
    let reply = watched.command(acknowledge(&id[..9].to_uppercase()));
    assert_eq!(changed(reply), (acknowledged.clone(), true));
    assert_eq!(watched.only().acknowledged_at, Some(watched.bench.now));
    let reply = watched.command(acknowledge("ram_high"));
    assert_eq!(changed(reply), (acknowledged, false));
    assert_eq!(
        changed(watched.command(acknowledge("disk_high"))),
        (vec![], false)
    );
    watched.samples(600);
    assert_eq!(watched.only().state(), AlertState::Acknowledged);
    let told = (EventKind::AlertAcknowledged, "ram_high: by hand".to_owned());
    assert_eq!(
        watched
            .events
            .iter()
            .filter(|event| **event == told)
            .count(),
        1
    );
}

#[test]
fn an_alert_is_resolved_by_hand_until_it_was_over() {
    let mut watched = Watched::new();
    watched.ram(91);
    watched.samples(65);
    let id = watched.only().id.to_string();
    assert_eq!(
        changed(watched.command(resolve(&id))),
        (vec![AlertState::Resolved], true)
    );
    let Reply::Refused(error) = watched.command(resolve(&id)) else {
        panic!("it is resolved twice");
    };
    assert_eq!(error.code(), "not_found");
    watched.samples(3600);
    watched.only();
    watched.ram(10);
    watched.sample(5);
    watched.ram(91);
    watched.samples(65);
    assert_eq!(watched.rows.len(), 2);
}

#[test]
fn what_names_no_alert_or_more_than_one_is_refused() {
    let mut watched = Watched::new();
    for which in ["", "beef", "%", "ram_hihg"] {
        let Reply::Refused(error) = watched.command(acknowledge(which)) else {
            panic!("{which:?} is an alert");
        };
        assert_eq!(error.code(), "not_found");
    }
    watched.ram(91);
    watched.host.disks = vec![DiskSample {
        mount: "/".to_owned(),
        total: Bytes::gib(100),
        available: Bytes::gib(5),
    }];
    watched.samples(65);
    let id = watched.rows[0].id.to_string();
    let Reply::Refused(error) = watched.command(resolve(&id[..4])) else {
        panic!("one of two is resolved");
    };
    assert_eq!(error.code(), "invalid");
    assert!(error.to_string().contains("disk_high of /"), "{error}");
}
