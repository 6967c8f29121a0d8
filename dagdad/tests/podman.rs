//! The Podman runtime against a real Podman, which each test starts for itself.

// Helpers of tests may panic as tests do; clippy knows only the latter by their attribute.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::net::TcpListener;
use std::time::Duration;

use dagdad::domain::catalogue::RenderedPod;
use dagdad::domain::name::PodName;
use dagdad::domain::observed::{
    ContainerState, LogQuery, LogStream, ObservedPod, PodCondition, RuntimeSignal,
};
use dagdad::domain::pod::{
    Category, ContainerSpec, Footprint, PodSpec, PortSpec, Priority, Probe, ProbeAction, Protocol,
    PublishedPort, PullPolicy, Readiness, RestartPolicy,
};
use dagdad::ports::{ProbeFailure, Runtime, RuntimeError};
use dagdad::runtime::podman::{Deadlines, Origin, Podman, PodmanOptions};
use futures::StreamExt;
use futures::stream::BoxStream;
use support::podman::{IMAGE, TestPodman};
use tokio::sync::mpsc;

/// Longer than anything here takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(40);

const GRACE: Duration = Duration::from_secs(1);

/// A pod whose containers run the given shell scripts.
struct TestPod {
    name: &'static str,
    restart: RestartPolicy,
    init: Vec<(&'static str, String)>,
    containers: Vec<(&'static str, String)>,
    port: Option<(u16, u16)>,
    /// Further lines of `spec`, and of the first container, in YAML's flow style.
    spec_extra: String,
    container_extra: String,
}

impl TestPod {
    fn new(name: &'static str) -> Self {
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

    fn restart(mut self, policy: RestartPolicy) -> Self {
        self.restart = policy;
        self
    }

    fn init(mut self, name: &'static str, script: impl Into<String>) -> Self {
        self.init.push((name, script.into()));
        self
    }

    fn container(mut self, name: &'static str, script: impl Into<String>) -> Self {
        self.containers.push((name, script.into()));
        self
    }

    /// Publishes `container_port` at `host_port` of 127.0.0.1.
    fn port(mut self, host_port: u16, container_port: u16) -> Self {
        self.port = Some((host_port, container_port));
        self
    }

    fn container_yaml(name: &str, script: &str, extra: &str) -> String {
        let command = serde_json::json!(["/bin/sh", "-c", script]);
        format!("{{name: {name}, image: {IMAGE}, command: {command}{extra}}}")
    }

    fn render(&self) -> RenderedPod {
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

    fn spec(&self) -> PodSpec {
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

fn name(text: &str) -> PodName {
    text.parse().unwrap()
}

/// A port nobody listens on just now.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

async fn pod(runtime: &Podman, name: &str) -> Option<ObservedPod> {
    runtime
        .list()
        .await
        .unwrap()
        .into_iter()
        .find(|pod| pod.name == name)
}

async fn next(signals: &mut BoxStream<'static, RuntimeSignal>) -> RuntimeSignal {
    tokio::time::timeout(PATIENCE, signals.next())
        .await
        .expect("a signal in time")
        .expect("signals never end")
}

/// Waits until pod `name` is as wanted, looking again at each signal.
async fn until(
    runtime: &Podman,
    signals: &mut BoxStream<'static, RuntimeSignal>,
    name: &str,
    wanted: impl Fn(Option<&ObservedPod>) -> bool,
) -> Option<ObservedPod> {
    let look = async {
        loop {
            let pod = pod(runtime, name).await;
            if wanted(pod.as_ref()) {
                return pod;
            }
            next(signals).await;
        }
    };
    let pod = tokio::time::timeout(PATIENCE, look).await;
    pod.unwrap_or_else(|_| panic!("pod {name} did not become as wanted"))
}

/// Signals, beyond the first `Connected`.
async fn connected(runtime: &Podman) -> BoxStream<'static, RuntimeSignal> {
    let mut signals = runtime.signals();
    let first = next(&mut signals).await;
    assert!(
        matches!(first, RuntimeSignal::Connected { .. }),
        "{first:?}"
    );
    signals
}

#[tokio::test]
async fn a_pod_is_started_listed_stopped_and_removed() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    assert_eq!(runtime.list().await.unwrap(), []);
    let port = free_port();
    let web = TestPod::new("web")
        .container("server", "exec busybox httpd -f -p 8080")
        .container("idle-one", "exec busybox sleep 1000")
        .port(port, 8080)
        .render();
    runtime.play(&web).await.unwrap();

    let observed = pod(&runtime, "web").await.unwrap();
    let mut names: Vec<_> = observed
        .containers
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["idle-one", "server"]);
    assert!(
        matches!(
            observed.condition(),
            PodCondition::Running { whole: true, .. }
        ),
        "{observed:?}"
    );
    assert_eq!(
        observed.ports,
        [PublishedPort {
            host_ip: Some("127.0.0.1".parse().unwrap()),
            host_port: port,
            container_port: 8080,
            protocol: Protocol::Tcp,
        }]
    );
    let cgroup = observed.cgroup.expect("a running pod's cgroup is known");
    let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"];
    assert!(
        roots
            .iter()
            .any(|root| std::path::Path::new(&format!("{root}{cgroup}")).is_dir()),
        "{cgroup} is in no hierarchy"
    );

    assert_eq!(
        runtime.play(&web).await,
        Err(RuntimeError::AlreadyRunning {
            pod: "web".to_owned()
        })
    );
    runtime.stop(&name("web"), GRACE).await.unwrap();
    let observed = pod(&runtime, "web").await.unwrap();
    assert!(
        observed
            .containers
            .iter()
            .all(|c| matches!(c.state, ContainerState::Exited { .. })),
        "restartPolicy Always must not bring a stopped pod back: {observed:?}"
    );
    assert_eq!(observed.ports, [], "a stopped pod holds no port");
    runtime
        .stop(&name("web"), GRACE)
        .await
        .expect("stopping a stopped pod is a success");

    runtime.play(&web).await.expect("a stopped pod is replaced");
    runtime.remove(&name("web")).await.unwrap();
    assert_eq!(pod(&runtime, "web").await, None);
    runtime
        .remove(&name("web"))
        .await
        .expect("removing a missing pod is a success");
    runtime
        .stop(&name("web"), GRACE)
        .await
        .expect("stopping a missing pod is a success");
}

#[tokio::test]
async fn each_end_in_a_crash_loop_is_told_and_the_loop_can_be_stopped() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let mut signals = connected(&runtime).await;
    let crash = TestPod::new("crash")
        .container("main", "echo boom; exit 3")
        .render();
    runtime.play(&crash).await.unwrap();
    let mut died = 0;
    while died < 5 {
        if let RuntimeSignal::Died {
            pod,
            container,
            code,
        } = next(&mut signals).await
        {
            assert_eq!(
                (pod.as_str(), container.as_str(), code),
                ("crash", "main", 3)
            );
            died += 1;
        }
    }
    runtime.stop(&name("crash"), GRACE).await.unwrap();
    let observed = pod(&runtime, "crash").await.unwrap();
    assert!(
        matches!(observed.condition(), PodCondition::Failed { code: 3, .. }),
        "Podman itself ignores a stop of a pod in a crash loop: {observed:?}"
    );
}

#[tokio::test]
async fn a_pod_with_a_dead_or_paused_container_can_be_stopped() {
    let podman = TestPodman::start();
    // Podman's own grace period is 10 s: a lost one ends in an error here.
    let deadlines = Deadlines {
        stop_beyond_grace: Duration::from_secs(7),
        ..Deadlines::default()
    };
    let runtime = Podman::new(PodmanOptions {
        deadlines,
        ..podman.options()
    });
    let mut signals = connected(&runtime).await;
    let half = TestPod::new("half")
        .restart(RestartPolicy::Never)
        .container("dead", "exit 1")
        .container("alive", "exec busybox sleep 1000")
        .render();
    runtime.play(&half).await.unwrap();
    until(&runtime, &mut signals, "half", |pod| {
        matches!(
            pod.map(ObservedPod::condition),
            Some(PodCondition::Running { whole: false, .. })
        )
    })
    .await;
    podman.cli(&["pod", "pause", "half"]);
    runtime.stop(&name("half"), GRACE).await.unwrap();
    let observed = pod(&runtime, "half").await.unwrap();
    assert!(
        matches!(observed.condition(), PodCondition::Failed { .. }),
        "{observed:?}"
    );
}

#[tokio::test]
async fn what_others_do_with_podman_is_told() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let mut signals = connected(&runtime).await;
    let idle = TestPod::new("idle")
        .container("main", "exec busybox sleep 1000")
        .render();
    runtime.play(&idle).await.unwrap();
    podman.cli(&["pod", "stop", "--time", "0", "idle"]);
    let requested = RuntimeSignal::StopRequested {
        pod: "idle".to_owned(),
    };
    while next(&mut signals).await != requested {}
    until(&runtime, &mut signals, "idle", |pod| {
        matches!(
            pod.map(ObservedPod::condition),
            Some(PodCondition::Failed { code: 137, .. })
        )
    })
    .await;
    podman.cli(&["pod", "start", "idle"]);
    until(&runtime, &mut signals, "idle", |pod| {
        matches!(
            pod.map(ObservedPod::condition),
            Some(PodCondition::Running { .. })
        )
    })
    .await;
    podman.cli(&["pod", "rm", "--force", "--time", "0", "idle"]);
    until(&runtime, &mut signals, "idle", |pod| pod.is_none()).await;
}

#[tokio::test]
async fn a_pod_that_ends_by_itself_was_not_asked_to() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let mut signals = connected(&runtime).await;
    let short = TestPod::new("short")
        .restart(RestartPolicy::Never)
        .container("main", "exit 0");
    runtime.play(&short.render()).await.unwrap();
    let look = async {
        let mut seen = Vec::new();
        loop {
            let signal = next(&mut signals).await;
            seen.push(signal.clone());
            let ended = pod(&runtime, "short").await.unwrap();
            // Its infra container follows it, with a `stop` of the pod.
            if signal == RuntimeSignal::Changed
                && ended.condition() == PodCondition::Completed
                && podman.cli(&["pod", "ps", "--format", "{{.Status}}"]) == "Exited"
            {
                return seen;
            }
        }
    };
    let seen = tokio::time::timeout(PATIENCE, look)
        .await
        .expect("the pod ends");
    assert!(
        !seen
            .iter()
            .any(|signal| matches!(signal, RuntimeSignal::StopRequested { .. })),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_start_that_fails_leaves_nothing() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let conflict = TestPod::new("conflict")
        .container("main", "sleep 1")
        .port(port, 80)
        .render();
    let error = runtime.play(&conflict).await.unwrap_err().to_string();
    assert!(
        error.contains("address already in use") && error.contains(&port.to_string()),
        "{error}"
    );
    assert!(!error.contains('\n'));
    assert_eq!(pod(&runtime, "conflict").await, None);

    let mut nonsense = TestPod::new("nonsense").container("main", "").render();
    nonsense.text = nonsense.text.replace("/bin/sh", "/no/such/program");
    let error = runtime.play(&nonsense).await.unwrap_err().to_string();
    assert!(
        error.contains("container main") && error.contains("/no/such/program"),
        "{error}"
    );
    assert_eq!(pod(&runtime, "nonsense").await, None);
}

#[tokio::test]
async fn a_missing_image_is_told_in_one_line() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let (progress, mut lines) = mpsc::channel(16);
    let ensure =
        |image: &'static str, policy| runtime.ensure_image(image, policy, progress.clone());

