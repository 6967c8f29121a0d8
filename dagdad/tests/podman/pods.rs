//! Pods for the tests to play, and the host's ports that they publish.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use dagdad::domain::catalogue::RenderedPod;
use dagdad::domain::name::PodName;
use dagdad::domain::pod::{
    Category, ContainerSpec, Footprint, PodSpec, PortSpec, Priority, Protocol, PullPolicy,
    RestartPolicy,
};

use crate::podman::IMAGE;

/// How long a pod may take to end when it is told to.
pub const GRACE: Duration = Duration::from_secs(1);

/// A pod whose containers run the given shell scripts.
pub struct TestPod {
    name: &'static str,
    restart: RestartPolicy,
    init: Vec<(&'static str, String)>,
    containers: Vec<(&'static str, String)>,
    port: Option<(u16, u16)>,
    /// Further lines of `spec`, and of the first container, in YAML's flow style.
    pub spec_extra: String,
    pub container_extra: String,
}

impl TestPod {
    /// A pod called `name`, without containers yet, that is always started again.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            restart: RestartPolicy::Always,
            init: Vec::new(),
            containers: Vec::new(),
            port: None,
            spec_extra: String::new(),
            container_extra: String::new(),
        }
    }

    /// Says when its containers are started again.
    pub fn restart(mut self, policy: RestartPolicy) -> Self {
        self.restart = policy;
        self
    }

    /// Adds an init container.
    pub fn init(mut self, name: &'static str, script: impl Into<String>) -> Self {
        self.init.push((name, script.into()));
        self
    }

    /// Adds a container.
    pub fn container(mut self, name: &'static str, script: impl Into<String>) -> Self {
        self.containers.push((name, script.into()));
        self
    }

    /// Publishes `container_port` at `host_port` of 127.0.0.1.
    pub fn port(mut self, host_port: u16, container_port: u16) -> Self {
        self.port = Some((host_port, container_port));
        self
    }

    fn container_yaml(name: &str, script: &str, extra: &str) -> String {
        let command = serde_json::json!(["/bin/sh", "-c", script]);
        format!("{{name: {name}, image: {IMAGE}, command: {command}{extra}}}")
    }

    /// What the runtime is given to play.
    pub fn render(&self) -> RenderedPod {
        let policy = match self.restart {
            RestartPolicy::Always => "Always",
            RestartPolicy::OnFailure => "OnFailure",
            RestartPolicy::Never => "Never",
        };
        let ports = self.port.map_or(String::new(), |(host, container)| {
            format!(
                ", ports: [{{hostIP: 127.0.0.1, hostPort: {host}, containerPort: {container}}}]"
            )
        });
        let init: Vec<_> = self
            .init
            .iter()
            .map(|(name, script)| Self::container_yaml(name, script, &self.container_extra))
            .collect();
        let containers: Vec<_> = self
            .containers
            .iter()
            .enumerate()
            .map(|(index, (name, script))| {
                let ports = if index == 0 { ports.as_str() } else { "" };
                Self::container_yaml(name, script, &format!("{ports}{}", self.container_extra))
            })
            .collect();
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {}}}\nspec: {{restartPolicy: {policy}, initContainers: [{}], containers: [{}]{}}}\n",
            self.name,
            init.join(", "),
            containers.join(", "),
            self.spec_extra,
        );
        RenderedPod {
            spec: self.spec(),
            text,
        }
    }

    /// What Dagda understands of it.
    pub fn spec(&self) -> PodSpec {
        let container = |name: &str, port: Option<(u16, u16)>| ContainerSpec {
            name: name.to_owned(),
            image: IMAGE.to_owned(),
            pull_policy: PullPolicy::IfNotPresent,
            ports: port
                .map(|(host, container)| PortSpec {
                    name: None,
                    container_port: container,
                    host_port: Some(host),
                    host_ip: Some("127.0.0.1".parse().unwrap()),
                    protocol: Protocol::Tcp,
                })
                .into_iter()
                .collect(),
            readiness: None,
            memory_limit: None,
            cpu_limit: None,
        };
        PodSpec {
            name: self.name.parse().unwrap(),
            category: Category::Optional,
            priority: Priority::default(),
            after: Vec::new(),
            freeze: false,
            idle_timeout: dagdad::domain::pod::DEFAULT_IDLE_TIMEOUT,
            footprint: Footprint::DEFAULT,
            grace: GRACE,
            restart_policy: self.restart,
            host_network: false,
            init_containers: self
                .init
                .iter()
                .map(|(name, _)| container(name, None))
                .collect(),
            containers: self
                .containers
                .iter()
                .enumerate()
                .map(|(index, (name, _))| container(name, self.port.filter(|_| index == 0)))
                .collect(),
        }
    }
}

/// A pod that does nothing until it is stopped.
pub fn sleeper(name: &'static str) -> RenderedPod {
    TestPod::new(name)
        .container("main", "exec busybox sleep 1000")
        .render()
}

/// A pod's name, from a literal.
pub fn name(text: &str) -> PodName {
    text.parse().unwrap()
}

/// A port nobody listens on just now, another one at each call, below those that the kernel hands
/// out to whoever asks for any.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 1000).unwrap();
    let mut ports =
        std::iter::repeat_with(|| 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 1500);
    ports
        .find(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok())
        .unwrap()
}
