//! Readiness checks, asked by dagdad itself: Podman has none.

use std::collections::HashMap;
use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::client::{Call, Client, encode};
use super::frames::FrameDecoder;
use super::list::Listing;
use super::text::one_line;
use super::{Deadlines, wire};
use crate::domain::pod::{PodSpec, Probe, ProbeAction, Protocol, PublishedPort, Readiness};
use crate::ports::{ProbeFailure, RuntimeError};

/// How long a published port may take to accept.
const ACCEPT_TIMEOUT: Duration = Duration::from_secs(1);

/// A port's proxy (Podman's own, when rootless) accepts before anybody listens behind it, and
/// closes at once when nobody does. A connection that outlives this is a real one.
const HOLD: Duration = Duration::from_millis(100);

/// So much of an `exec` probe's output goes into its failure.
const OUTPUT_KEPT: usize = 4096;

/// Asks containers whether they are ready.
#[derive(Debug)]
pub struct Prober {
    client: Client,
    deadlines: Deadlines,
    /// `exec` checks that did not end in time, by container and command. Podman cannot end
    /// them, so another is not begun before.
    overdue: Mutex<HashMap<(String, Vec<String>), String>>,
}

impl Prober {
    pub fn new(client: Client, deadlines: Deadlines) -> Self {
        Self {
            client,
            deadlines,
            overdue: Mutex::default(),
        }
    }

    /// Asks once.
    pub async fn probe(&self, pod: &PodSpec, readiness: &Readiness) -> Result<(), ProbeFailure> {
        match readiness {
            Readiness::Accepts { port } => {
                let address = (local(port), port.host_port);
                in_time(ACCEPT_TIMEOUT, &authority(address), accepts(address)).await
            }
            Readiness::Probe { container, probe } => {
                self.ask(pod, container, probe)
                    .await
                    .map_err(|ProbeFailure(why)| {
                        ProbeFailure(format!("readinessProbe of container {container}: {why}"))
                    })
            }
        }
    }

    async fn ask(&self, pod: &PodSpec, container: &str, probe: &Probe) -> Result<(), ProbeFailure> {
        match &probe.action {
            ProbeAction::HttpGet {
                path,
                port,
                headers,
                host,
            } => {
                let target = self.target(pod, *port, host.as_deref()).await?;
                let url = format!("http://{}{path}", target.authority());
                in_time(probe.timeout, &url, http_get(&target, path, headers)).await
            }
            ProbeAction::TcpSocket { port, host } => {
                let target = self.target(pod, *port, host.as_deref()).await?;
                let subject = target.authority();
                in_time(probe.timeout, &subject, async {
                    held_open(target.connect().await?, &subject).await
                })
                .await
            }
            ProbeAction::Exec { command } => {
                self.exec(pod, container, command, probe.timeout).await
            }
        }
    }

    /// Where port `port` of the pod can be reached from here.
    async fn target(
        &self,
        pod: &PodSpec,
        port: u16,
        host: Option<&str>,
    ) -> Result<Target, ProbeFailure> {
        if let Some(host) = host {
            return Ok(Target {
                host: host.to_owned(),
                port,
            });
        }
        if pod.host_network {
            return Ok(Target {
                host: Ipv4Addr::LOCALHOST.to_string(),
                port,
            });
        }
        let published = pod.published_ports().find(|published| {
            published.container_port == port && published.protocol == Protocol::Tcp
        });
        if let Some(published) = published {
            return Ok(Target {
                host: local(&published).to_string(),
                port: published.host_port,
            });
        }
        match self.pod_address(pod).await {
            Ok(Some(address)) => Ok(Target {
                host: address.to_string(),
                port,
            }),
            Ok(None) => Err(ProbeFailure(format!(
                "port {port} of pod {} cannot be reached from the host; publish it with hostPort, or use an exec probe",
                pod.name
            ))),
            Err(error) => Err(ProbeFailure(error.to_string())),
        }
    }