    ensure(IMAGE, PullPolicy::IfNotPresent).await.unwrap();
    ensure(IMAGE, PullPolicy::Never).await.unwrap();
    let never = ensure("localhost/none", PullPolicy::Never)
        .await
        .unwrap_err();
    assert!(
        never.to_string().contains("imagePullPolicy is Never"),
        "{never}"
    );

    // Port 1 answers no registry.
    let image = "127.0.0.1:1/none:latest";
    let error = ensure(image, PullPolicy::IfNotPresent).await.unwrap_err();
    let RuntimeError::Image {
        image: named,
        reason,
    } = &error
    else {
        panic!("{error:?}")
    };
    assert_eq!(named, image);
    assert!(
        reason.contains("connection refused") && !reason.contains('\n'),
        "{reason}"
    );
    let line = lines.try_recv().expect("the pull tells what it does");
    assert!(line.message.contains("Trying to pull"), "{line:?}");

    let error = ensure("not an image", PullPolicy::Always)
        .await
        .unwrap_err();
    assert!(matches!(error, RuntimeError::Image { .. }), "{error:?}");
}

#[tokio::test]
async fn logs_are_read_by_container_tail_time_and_as_they_come() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let talker = TestPod::new("talker")
        .container(
            "loud",
            "echo one; echo two >&2; printf thr; echo ee; exec busybox sleep 1000",
        )
        .container("quiet", "echo hush; exec busybox sleep 1000");
    runtime.play(&talker.render()).await.unwrap();
    let talker = name("talker");

    let follow = LogQuery {
        follow: true,
        ..LogQuery::default()
    };
    let mut lines = runtime.logs(&talker, &follow).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 4 {
        let line = tokio::time::timeout(PATIENCE, lines.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert!(line.at.is_some(), "{line:?}");
        seen.push((line.container, line.stream, line.text));
    }
    seen.sort_by(|a, b| a.2.cmp(&b.2));
    let line =
        |container: &str, stream, text: &str| (container.to_owned(), stream, text.to_owned());
    assert_eq!(
        seen,
        [
            line("quiet", LogStream::Stdout, "hush"),
            line("loud", LogStream::Stdout, "one"),
            line("loud", LogStream::Stdout, "three"),
            line("loud", LogStream::Stderr, "two"),
        ]
    );

    let read = async |query: LogQuery| -> Vec<String> {
        let lines = runtime.logs(&talker, &query).await.unwrap();
        let lines: Vec<_> = tokio::time::timeout(PATIENCE, lines.collect())
            .await
            .unwrap();
        lines
            .into_iter()
            .map(|line: Result<_, _>| line.unwrap().text)
            .collect()
    };
    assert_eq!(read(LogQuery::default()).await.len(), 4);
    let quiet = LogQuery {
        container: Some("quiet".to_owned()),
        ..LogQuery::default()
    };
    assert_eq!(read(quiet).await, ["hush"]);
    let tail = LogQuery {
        tail: Some(1),
        container: Some("loud".to_owned()),
        ..LogQuery::default()
    };
    assert_eq!(read(tail).await.len(), 1);
    let hour = LogQuery {
        since: Some(Duration::from_hours(1)),
        ..LogQuery::default()
    };
    assert_eq!(read(hour).await.len(), 4);

    runtime.stop(&talker, Duration::ZERO).await.unwrap();
    let end = tokio::time::timeout(PATIENCE, lines.next())
        .await
        .expect("the end of the pod");
    assert!(end.is_none(), "{end:?}");
    assert_eq!(
        read(LogQuery::default()).await.len(),
        4,
        "a stopped pod's log can be read"
    );
    let ended = runtime.logs(&talker, &follow).await.unwrap();
    let ended: Vec<_> = tokio::time::timeout(PATIENCE, ended.collect())
        .await
        .unwrap();
    assert_eq!(ended.len(), 4, "following a stopped pod ends");

    let missing = runtime
        .logs(&name("nobody"), &LogQuery::default())
        .await
        .err()
        .unwrap();
    assert_eq!(
        missing,
        RuntimeError::NotFound {
            what: "pod nobody".to_owned()
        }
    );
    let nobody = LogQuery {
        container: Some("nobody".to_owned()),
        ..LogQuery::default()
    };
    let missing = runtime.logs(&talker, &nobody).await.err().unwrap();
    assert!(
        matches!(missing, RuntimeError::NotFound { .. }),
        "{missing:?}"
    );
}

