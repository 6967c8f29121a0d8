//! `readinessProbe` to what Dagda asks.

use std::time::Duration;

use k8s_openapi::api::core::v1::{HTTPGetAction, Probe as KubeProbe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::domain::pod::{PortSpec, Probe, ProbeAction};

use super::path::Path;
use super::report::Report;

/// Reads the `readinessProbe` at `path` of a container with the given `ports`.
///
/// Dagda speaks neither TLS nor gRPC to a pod. Where a probe asks for those (`scheme: HTTPS`,
/// `grpc`), a connection that the port accepts counts instead, so that an owner's manifest
/// works unchanged: it says less than the probe would, never that a pod is ready whose port is
/// closed. Kubernetes does not verify certificates in HTTPS probes either.
pub fn read(
    probe: &KubeProbe,
    ports: &[PortSpec],
    path: &Path,
    report: &mut Report<'_>,
) -> Option<Probe> {
    let mut times = Times { path, report };
    let initial_delay = times.seconds("initialDelaySeconds", probe.initial_delay_seconds, 0);
    let period = times.seconds("periodSeconds", probe.period_seconds, 10);
    let timeout = times.seconds("timeoutSeconds", probe.timeout_seconds, 1);
    let success_threshold = times.count("successThreshold", probe.success_threshold, 1);
    let failure_threshold = times.count("failureThreshold", probe.failure_threshold, 3);
    let action = action(probe, ports, path, report)?;
    Some(Probe {
        action,
        initial_delay,
        period,
        timeout,
        success_threshold,
        failure_threshold,
    })
}

struct Times<'t, 'r> {
    path: &'t Path,
    report: &'t mut Report<'r>,
}

impl Times<'_, '_> {
    /// A number that is not negative; absent and 0 mean `default`, as in Kubernetes.
    fn count(&mut self, field: &str, value: Option<i32>, default: u32) -> u32 {
        match value.map(u32::try_from) {
            None | Some(Ok(0)) => default,
            Some(Ok(value)) => value,
            Some(Err(_)) => {
                let path = self.path.key(field);
                let message = format!("{} is negative; write 0 or more", self.report.quote(&path));
                self.report.add(&path, message);
                default
            }
        }
    }

    fn seconds(&mut self, field: &str, value: Option<i32>, default: u32) -> Duration {
        Duration::from_secs(self.count(field, value, default).into())
    }
}

fn action(
    probe: &KubeProbe,
    ports: &[PortSpec],
    path: &Path,
    report: &mut Report<'_>,
) -> Option<ProbeAction> {
    let asked = [
        ("exec", probe.exec.is_some()),
        ("httpGet", probe.http_get.is_some()),
        ("tcpSocket", probe.tcp_socket.is_some()),
        ("grpc", probe.grpc.is_some()),
    ];
    let given: Vec<&str> = asked
        .iter()
        .filter(|(_, given)| *given)
        .map(|(name, _)| *name)
        .collect();
    if given.len() > 1 {
        report.add(
            path,
            format!(
                "asks in several ways ({}); keep one of them",
                given.join(", ")
            ),
        );
        return None;
    }
    if let Some(exec) = &probe.exec {
        let command = exec.command.clone().unwrap_or_default();
        if command.is_empty() {
            report.add(
                &path.key("exec").key("command"),
                "missing; write the program and its arguments as a list",
            );
            return None;
        }
        return Some(ProbeAction::Exec { command });
    }
    if let Some(http) = &probe.http_get {
        return http_get(http, ports, &path.key("httpGet"), report);
    }
    if let Some(tcp) = &probe.tcp_socket {
        let port = port(&tcp.port, ports, &path.key("tcpSocket").key("port"), report)?;
        return Some(ProbeAction::TcpSocket {
            port,
            host: tcp.host.clone(),
        });
    }
    if let Some(grpc) = &probe.grpc {
        let port = number(i64::from(grpc.port), &path.key("grpc").key("port"), report)?;
        return Some(ProbeAction::TcpSocket { port, host: None });
    }
    report.add(path, "asks nothing; add httpGet, tcpSocket or exec");
    None
}

fn http_get(
    http: &HTTPGetAction,
    ports: &[PortSpec],
    path: &Path,
    report: &mut Report<'_>,
) -> Option<ProbeAction> {
    let scheme = http.scheme.as_deref().unwrap_or("HTTP");
    let tls = scheme.eq_ignore_ascii_case("HTTPS");
    if !tls && !scheme.eq_ignore_ascii_case("HTTP") {
        let at = path.key("scheme");
        report.add(
            &at,
            format!("{} is not a scheme; write HTTP or HTTPS", report.quote(&at)),
        );
    }
    let port = port(&http.port, ports, &path.key("port"), report)?;
    let host = http.host.clone().filter(|host| !host.is_empty());
    if tls {
        return Some(ProbeAction::TcpSocket { port, host });
    }
    let written = http.path.as_deref().unwrap_or_default();
    let slash = if written.starts_with('/') { "" } else { "/" };
    let headers = http.http_headers.iter().flatten();
    Some(ProbeAction::HttpGet {
        path: format!("{slash}{written}"),
        port,
        headers: headers
            .map(|header| (header.name.clone(), header.value.clone()))
            .collect(),
        host,
    })
}

fn port(
    port: &IntOrString,
    ports: &[PortSpec],
    path: &Path,
    report: &mut Report<'_>,
) -> Option<u16> {
    let name = match port {
        IntOrString::Int(port) => return number(i64::from(*port), path, report),
        IntOrString::String(name) => name,
    };
    let found = ports.iter().find(|port| port.name.as_ref() == Some(name));
    if found.is_none() {
        let known: Vec<&str> = ports
            .iter()
            .filter_map(|port| port.name.as_deref())
            .collect();
        let known = if known.is_empty() {
            "this container names no port".to_owned()
        } else {
            format!("this container has {}", known.join(", "))
        };
        report.add(
            path,
            format!("no port is named {}; {known}", report.quote(path)),
        );
    }
    found.map(|port| port.container_port)
}

fn number(port: i64, path: &Path, report: &mut Report<'_>) -> Option<u16> {
    let port = u16::try_from(port).ok().filter(|port| *port > 0);
    if port.is_none() {
        report.add(
            path,
            format!("{} is not a port; ports are 1 to 65535", report.quote(path)),
        );
    }
    port
}
