//! What is amiss now, condition by condition, for [`super::super::alerts`]; and what becomes of
//! it: rows, events.

use std::collections::BTreeMap;
use std::fmt::Arguments;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::alerts::{Change, Key, Level, Passed, Sight};
use super::super::effect::{Effect, Persist};
use super::super::state::State;
use crate::domain::alert::{Alert, Condition, Culprit, HOST, Limit, MARIADB, Pace, Severity};
use crate::domain::event::{EventKind, Subject};
use crate::domain::notification::Occasion;
use crate::domain::sample::{HostSample, PodUsage};
use crate::ports::{MirrorLink, Record};

/// So many pods are named as those that used most.
const CULPRITS: usize = 3;

/// Whether a step brought a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Watched {
    /// It did not.
    Unmeasured,
    /// It did, and the time since the one before counts.
    After(Duration),
    /// It did, the first one, or after a gap.
    Anew,
}

impl State {
    /// How the time since the last sample counts.
    pub(super) fn time_sample(&mut self, at: Timestamp) {
        let longest = self.settings.longest_gap();
        let gap = self.alert_sample.map(|last| at.duration_since(last));
        let gap = gap.and_then(|gap| Duration::try_from(gap).ok());
        self.alert_sample = Some(at);
        self.watched = match gap.filter(|gap| *gap <= longest) {
            Some(gap) => Watched::After(gap),
            None => Watched::Anew,
        };
    }

    fn since_sample(&self, now: Timestamp) -> Duration {
        let since = self.alert_sample.map(|last| now.duration_since(last));
        let since = since.and_then(|since| Duration::try_from(since).ok());
        since.unwrap_or_default()
    }

    /// Compares the alerts with what is.
    pub(super) fn watch_alerts(&mut self, now: Timestamp, out: &mut Vec<Effect>) {
        self.episodes.forget_ended(now);
        if !self.settled || self.closing {
            return;
        }
        let watched = std::mem::replace(&mut self.watched, Watched::Unmeasured);
        let passed = match watched {
            Watched::Unmeasured => Passed::Between(self.since_sample(now)),
            Watched::After(passed) => Passed::Sampled(passed),
            Watched::Anew => Passed::Unwatched,
        };
        let rules = self.settings.alerts;
        for (pod, sight) in self.sights_of_pods() {
            let key = (Condition::PodDown, pod);
            self.see(key, rules.pod_down, sight, passed, now, out);
        }
        let store = self.sight_of_store();
        if store.level == Level::Over || self.episodes.contains(Condition::StoreDown, MARIADB) {
            let key = (Condition::StoreDown, MARIADB.to_owned());
            self.see(key, rules.store_down, store, passed, now, out);
        }
        if watched != Watched::Unmeasured
            && let Some(host) = self.host.clone()
        {
            for (key, pace, sight) in self.sights_of_host(&host) {
                self.see(key, pace, sight, passed, now, out);
            }
        }
    }

    fn sight_of_store(&self) -> Sight {
        let severity = self.settings.alerts.store_down.severity;
        match &self.mirror.link {
            MirrorLink::Disconnected { reason, .. } => Sight {
                level: Level::Over,
                severity,
                value: None,
                message: format!("MariaDB takes no records, they wait in the outbox: {reason}"),
                culprits: Vec::new(),
            },
            // No proof yet that rows go through.
            MirrorLink::Connecting => Sight {
                level: Level::Between,
                ..below(severity, String::new())
            },
            MirrorLink::Connected | MirrorLink::Disabled => below(severity, String::new()),
        }
    }

    fn sights_of_host(&self, host: &HostSample) -> Vec<(Key, Pace, Sight)> {
        let rules = &self.settings.alerts;
        let pods = &self.usage;
        let by_cpu = |usage: &PodUsage| usage.cpu_percent;
        let by_memory = |usage: &PodUsage| usage.working_set().0 as f64;
        let mut seen = Vec::new();
        let mut see =
            |condition, object: &str, limit: &Limit, value, what: Arguments<'_>, most: Most<'_>| {
                // As a rule nothing is amiss, and nothing is said.
                let sight = measured(limit, value, what, most);
                if sight.level != Level::Below || self.episodes.contains(condition, object) {
                    seen.push(((condition, object.to_owned()), limit.pace, sight));
                }
            };
        let busiest = &|| greatest(pods, by_cpu);
        let largest = &|| greatest(pods, by_memory);
        see(
            Condition::CpuHigh,
            HOST,
            &rules.cpu_high,
            Some(host.cpu_percent),
            format_args!("CPU"),
            busiest,
        );
        see(
            Condition::RamHigh,
            HOST,
            &rules.ram_high,
            Some(host.memory.used_percent()),
            format_args!("RAM"),
            largest,
        );
        see(
            Condition::PressureHigh,
            HOST,
            &rules.pressure_high,
            host.pressure.map(|pressure| pressure.memory_some_avg10),
            format_args!("memory pressure"),
            largest,
        );
        for disk in &host.disks {
            see(
                Condition::DiskHigh,
                &disk.mount,
                &rules.disk_high,
                Some(disk.used_percent()),
                format_args!("disk {}", disk.mount),
                &Vec::new,
            );
        }
        let mounted = |mount: &String| host.disks.iter().any(|disk| disk.mount == *mount);
        for mount in self.episodes.objects(Condition::DiskHigh) {
            if !mounted(&mount) {
                let limit = &rules.disk_high;
                see(
                    Condition::DiskHigh,
                    &mount,
                    limit,
                    None,
                    format_args!(""),
                    &Vec::new,
                );
            }
        }
        seen
    }