fn probe(action: ProbeAction) -> Readiness {
    Readiness::Probe {
        container: "server".to_owned(),
        probe: Probe {
            action,
            initial_delay: Duration::ZERO,
            period: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            success_threshold: 1,
            failure_threshold: 3,
        },
    }
}

fn http_get(path: &str, port: u16) -> Readiness {
    probe(ProbeAction::HttpGet {
        path: path.to_owned(),
        port,
        headers: Vec::new(),
        host: None,
    })
}

fn exec(command: &[&str]) -> Readiness {
    let command = command.iter().map(|&word| word.to_owned()).collect();
    probe(ProbeAction::Exec { command })
}

/// Asks until it holds: a server needs a moment until it listens.
async fn holds(runtime: &Podman, spec: &PodSpec, readiness: &Readiness) {
    let ask = async {
        while let Err(ProbeFailure(_)) = runtime.probe(spec, readiness).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let held = tokio::time::timeout(PATIENCE, ask).await.is_ok();
    assert!(
        held,
        "{readiness:?}: {:?}",
        runtime.probe(spec, readiness).await
    );
}

#[tokio::test]
async fn probes_ask_over_http_tcp_and_inside_the_container() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let port = free_port();
    let web = TestPod::new("web")
        .container(
            "server",
            "echo ok > /index.html; (busybox httpd -f -p 8081 &) ; exec busybox httpd -f -p 8080",
        )
        .port(port, 8080);
    let spec = web.spec();
    runtime.play(&web.render()).await.unwrap();
    holds(&runtime, &spec, &http_get("/index.html", 8080)).await;
    holds(
        &runtime,
        &spec,
        &probe(ProbeAction::TcpSocket {
            port: 8080,
            host: None,
        }),
    )
    .await;
    let published = spec.published_ports().next().unwrap();
    holds(&runtime, &spec, &Readiness::Accepts { port: published }).await;
    holds(
        &runtime,
        &spec,
        &exec(&["/bin/busybox", "test", "-f", "/index.html"]),
    )
    .await;

    let fails = async |readiness: Readiness| runtime.probe(&spec, &readiness).await.unwrap_err().0;
    let why = fails(http_get("/none", 8080)).await;
    assert!(why.contains("404") && why.contains("server"), "{why}");
    let why = fails(exec(&["/bin/sh", "-c", "echo not yet >&2; exit 4"])).await;
    assert!(why.contains("exit code 4: not yet"), "{why}");
    let why = fails(exec(&["/no/such/program"])).await;
    assert!(why.contains("/no/such/program"), "{why}");

    let slow = exec(&["/bin/busybox", "sleep", "1000"]);
    let why = fails(slow.clone()).await;
    assert!(why.contains("no end within 5s"), "{why}");
    let why = fails(slow).await;
    assert!(why.contains("an earlier check has not ended yet"), "{why}");

    // An unpublished port is reachable from the host for root only.
    if rustix::process::geteuid().is_root() {
        holds(&runtime, &spec, &http_get("/index.html", 8081)).await;
    } else {
        let why = fails(http_get("/index.html", 8081)).await;
        assert!(why.contains("publish it with hostPort"), "{why}");
    }
    let closed = PublishedPort {
        host_port: free_port(),
        ..published
    };
    fails(Readiness::Accepts { port: closed }).await;
}

