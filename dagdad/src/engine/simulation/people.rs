//! What people do: commands to the daemon, and things behind its back.

use std::time::Duration;

use super::super::event::{Command, Event, Ticket};
use super::catalogue::{PODS, WORKFLOWS, name};
use super::podman::{ModelPod, Mood};
use super::{Happening, Tool, World};
use crate::domain::admission::Admission;
use crate::domain::alert::{Alert, Condition};
use crate::domain::catalogue::Entries;
use crate::domain::economy::Policy;
use crate::domain::name::PodName;
use crate::ports::{MirrorLink, MirrorStatus};

/// Below that, people only talk to the daemon.
const TALK: u64 = 62;
/// Below that, the daemon may come to harm.
const HARM: u64 = 68;

impl World {
    pub(super) fn somebody(&mut self) {
        if self.calm {
            return;
        }
        if let Ok(night) = Duration::try_from(self.night_ends.duration_since(self.now))
            && !night.is_zero()
        {
            return self.after(night, Happening::Somebody);
        }
        // Most of the time little happens; then much at once.
        let pause = if self.random.chance(70) {
            self.random.millis(0, 3_000)
        } else {
            self.random.millis(1_000, 150_000)
        };
        self.after(pause, Happening::Somebody);
        let deeds = match (self.climate.gentle, self.climate.mortal) {
            (true, false) => TALK,
            (true, true) => HARM,
            (false, _) => 100,
        };
        if self.random.chance(10) {
            self.tend_alerts();
        }
        if self.climate.policy != Policy::Off && self.random.chance(4) {
            let policy = self
                .random
                .pick(&[Policy::Auto, Policy::Auto, Policy::On, Policy::Off]);
            self.command(Command::SetEconomy { policy });
        }
        if self.random.chance(5) {
            let mirror = self.other_mirror();
            self.turn_mirror(mirror);
        }
        if self.climate.restless && self.random.chance(5) {
            self.shift_clock();
        }
        match self.random.below(deeds) {
            deed @ 0..TALK => self.talk(deed),
            62..67 => {
                self.kill_daemon();
                self.revive_later();
            }
            67 => {
                self.tell(Event::Shutdown);
                self.kill_daemon();
                self.revive_later();
            }
            deed => self.meddle(deed),
        }
        if !self.climate.gentle && self.random.chance(30) {
            self.change_mood(Mood::Well);
            self.disk.full = false;
        }
    }

    fn talk(&mut self, deed: u64) {
        let pod = self.random.pick(&PODS).to_owned();
        let workflow = self.random.pick(&WORKFLOWS).to_owned();
        match deed {
            0..14 => {
                let admission = self.some_admission();
                self.command(Command::Start { pod, admission });
            }
            14..22 => {
                let grace = self.random.chance(30).then_some(Duration::from_secs(1));
                self.command(Command::Stop { pod, grace });
            }
            22..27 => self.command(Command::Restart { pod }),
            27..30 => {
                let force = self.random.chance(50);
                self.command(Command::Remove { pod, force });
            }
            30..38 => self.apply(),
            38..54 => {
                let admission = self.some_admission();
                let queue = self.random.chance(50);
                let timeout = self
                    .random
                    .chance(20)
                    .then(|| self.random.millis(1_000, 200_000));
                self.command(Command::Run {
                    workflow,
                    admission,
                    queue,
                    timeout,
                });
            }
            54..60 => self.command(Command::StopWorkflow { workflow }),
            _ => self.command(Command::RemoveWorkflow { workflow }),
        }
    }

    /// Takes note of alerts, or ends one.
    fn tend_alerts(&mut self) {
        let daemon = self.daemon.as_ref();
        let known = daemon.map(|daemon| daemon.state.episodes.alerts().cloned());
        let known: Vec<Alert> = known.into_iter().flatten().collect();
        let alert = match known.len() as u64 {
            0 => None,
            count => known.get(usize::try_from(self.random.below(count)).expect("an index")),
        };
        let id = alert.map_or_else(|| "0".to_owned(), |alert| alert.id.to_string());
        let command = match self.random.below(3) {
            0 => Command::ResolveAlert { id },
            1 => Command::AcknowledgeAlerts { which: id },
            _ => Command::AcknowledgeAlerts {
                which: self.random.pick(&Condition::ALL).as_str().to_owned(),
            },
        };
        self.command(command);
    }