    fn see(
        &mut self,
        key: Key,
        pace: Pace,
        sight: Sight,
        passed: Passed,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let Self {
            episodes,
            identities,
            ..
        } = self;
        let well = (sight.level == Level::Below).then(|| sight.message.clone());
        let id = || identities.next(now);
        let (occasion, alert) = match episodes.see(key, pace, sight, passed, now, id) {
            None => return,
            Some(Change::Raised(alert)) => (Some(Occasion::Raised), alert),
            Some(Change::Worsened(alert)) => (Some(Occasion::Worsened), alert),
            Some(Change::Updated(alert)) => (None, alert),
            Some(Change::Resolved(alert)) => (Some(Occasion::Resolved), alert),
        };
        let message = match well {
            None => alert.message.clone(),
            Some(message) if message.is_empty() => over(&alert),
            Some(message) => message,
        };
        self.write_alert(occasion, alert, &message, now, out);
    }

    /// Something happened that is an alert by itself; it is news only where it was none before.
    pub(super) fn raise(
        &mut self,
        condition: Condition,
        object: &str,
        severity: Severity,
        message: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let pace = Pace {
            hold: Duration::ZERO,
            clear_hold: Duration::ZERO,
            severity,
        };
        let sight = Sight {
            level: Level::Over,
            severity,
            value: None,
            message: message.to_owned(),
            culprits: Vec::new(),
        };
        let key = (condition, object.to_owned());
        self.see(key, pace, sight, Passed::Between(Duration::ZERO), now, out);
    }

    /// What happened is made good.
    pub(super) fn resolve(
        &mut self,
        condition: Condition,
        object: &str,
        message: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        if let Some(alert) = self.episodes.end(&(condition, object.to_owned()), now) {
            self.write_alert(Some(Occasion::Resolved), alert, message, now, out);
        }
    }

    /// Writes an alert, and notifies people once it is on disk.
    fn write_alert(
        &mut self,
        occasion: Option<Occasion>,
        alert: Alert,
        message: &str,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let mut records = vec![Record::PutAlert(Box::new(alert.clone()))];
        let mut then = Vec::new();
        if let Some(occasion) = occasion {
            let kind = match occasion {
                Occasion::Raised | Occasion::Worsened => EventKind::AlertRaised,
                Occasion::Resolved => EventKind::AlertResolved,
            };
            let message = format!("{}: {message}", alert.condition.as_str());
            let event = self.event_about(kind, Some(&alert.object), None, message, now);
            out.push(Effect::Announce {
                event: event.clone(),
                subject: Subject::alert(&alert),
            });
            records.push(Record::Event(event));
            then.extend(self.notification(occasion, alert, now));
        }
        out.push(Effect::Persist(Persist::Fact { records, then }));
    }
}

fn below(severity: Severity, message: String) -> Sight {
    Sight {
        level: Level::Below,
        severity,
        value: None,
        message,
        culprits: Vec::new(),
    }
}

/// Tells who uses most of something.
type Most<'a> = &'a dyn Fn() -> Vec<Culprit>;

/// What cannot be measured is not amiss.
fn measured(limit: &Limit, value: Option<f64>, what: Arguments<'_>, most: Most<'_>) -> Sight {
    let Limit {
        percent,
        clear_percent,
        critical_percent,
        pace,
    } = limit;
    let Some(value) = value.filter(|value| value >= clear_percent) else {
        return below(pace.severity, String::new());
    };
    if value < *percent {
        return Sight {
            level: Level::Between,
            value: Some(value),
            ..below(pace.severity, String::new())
        };
    }
    let critical = critical_percent.is_some_and(|critical| value >= critical);
    let culprits = most();
    let names: Vec<&str> = culprits
        .iter()
        .map(|culprit| culprit.pod.as_str())
        .collect();
    let most = if names.is_empty() {
        String::new()
    } else {
        format!("; most by {}", names.join(", "))
    };
    Sight {
        level: Level::Over,
        severity: if critical {
            Severity::Critical
        } else {
            pace.severity
        },
        value: Some(value),
        message: format!("{what} at {value:.1} %, the threshold is {percent} %{most}"),
        culprits,
    }
}

/// The pods that use most, the greatest first; those that use nothing are none of them.
fn greatest(pods: &BTreeMap<String, PodUsage>, by: impl Fn(&PodUsage) -> f64) -> Vec<Culprit> {
    let mut pods: Vec<(&String, &PodUsage)> =
        pods.iter().filter(|(_, usage)| by(usage) > 0.0).collect();
    pods.sort_by(|(_, a), (_, b)| by(b).total_cmp(&by(a)));
    let culprit = |(pod, usage): (&String, &PodUsage)| Culprit {
        pod: pod.clone(),
        cpu_percent: usage.cpu_percent,
        memory: usage.working_set(),
    };
    pods.into_iter().take(CULPRITS).map(culprit).collect()
}

/// What is said of an alert that is over.
fn over(alert: &Alert) -> String {
    let lasted = alert.resolved_at.map_or(SignedDuration::ZERO, |end| {
        end.duration_since(alert.created_at)
    });
    let lasted = Duration::from_secs(u64::try_from(lasted.as_secs()).unwrap_or(0));
    let lasted = humantime::format_duration(lasted);
    match alert.peak {
        Some(peak) => format!(
            "{} is over after {lasted}, its peak was {peak:.1} %",
            alert.object
        ),
        None => format!("{} is well again after {lasted}", alert.object),
    }
}