#[tokio::test]
async fn a_hung_podman_is_noticed_and_noticed_again_when_it_answers() {
    let podman = TestPodman::start();
    let short = Duration::from_secs(2);
    let deadlines = Deadlines {
        list: short,
        version: short,
        ping_every: short,
        ..Deadlines::default()
    };
    let runtime = Podman::new(PodmanOptions {
        deadlines,
        ..podman.options()
    });
    let mut signals = connected(&runtime).await;
    podman.freeze_service();
    let error = runtime.list().await.unwrap_err();
    assert_eq!(
        error,
        RuntimeError::TimedOut {
            what: "list the pods".to_owned(),
            after: short
        }
    );
    let signal = next(&mut signals).await;
    assert!(
        matches!(signal, RuntimeSignal::Disconnected { .. }),
        "{signal:?}"
    );
    podman.thaw_service();
    let signal = next(&mut signals).await;
    assert!(
        matches!(signal, RuntimeSignal::Connected { .. }),
        "said once, until it answers: {signal:?}"
    );
    assert_eq!(runtime.list().await.unwrap(), []);
}

#[tokio::test]
async fn a_configured_socket_is_the_only_one_tried() {
    let mut podman = TestPodman::start();
    let runtime = podman.runtime();
    let description = runtime.describe().await.unwrap();
    assert_eq!(description.origin, Origin::Configured);
    assert!(description.to_string().contains(&description.version));
    let mut signals = connected(&runtime).await;
    podman.kill_service();
    let signal = next(&mut signals).await;
    let RuntimeSignal::Disconnected { reason } = signal else {
        panic!("{signal:?}")
    };
    assert!(reason.contains("podman.sock"), "{reason}");
    let error = runtime.list().await.unwrap_err();
    assert!(
        matches!(error, RuntimeError::Unreachable { .. }),
        "{error:?}"
    );
    podman.start_service();
    let signal = next(&mut signals).await;
    assert!(
        matches!(signal, RuntimeSignal::Connected { .. }),
        "{signal:?}"
    );
}

