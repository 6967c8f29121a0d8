//! What people do: commands to the daemon, and things behind its back.

use std::time::Duration;

use super::super::event::{Command, Event, Ticket};
use super::podman::{ModelPod, Mood};
use super::{Happening, Tool, World};
use crate::domain::admission::Admission;
use crate::domain::catalogue::{CataloguePod, Digest, Entries, Manifest};
use crate::domain::name::PodName;
use crate::domain::pod::{
    ContainerSpec, Footprint, PodSpec, PortSpec, Priority, Probe, ProbeAction, Protocol,
    PullPolicy, RestartPolicy,
};

const NAMES: [&str; 4] = ["adminer", "llama", "mariadb", "qwen"];
const VERSIONS: u64 = 4;

impl World {
    pub(super) fn somebody(&mut self) {
        if self.calm {
            return;
        }
        // Most of the time little happens; then much at once.
        let pause = if self.random.chance(60) {
            self.random.millis(0, 2_000)
        } else {
            self.random.millis(1_000, 300_000)
        };
        self.after(pause, Happening::Somebody);
        let pod = name(self.random.pick(&NAMES));
        match self.random.below(if self.gentle { 66 } else { 100 }) {
            0..22 => self.command(Command::Start {
                admission: Admission::Fit,
                pod: pod.to_string(),
            }),
            22..36 => {
                let grace = self.random.chance(30).then_some(Duration::from_secs(1));
                self.command(Command::Stop {
                    pod: pod.to_string(),
                    grace,
                });
            }
            36..44 => self.command(Command::Restart {
                pod: pod.to_string(),
            }),
            44..50 => {
                let force = self.random.chance(50);
                self.command(Command::Remove {
                    pod: pod.to_string(),
                    force,
                });
            }
            50..66 => self.apply(),
            66..70 => {
                if self.podman.pods.get(&pod).is_some_and(ModelPod::runs) {
                    self.stop_pod(&pod, Duration::from_secs(10), None);
                    if self.daemon.is_some() && self.podman.mood == Mood::Well {
                        self.stopped_by_people.insert(pod, Tool::Podman);
                    }
                }
            }
            70..74 => {
                if self.start_from_outside(&pod) {
                    self.stopped_by_people.remove(&pod);
                }
            }
            74..76 => self.remove_pod(&pod),
            76..80 => {
                let code = self.random.pick(&[0, 1, 139]);
                self.crash(&pod, code);
            }
            80..82 => self.pause(&pod),
            82..88 => {
                self.kill_daemon();
                self.revive_later();
            }
            88..89 => {
                self.kill_daemon();
                self.power_cut();
                self.stopped_by_people.clear();
                self.revive_later();
            }
            89..92 => self.change_mood(Mood::Hung),
            92..94 => self.change_mood(Mood::Gone),
            94..98 => self.change_mood(Mood::Well),
            98 => self.disk.full = true,
            _ => self.disk.full = false,
        }
        if !self.gentle && self.random.chance(30) {
            self.change_mood(Mood::Well);
            self.disk.full = false;
        }
    }

    pub(super) fn apply(&mut self) {
        let mut pods = Vec::new();
        for text in NAMES {
            if pods.is_empty() || self.random.chance(40) {
                let version = self.random.below(VERSIONS);
                let entry = manifest(text, version);
                self.manifests
                    .insert(entry.manifest.digest.0.clone(), entry.clone());
                pods.push(entry);
            }
        }
        let dry_run = self.random.chance(10);
        self.command(Command::Apply {
            entries: Entries {
                pods,
                ..Entries::default()
            },
            dry_run,
        });
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

fn name(text: &str) -> PodName {
    text.parse().expect("a name")
}

/// The manifest of a pod in one of its versions.
fn manifest(text: &str, version: u64) -> CataloguePod {
    let digest = Digest(format!("{text} {version}"));
    let container = |name: &str, readiness: Option<Probe>, ports: Vec<PortSpec>| ContainerSpec {
        name: name.to_owned(),
        image: "model".to_owned(),
        pull_policy: PullPolicy::IfNotPresent,
        ports,
        readiness,
        memory_limit: None,
        cpu_limit: None,
    };
    let probe = Probe {
        action: ProbeAction::TcpSocket {
            port: 80,
            host: None,
        },
        initial_delay: Duration::from_secs(version),
        period: Duration::from_secs(10),
        timeout: Duration::from_secs(1),
        success_threshold: 1 + u32::try_from(version % 2).expect("small"),
        failure_threshold: 3,
    };
    let host_port = match text {
        "llama" | "qwen" => 8001,
        _ => 8002 + u16::from(text == "mariadb"),
    };
    let port = PortSpec {
        name: None,
        container_port: 80,
        host_port: Some(host_port),
        host_ip: None,
        protocol: Protocol::Tcp,
    };
    let mut containers = vec![match text {
        "adminer" => container("server", None, Vec::new()),
        "llama" | "mariadb" => container("server", None, vec![port]),
        _ => container("server", Some(probe), vec![port]),
    }];
    if version == 3 {
        containers.push(container("sidecar", None, Vec::new()));
    }
    let restart_policy = match (text, version) {
        (_, 2) => RestartPolicy::OnFailure,
        ("adminer", _) | (_, 1) => RestartPolicy::Never,
        _ => RestartPolicy::Always,
    };
    CataloguePod {
        spec: PodSpec {
            name: name(text),
            category: crate::domain::pod::Category::Optional,
            priority: Priority::default(),
            after: Vec::new(),
            footprint: Footprint::DEFAULT,
            grace: Duration::from_secs(10),
            restart_policy,
            host_network: false,
            init_containers: Vec::new(),
            containers,
        },
        manifest: Manifest {
            text: digest.0.clone(),
            digest,
        },
    }
}