    fn other_mirror(&self) -> MirrorLink {
        match self.mirror {
            MirrorLink::Disconnected { .. } => MirrorLink::Connected,
            MirrorLink::Connected | MirrorLink::Connecting | MirrorLink::Disabled => {
                MirrorLink::Disconnected {
                    reason: "connection refused".to_owned(),
                    since: self.clock(),
                }
            }
        }
    }

    /// The way to MariaDB changes.
    pub(super) fn turn_mirror(&mut self, link: MirrorLink) {
        self.mirror = link.clone();
        let status = mirror_status(link);
        self.tell(Event::Mirror(status));
    }

    fn meddle(&mut self, deed: u64) {
        let pod = name(self.random.pick(&PODS));
        match deed {
            68..72 => self.stop_behind_its_back(pod),
            72..76 => {
                if self.start_from_outside(&pod) {
                    self.stopped_by_people.remove(&pod);
                }
            }
            76..78 => self.remove_pod(&pod),
            78..82 => {
                let code = self.random.pick(&[0, 1, 139]);
                self.crash(&pod, code);
            }
            82..84 => self.pause(&pod),
            84..86 => {
                self.kill_daemon();
                self.power_cut();
                self.stopped_by_people.clear();
                self.revive_later();
            }
            86..89 => self.change_mood(Mood::Hung),
            89..91 => self.change_mood(Mood::Gone),
            91..95 => self.change_mood(Mood::Well),
            95..97 => self.disk.full = true,
            _ => self.disk.full = false,
        }
    }

    fn stop_behind_its_back(&mut self, pod: PodName) {
        if self.podman.pods.get(&pod).is_some_and(ModelPod::runs) {
            self.stop_pod(&pod, Duration::from_secs(10), None);
            if self.daemon.is_some() && self.podman.mood == Mood::Well {
                self.stopped_by_people.insert(pod, Tool::Podman);
            }
        }
    }

    fn some_admission(&mut self) -> Admission {
        match self.random.below(20) {
            0..11 => Admission::Fit,
            11..18 => Admission::Evict,
            // What is forced does not stay within bounds.
            _ if self.climate.steady() => Admission::Fit,
            _ => Admission::Force,
        }
    }

    /// The catalogue as it is at first.
    pub(super) fn apply_all(&mut self) {
        let mut entries = Entries::default();
        for text in PODS {
            let pod = self.some_pod(text, true);
            entries.pods.push(pod);
        }
        let dry_run = false;
        self.command(Command::Apply { entries, dry_run });
        for text in WORKFLOWS {
            let mut entries = Entries::default();
            let workflow = self.some_workflow(text, true);
            entries.workflows.push(workflow);
            self.command(Command::Apply { entries, dry_run });
        }
    }

    /// Some of the catalogue anew.
    fn apply(&mut self) {
        let mut entries = Entries::default();
        for text in PODS {
            if self.random.chance(20) {
                let pod = self.some_pod(text, false);
                entries.pods.push(pod);
            }
        }
        for text in WORKFLOWS {
            if self.random.chance(10) {
                let workflow = self.some_workflow(text, false);
                entries.workflows.push(workflow);
            }
        }
        let dry_run = self.random.chance(10);
        self.command(Command::Apply { entries, dry_run });
    }

    fn command(&mut self, command: Command) {
        if self.daemon.is_none() {
            return;
        }
        match &command {
            Command::Start { pod, .. } | Command::Restart { pod } => {
                self.stopped_by_people.remove(pod.as_str());
            }
            _ => {}
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.tell(Event::Command { ticket, command });
    }
}

pub(super) const fn mirror_status(link: MirrorLink) -> MirrorStatus {
    MirrorStatus { link, outbox: 0 }
}