/// Ids of the processes that serve the API at `socket`.
fn services_at(socket: &std::path::Path) -> Vec<rustix::process::Pid> {
    let url = format!("unix://{}", socket.display());
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let arguments = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
            arguments
                .split('\0')
                .any(|argument| argument == url)
                .then_some(pid)
        })
        .filter_map(rustix::process::Pid::from_raw)
        .collect()
}

#[tokio::test]
async fn without_a_socket_podman_is_run_and_run_again() {
    let podman = TestPodman::without_service();
    let options = PodmanOptions {
        socket: None,
        ..podman.options()
    };
    let socket = options.service_socket.clone();
    let runtime = Podman::new(options.clone());
    let (first, second) = tokio::join!(runtime.list(), runtime.list());
    assert_eq!((first.unwrap(), second.unwrap()), (Vec::new(), Vec::new()));
    assert_eq!(
        services_at(&socket).len(),
        1,
        "two calls at once start one service"
    );
    let description = runtime.describe().await.unwrap();
    assert_eq!(
        (description.origin, &description.socket),
        (Origin::Own, &socket)
    );

    let mut signals = connected(&runtime).await;
    // An event shows that the stream is open, and so that it breaks with the service.
    podman.cli(&["pod", "create", "--name", "sign"]);
    assert_eq!(next(&mut signals).await, RuntimeSignal::Changed);
    podman.cli(&["pod", "rm", "sign"]);
    let [pid] = services_at(&socket)[..] else {
        panic!("one service")
    };
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    while !matches!(next(&mut signals).await, RuntimeSignal::Connected { .. }) {}
    let again = services_at(&socket);
    assert!(again.len() == 1 && again != [pid], "{again:?}");

    // A later dagdad finds the service that an earlier one left behind.
    let later = Podman::new(options);
    assert_eq!(later.list().await.unwrap(), []);
    assert_eq!(services_at(&socket), again);
    later.shutdown().await;
    assert_eq!(services_at(&socket), again, "not its child");

    drop(signals);
    runtime.shutdown().await;
    assert_eq!(services_at(&socket), []);
    assert!(
        runtime.list().await.is_err(),
        "after its shutdown no service is started"
    );
}