    /// The pod's own address, where the host has a route to it: a rootless pod's network is a
    /// world of its own.
    async fn pod_address(&self, pod: &PodSpec) -> Result<Option<IpAddr>, RuntimeError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let deadline = self.deadlines.list;
        let listing = Listing::fetch(&self.client, deadline).await?;
        let infra = listing.pod(pod.name.as_str()).and_then(|(_, containers)| {
            containers.into_iter().find(|container| container.is_infra)
        });
        let Some(infra) = infra else { return Ok(None) };
        let call = Call::get(
            format!("/containers/{}/json", encode(&infra.id)),
            "inspect the pod",
        );
        let detail: wire::ContainerDetail = self.client.read(call, deadline).await?;
        Ok(address(&detail.network_settings))
    }

    async fn exec(
        &self,
        pod: &PodSpec,
        container: &str,
        command: &[String],
        timeout: Duration,
    ) -> Result<(), ProbeFailure> {
        let name = format!("{}-{container}", pod.name);
        let key = (name.clone(), command.to_vec());
        self.await_overdue(&key).await?;
        let mut session = None;
        let work = self.run(&name, command, &mut session);
        match tokio::time::timeout(timeout, work).await {
            Ok(Ok(Ran { code: 0, .. })) => Ok(()),
            Ok(Ok(Ran { code, output })) => Err(ProbeFailure(match one_line(&output) {
                output if output.is_empty() => format!("exit code {code}"),
                output => format!("exit code {code}: {output}"),
            })),
            Ok(Err(error)) => Err(ProbeFailure(error.to_string())),
            Err(_) => {
                if let Some(session) = session {
                    self.overdue().insert(key, session);
                }
                Err(ProbeFailure(format!(
                    "no end within {}",
                    humantime::format_duration(timeout)
                )))
            }
        }
    }

    async fn run(
        &self,
        container: &str,
        command: &[String],
        session: &mut Option<String>,
    ) -> Result<Ran, RuntimeError> {
        let what = "run the probe";
        let deadline = self.deadlines.list;
        let request = wire::ExecRequest {
            cmd: command,
            attach_stdout: true,
            attach_stderr: true,
        };
        let path = format!("/containers/{}/exec", encode(container));
        let created: wire::ExecCreated = self
            .client
            .read(Call::post(path, what).json(&request)?, deadline)
            .await?;
        let id = &*session.insert(created.id);
        let start = wire::ExecStart {
            detach: false,
            tty: false,
        };
        let call = Call::post(format!("/exec/{}/start", encode(id)), what).json(&start)?;
        let mut body = self.client.open(call).await?;
        let mut decoder = FrameDecoder::default();
        let mut output = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| RuntimeError::Protocol(error.to_string()))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            decoder.push(&data);
            while let Some((_, payload)) = decoder.next_frame()? {
                let room = OUTPUT_KEPT.saturating_sub(output.len());
                output.extend_from_slice(&payload[..payload.len().min(room)]);
            }
        }
        let detail = self.session(id).await?;
        Ok(Ran {
            code: detail.exit_code,
            output: String::from_utf8_lossy(&output).into_owned(),
        })
    }

    /// An error while an earlier check of the same kind still runs.
    async fn await_overdue(&self, key: &(String, Vec<String>)) -> Result<(), ProbeFailure> {
        let Some(session) = self.overdue().get(key).cloned() else {
            return Ok(());
        };
        // Podman forgets a session with its container.
        if matches!(
            self.session(&session).await,
            Ok(wire::ExecDetail { running: true, .. })
        ) {
            return Err(ProbeFailure(
                "an earlier check has not ended yet".to_owned(),
            ));
        }
        self.overdue().remove(key);
        Ok(())
    }

    async fn session(&self, id: &str) -> Result<wire::ExecDetail, RuntimeError> {
        let call = Call::get(format!("/exec/{}/json", encode(id)), "look at the probe");
        self.client.read(call, self.deadlines.list).await
    }

    fn overdue(&self) -> std::sync::MutexGuard<'_, HashMap<(String, Vec<String>), String>> {
        self.overdue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an `exec` check ended.
struct Ran {
    code: i32,
    output: String,
}

/// A host, by name or address, and a port.
struct Target {
    host: String,
    port: u16,
}

impl Target {
    /// As in a URL.
    fn authority(&self) -> String {
        let Self { host, port } = self;
        if host.contains(':') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        }
    }

    async fn connect(&self) -> Result<TcpStream, ProbeFailure> {
        TcpStream::connect((self.host.as_str(), self.port))
            .await
            .map_err(|error| failure(&self.authority(), &error))
    }
}

/// The address at which the host itself reaches a published port.
fn local(port: &PublishedPort) -> IpAddr {
    match port.host_ip {
        None => Ipv4Addr::LOCALHOST.into(),
        Some(IpAddr::V4(ip)) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        Some(IpAddr::V6(ip)) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        Some(ip) => ip,
    }
}

fn authority((ip, port): (IpAddr, u16)) -> String {
    std::net::SocketAddr::new(ip, port).to_string()
}

fn address(settings: &wire::NetworkSettings) -> Option<IpAddr> {
    settings
        .networks
        .values()
        .map(|network| &network.ip_address)
        .chain([&settings.ip_address])
        .find_map(|ip| ip.parse().ok())
}

fn failure(subject: &str, error: &impl Display) -> ProbeFailure {
    ProbeFailure(format!("{subject}: {error}"))
}

async fn in_time(
    timeout: Duration,
    subject: &str,
    work: impl Future<Output = Result<(), ProbeFailure>>,
) -> Result<(), ProbeFailure> {
    tokio::time::timeout(timeout, work)
        .await
        .unwrap_or_else(|_| {
            let timeout = humantime::format_duration(timeout);
            Err(ProbeFailure(format!(
                "{subject}: no answer within {timeout}"
            )))
        })
}

async fn accepts(address: (IpAddr, u16)) -> Result<(), ProbeFailure> {
    let subject = authority(address);
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| failure(&subject, &error))?;
    held_open(stream, &subject).await
}

/// Whether a connection outlives [`HOLD`].
async fn held_open(mut stream: TcpStream, subject: &str) -> Result<(), ProbeFailure> {
    let mut byte = [0];
    match tokio::time::timeout(HOLD, stream.read(&mut byte)).await {
        // Open and silent, or talking first.
        Err(_) | Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err(ProbeFailure(format!(
            "{subject}: closed as soon as it was opened"
        ))),
        Ok(Err(error)) => Err(failure(subject, &error)),
    }
}

async fn http_get(
    target: &Target,
    path: &str,
    headers: &[(String, String)],
) -> Result<(), ProbeFailure> {
    let authority = target.authority();
    let url = format!("http://{authority}{path}");
    let failure = |error: &dyn Display| failure(&url, &error);
    let mut request = Request::builder().method(Method::GET).uri(path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case(header::HOST.as_str()))
    {
        request = request.header(header::HOST, &authority);
    }
    let request = request
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| failure(&error))?;
    let stream = target.connect().await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failure(&error))?;
    tokio::spawn(connection);
    let answer = sender
        .send_request(request)
        .await
        .map_err(|error| failure(&error))?;
    match answer.status() {
        status if (200..400).contains(&status.as_u16()) => Ok(()),
        status => Err(ProbeFailure(format!("{url}: {status}"))),
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
