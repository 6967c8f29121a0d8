//! Manifests for tests.

mod workflow;

use std::fmt::{self, Display, Formatter, Write as _};

pub use workflow::Workflow;

use crate::podman::{IMAGE, eater};

/// What a test's container asks for unless it says otherwise: little, so that it fits into any
/// box, and yet more than it ever uses, the runtime's own start of it (some 20 MiB) included.
pub const SMALL: u64 = 64 * MIB;
/// A mebibyte.
pub const MIB: u64 = 1024 * 1024;
const REQUESTS: (u64, u64) = (SMALL, 10);

/// A `v1/Pod` manifest under construction; its [`Display`] is YAML.
#[derive(Debug, Clone)]
pub struct Pod {
    name: String,
    annotations: Vec<(String, String)>,
    restart_policy: Option<&'static str>,
    init: Vec<Container>,
    containers: Vec<Container>,
}

/// A container of a [`Pod`].
#[derive(Debug, Clone)]
pub struct Container {
    name: String,
    image: String,
    command: Vec<String>,
    /// `(host, container)`
    ports: Vec<(u16, u16)>,
    /// YAML flow mapping.
    readiness: Option<String>,
    /// `resources.requests`: bytes of memory, thousandths of a core.
    requests: Option<(u64, u64)>,
}

/// Runs until it is told to stop, and stops at once then.
pub const WAIT: &str = "trap 'exit 0' TERM; while :; do busybox sleep 1000 & wait $!; done";

/// Runs until it is told to stop, and dies of itself when it gets SIGUSR1.
pub const FRAIL: &str = "trap 'exit 0' TERM; trap 'echo out of luck; exit 3' USR1; \
    while :; do busybox sleep 1000 & wait $!; done";

/// Serves its own name over HTTP on port 8080, quits at once when told to.
pub const SERVE: &str = "busybox mkdir -p /www; echo hello from $HOSTNAME > /www/index.html; \
    trap 'exit 0' TERM; busybox httpd -f -p 8080 -h /www & wait $!";

/// A probe that never passes: a pod with it is awaited until something else ends the start.
pub const NEVER_READY: &str = "{exec: {command: [/bin/busybox, 'false']}, periodSeconds: 1}";

impl Pod {
    /// A pod with one container, `main`, that runs a shell script.
    #[must_use]
    pub fn script(name: &str, script: &str) -> Self {
        Self {
            name: name.to_owned(),
            annotations: Vec::new(),
            restart_policy: None,
            init: Vec::new(),
            containers: vec![Container::new("main", script)],
        }
    }

    /// A pod that really takes `mib` MiB of memory; `options` as in `podman/eater.c`. The host's
    /// Podman must have been built with the eater.
    #[must_use]
    pub fn eating(name: &str, mib: u64, options: &[&str]) -> Self {
        let mut pod = Self::script(name, "").image(eater::IMAGE);
        let command = ["/bin/eater".to_owned(), mib.to_string()];
        pod.containers[0].command = command
            .into_iter()
            .chain(options.iter().map(|option| (*option).to_owned()))
            .collect();
        pod
    }

    /// A pod that runs until stopped.
    #[must_use]
    pub fn waiting(name: &str) -> Self {
        Self::script(name, WAIT)
    }

    /// A pod that can be made to die, and is not started again then: see [`FRAIL`].
    #[must_use]
    pub fn frail(name: &str) -> Self {
        Self::script(name, FRAIL).restart_policy("Never")
    }

    /// A pod that serves HTTP on 127.0.0.1:`port`.
    #[must_use]
    pub fn http(name: &str, port: u16) -> Self {
        Self::script(name, SERVE).port(port, 8080)
    }

    /// Publishes `container` on 127.0.0.1:`host`, from the first container.
    #[must_use]
    pub fn port(mut self, host: u16, container: u16) -> Self {
        self.containers[0].ports.push((host, container));
        self
    }

    /// Gives the first container a readiness probe: a YAML flow mapping such as
    /// `{tcpSocket: {port: 80}}`.
    #[must_use]
    pub fn readiness(mut self, probe: &str) -> Self {
        self.containers[0].readiness = Some(probe.to_owned());
        self
    }