#[tokio::test]
async fn a_podman_killed_during_a_start_leaves_nothing_half_made() {
    let podman = TestPodman::without_service();
    let options = PodmanOptions {
        socket: None,
        ..podman.options()
    };
    let socket = options.service_socket.clone();
    let runtime = Podman::new(options);
    let mut signals = connected(&runtime).await;
    let idle = TestPod::new("idle")
        .container("main", "exec busybox sleep 1000")
        .render();
    let kill = async {
        // The first sign of the start.
        while next(&mut signals).await != RuntimeSignal::Changed {}
        for pid in services_at(&socket) {
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        }
    };
    let (outcome, ()) = tokio::join!(runtime.play(&idle), kill);
    assert!(
        outcome.is_err(),
        "killed before it could say that it was done"
    );
    assert_eq!(pod(&runtime, "idle").await, None);
    runtime
        .play(&idle)
        .await
        .expect("nothing is in the way of another start");
    runtime.shutdown().await;
}

#[tokio::test]
async fn a_missing_podman_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Podman::new(PodmanOptions {
        socket: None,
        system_socket: None,
        service_socket: folder.path().join("podman.sock"),
        program: "no-such-podman".into(),
        deadlines: Deadlines::default(),
    });
    let error = runtime.list().await.unwrap_err().to_string();
    assert!(
        error.contains("no-such-podman") && error.contains("apt install podman"),
        "{error}"
    );
    std::fs::write(folder.path().join("podman.sock"), "in the way").unwrap();
    let runtime = Podman::new(PodmanOptions {
        socket: None,
        system_socket: None,
        service_socket: folder.path().join("podman.sock"),
        program: "true".into(),
        deadlines: Deadlines::default(),
    });
    let error = runtime.list().await.unwrap_err().to_string();
    assert!(error.contains("is in the way and not a socket"), "{error}");
}

#[tokio::test]
async fn a_play_that_dagdad_did_not_live_to_see_is_replaced_or_kept() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let twin = TestPod::new("twin")
        .container("main", "exec busybox sleep 1000")
        .render();
    let abandoned = runtime.play(&twin);
    // As after kill -9: the first play goes on in Podman while nobody waits for it.
    let _ = tokio::time::timeout(Duration::from_millis(60), abandoned).await;
    match runtime.play(&twin).await {
        Ok(()) | Err(RuntimeError::AlreadyRunning { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    let mut signals = connected(&runtime).await;
    until(&runtime, &mut signals, "twin", |pod| {
        matches!(
            pod.map(ObservedPod::condition),
            Some(PodCondition::Running { whole: true, .. })
        )
    })
    .await;
}

#[tokio::test]
async fn volumes_variables_limits_and_init_containers_work() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let folder = podman.folder().join("data");
    std::fs::create_dir(&folder).unwrap();
    let full = TestPod {
        container_extra: ", env: [{name: GREETING, value: hello}], volumeMounts: [{name: data, mountPath: /data}], resources: {limits: {memory: 64Mi}}".to_owned(),
        spec_extra: format!(", volumes: [{{name: data, hostPath: {{path: {}}}}}]", folder.display()),
        ..TestPod::new("full")
    }
    .init("prepare", "echo $GREETING >> /data/prepared")
    .container("main", "busybox cat /data/prepared; echo > /data/seen; exec busybox sleep 1000");
    runtime.play(&full.render()).await.unwrap();
    let observed = pod(&runtime, "full").await.unwrap();
    assert!(
        matches!(
            observed.condition(),
            PodCondition::Running { whole: true, .. }
        ),
        "{observed:?}"
    );
    assert_eq!(
        std::fs::read_to_string(folder.join("prepared")).unwrap(),
        "hello\n",
        "an init container runs once, under restartPolicy Always too"
    );
    let limit = podman.cli(&["inspect", "full-main", "--format", "{{.HostConfig.Memory}}"]);
    assert_eq!(limit, (64 << 20).to_string());

    let usage = runtime
        .usage(&["full".to_owned(), "nobody".to_owned()])
        .await
        .unwrap();
    let [(measured, usage)] = &usage[..] else {
        panic!("{usage:?}")
    };
    assert_eq!(measured, "full");
    assert!(usage.memory.0 > 0, "{usage:?}");
}

#[tokio::test]
async fn an_init_container_that_fails_fails_the_start() {
    let podman = TestPodman::start();
    let runtime = podman.runtime();
    let failing = TestPod::new("failing")
        .restart(RestartPolicy::Never)
        .init("prepare", "exit 4")
        .container("main", "exec busybox sleep 1000")
        .render();
    let error = runtime.play(&failing).await.unwrap_err().to_string();
    assert!(
        error.contains("init container prepare exited with code 4"),
        "{error}"
    );
    assert_eq!(pod(&runtime, "failing").await, None);
}