    /// What the first container asks for, in bytes.
    #[must_use]
    pub fn memory(mut self, bytes: u64) -> Self {
        let (_, cpu) = self.containers[0].requests.unwrap_or(REQUESTS);
        self.containers[0].requests = Some((bytes, cpu));
        self
    }

    /// What the first container asks for, in thousandths of a core.
    #[must_use]
    pub fn cpu(mut self, millicores: u64) -> Self {
        let (memory, _) = self.containers[0].requests.unwrap_or(REQUESTS);
        self.containers[0].requests = Some((memory, millicores));
        self
    }

    /// Lets the first container ask for nothing.
    #[must_use]
    pub fn undeclared(mut self) -> Self {
        self.containers[0].requests = None;
        self
    }

    /// Makes it essential.
    #[must_use]
    pub fn essential(self) -> Self {
        self.annotation("dagda/category", "essential")
    }

    /// Sets its priority.
    #[must_use]
    pub fn priority(self, priority: u8) -> Self {
        self.annotation("dagda/priority", &priority.to_string())
    }

    /// Sets the pods that it comes after.
    #[must_use]
    pub fn after(self, pods: &[&str]) -> Self {
        self.annotation("dagda/after", &pods.join(", "))
    }

    /// Sets the first container's image.
    #[must_use]
    pub fn image(mut self, image: &str) -> Self {
        image.clone_into(&mut self.containers[0].image);
        self
    }

    /// Adds an annotation.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Sets `restartPolicy`.
    #[must_use]
    pub fn restart_policy(mut self, policy: &'static str) -> Self {
        self.restart_policy = Some(policy);
        self
    }

    /// Adds a container.
    #[must_use]
    pub fn container(mut self, name: &str, script: &str) -> Self {
        self.containers.push(Container::new(name, script));
        self
    }

    /// Adds an init container.
    #[must_use]
    pub fn init(mut self, name: &str, script: &str) -> Self {
        self.init.push(Container::new(name, script));
        self
    }
}

impl Container {
    fn new(name: &str, script: &str) -> Self {
        Self {
            name: name.to_owned(),
            image: IMAGE.to_owned(),
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            ports: Vec::new(),
            readiness: None,
            requests: Some(REQUESTS),
        }
    }
}

impl Display for Pod {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}",
            quoted(&self.name)
        )?;
        if !self.annotations.is_empty() {
            writeln!(f, "  annotations:")?;
        }
        for (key, value) in &self.annotations {
            writeln!(f, "    {}: {}", quoted(key), quoted(value))?;
        }
        writeln!(f, "spec:\n  terminationGracePeriodSeconds: 2")?;
        if let Some(policy) = self.restart_policy {
            writeln!(f, "  restartPolicy: {policy}")?;
        }
        if !self.init.is_empty() {
            writeln!(f, "  initContainers:")?;
        }
        self.init
            .iter()
            .try_for_each(|container| container.fmt(f))?;
        writeln!(f, "  containers:")?;
        self.containers
            .iter()
            .try_for_each(|container| container.fmt(f))
    }
}

impl Display for Container {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "    - name: {}\n      image: {}",
            quoted(&self.name),
            quoted(&self.image)
        )?;
        writeln!(f, "      imagePullPolicy: IfNotPresent")?;
        writeln!(f, "      command: {}", serde_json::json!(self.command))?;
        if let Some((memory, cpu)) = self.requests {
            writeln!(
                f,
                "      resources: {{requests: {{memory: \"{memory}\", cpu: {cpu}m}}}}"
            )?;
        }
        if !self.ports.is_empty() {
            writeln!(f, "      ports:")?;
        }
        for (host, container) in &self.ports {
            writeln!(
                f,
                "        - {{hostIP: 127.0.0.1, hostPort: {host}, containerPort: {container}}}"
            )?;
        }
        match &self.readiness {
            Some(probe) => writeln!(f, "      readinessProbe: {probe}"),
            None => Ok(()),
        }
    }
}

/// Several manifests as one file of several documents.
#[must_use]
pub fn documents<'a, T: Display + 'a>(objects: impl IntoIterator<Item = &'a T>) -> String {
    objects.into_iter().fold(String::new(), |mut text, object| {
        let _ = write!(text, "---\n{object}");
        text
    })
}

/// A YAML double-quoted scalar, which a JSON string is.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
