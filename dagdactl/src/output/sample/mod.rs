//! Messages as dagdad sends them, for tests here and for the fake dagdad in `tests/`. Ages are
//! counted back from a moment that the test chooses.

pub mod economy;
pub mod workflows;

use dagda_proto::v1;

/// A moment, in seconds since 1970.
pub fn at(seconds: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds,
        nanos: 250_000_000,
    }
}

/// A box with something of everything, at the moment `now`.
pub fn status(now: i64) -> v1::Status {
    v1::Status {
        version: "0.1.0".to_owned(),
        started_at: Some(at(now - 3 * 86_400)),
        host: Some(host(now)),
        economy: Some(v1::Economy {
            policy: v1::EconomyPolicy::Auto.into(),
            active: true,
            reason: Some("RAM was at 86.0 % of at most 80 %".to_owned()),
            shed: vec!["qwen".to_owned()],
        }),
        pods: Some(v1::PodCounts {
            running: 3,
            total: 5,
            error: 1,
            unmanaged: 2,
        }),
        runs: Some(v1::RunCounts {
            active: 1,
            queued: 0,
        }),
        alerts: Some(v1::AlertCounts { firing: 1 }),
        store: Some(v1::StoreStatus {
            mariadb: "disconnected".to_owned(),
            outbox: 132,
            reason: Some("connection refused (127.0.0.1:3306)".to_owned()),
        }),
        runtime: Some(v1::RuntimeStatus {
            connected: true,
            version: Some("4.3.1".to_owned()),
            reason: None,
        }),
    }
}

/// A box on which all is well.
pub fn quiet_status(now: i64) -> v1::Status {
    v1::Status {
        economy: Some(v1::Economy {
            policy: v1::EconomyPolicy::Auto.into(),
            ..v1::Economy::default()
        }),
        pods: Some(v1::PodCounts {
            running: 3,
            total: 5,
            ..v1::PodCounts::default()
        }),
        runs: Some(v1::RunCounts::default()),
        alerts: Some(v1::AlertCounts::default()),
        store: Some(v1::StoreStatus {
            mariadb: "connected".to_owned(),
            outbox: 0,
            reason: None,
        }),
        ..status(now)
    }
}

/// The host.
pub fn host(now: i64) -> v1::Host {
    v1::Host {
        at: Some(at(now)),
        cpu_percent: 12.496,
        cpu_count: 8,
        load_1m: 0.42,
        load_5m: 0.3,
        load_15m: 0.21,
        ram_percent: 86.0,
        ram_used_bytes: 21_737_799_680,
        ram_available_bytes: 3_538_710_528,
        ram_cached_bytes: 2_147_483_648,
        ram_total_bytes: 25_276_510_208,
        swap_used_bytes: 0,
        swap_total_bytes: 2_147_483_648,
        disk_percent: 93.2,
        disks: vec![
            v1::Disk {
                mount: "/".to_owned(),
                used_percent: 40.1,
                total_bytes: 107_374_182_400,
                available_bytes: 64_317_135_257,
            },
            v1::Disk {
                mount: "/srv/models".to_owned(),
                used_percent: 93.2,
                total_bytes: 1_099_511_627_776,
                available_bytes: 74_766_790_688,
            },
        ],
        pressure: Some(v1::Pressure {
            cpu_some_avg10: 1.25,
            memory_some_avg10: 0.0,
            memory_full_avg10: 0.0,
            io_some_avg10: 3.5,
        }),
    }
}

fn port(host_ip: &str, host_port: u32, container_port: u32) -> v1::Port {
    v1::Port {
        host_ip: host_ip.to_owned(),
        host_port,
        container_port,
        protocol: "tcp".to_owned(),
    }
}

/// A pod in each state, the last one unmanaged.
pub fn pods(now: i64) -> Vec<v1::Pod> {
    let pod = |name: &str, state: v1::PodState| v1::Pod {
        name: name.to_owned(),
        managed: true,
        category: v1::Category::Optional.into(),
        priority: 50,
        state: state.into(),
        ..v1::Pod::default()
    };
    vec![
        v1::Pod {
            priority: 60,
            ready: true,
            since: Some(at(now - 7300)),
            usage: Some(v1::Usage {
                network_bytes_per_second: 34_567.891,
                cpu_percent: 103.14,
                ram_bytes: 6_442_450_944,
                ram_anon_bytes: 1_073_741_824,
                ram_file_bytes: 5_368_709_120,
                ram_mapped_bytes: 5_200_000_000,
            }),
            ports: vec![port("127.0.0.1", 8905, 8000)],
            changed: true,
            ..pod("llama", v1::PodState::Running)
        },
        v1::Pod {
            category: v1::Category::Essential.into(),
            priority: 90,
            since: Some(at(now - 200)),
            usage: Some(v1::Usage {
                network_bytes_per_second: 0.0,
                cpu_percent: 2.0,
                ram_bytes: 104_857_600,
                ram_anon_bytes: 94_371_840,
                ram_file_bytes: 10_485_760,
                ram_mapped_bytes: 0,
            }),
            ports: vec![port("", 3306, 3306), port("::1", 33060, 33060)],
            message: Some("readiness: connection to 127.0.0.1:3306 refused".to_owned()),
            ..pod("mariadb", v1::PodState::Running)
        },
        v1::Pod {
            since: Some(at(now - 4)),
            message: Some("pulling ghcr.io/example/qwen:7b, 40 %".to_owned()),
            ..pod("qwen", v1::PodState::Starting)
        },
        v1::Pod {
            since: Some(at(now - 90_000)),
            message: Some(
                "crashed 5 times within 2m 10s, the last time with exit code 137; its last line: \
                 \u{1b}[31mout of memory\u{1b}[0m; see: dagdactl pods logs n8n"
                    .to_owned(),
            ),
            ..pod("n8n", v1::PodState::Error)
        },
        pod("adminer", v1::PodState::Stopped),
        v1::Pod {
            managed: false,
            category: 0,
            priority: 0,
            ready: true,
            since: Some(at(now - 30)),
            ..pod("stranger", v1::PodState::Running)
        },
    ]
}

/// All of a pod.
pub fn pod_detail(now: i64) -> v1::PodDetail {
    let container = |name: &str, init, state: &str, exit_code| v1::Container {
        name: name.to_owned(),
        image: "localhost/busybox:1".to_owned(),
        init,
        state: state.to_owned(),
        exit_code,
        restarts: 0,
    };
    v1::PodDetail {
        pod: pods(now).into_iter().next(),
        after: vec!["mariadb".to_owned()],
        declared_memory_bytes: 6 << 30,
        declared_cpu_millicores: 1500,
        grace_period: Some(prost_types::Duration {
            seconds: 10,
            nanos: 0,
        }),
        restart_policy: "on_failure".to_owned(),
        containers: vec![
            container("fetch", true, "exited", Some(0)),
            container("server", false, "running", None),
        ],
        manifest: "apiVersion: v1\nkind: Pod\nmetadata:\n  name: llama\n".to_owned(),
        manifest_digest: "9f86d081884c7d65".to_owned(),
        operation: None,
        expected: Some(workflows::expectation()),
        reserved_memory_bytes: Some(7_086_696_038),
        reserved_cpu_millicores: Some(1500),
        runs: vec![workflows::RUNNING.to_owned()],
        freeze: true,
        idle_timeout: Some(prost_types::Duration {
            seconds: 600,
            nanos: 0,
        }),
        idle_since: None,
    }
}

/// Three alerts that go on, and one that is over.
pub fn alerts(now: i64) -> Vec<v1::Alert> {
    let culprit = |pod: &str, cpu_percent, gib: u64| v1::Culprit {
        pod: pod.to_owned(),
        cpu_percent,
        ram_bytes: gib << 30,
    };
    vec![
        v1::Alert {
            id: "019a2f30-2222-7000-8000-000000000003".to_owned(),
            condition: "pod_down".to_owned(),
            object: "mariadb".to_owned(),
            severity: v1::AlertSeverity::Critical.into(),
            state: v1::AlertState::Firing.into(),
            message: "mariadb ended: exit code 1; workflow ai-complete needs it".to_owned(),
            created_at: Some(at(now - 190)),
            updated_at: Some(at(now - 190)),
            ..v1::Alert::default()
        },
        v1::Alert {
            id: "019a2f25-2222-7000-8000-000000000003".to_owned(),
            condition: "ram_high".to_owned(),
            object: "host".to_owned(),
            severity: v1::AlertSeverity::Warning.into(),
            state: v1::AlertState::Acknowledged.into(),
            message: "RAM at 83.1 %, the threshold is 80 %; most by llama, qwen".to_owned(),
            created_at: Some(at(now - 600)),
            updated_at: Some(at(now - 300)),
            acknowledged_at: Some(at(now - 300)),
            peak_percent: Some(91.254),
            culprits: vec![culprit("llama", 203.1, 6), culprit("qwen", 1.0, 3)],
            flapping: true,
            ..v1::Alert::default()
        },
        v1::Alert {
            id: "019a2f20-2222-7000-8000-000000000002".to_owned(),
            condition: "workflow_failed".to_owned(),
            object: "batch".to_owned(),
            severity: v1::AlertSeverity::Warning.into(),
            state: v1::AlertState::Firing.into(),
            message: "batch failed: n8n ended: crashed 5 times within 2m 10s, the last time with exit code 137".to_owned(),
            created_at: Some(at(now - 7300)),
            updated_at: Some(at(now - 7300)),
            silenced: true,
            ..v1::Alert::default()
        },
        v1::Alert {
            id: "019a2f10-2222-7000-8000-000000000001".to_owned(),
            condition: "pod_down".to_owned(),
            object: "n8n".to_owned(),
            severity: v1::AlertSeverity::Info.into(),
            state: v1::AlertState::Resolved.into(),
            message: "n8n was stopped by hand; workflow batch needs it".to_owned(),
            created_at: Some(at(now - 90_000)),
            updated_at: Some(at(now - 89_000)),
            resolved_at: Some(at(now - 89_000)),
            ..v1::Alert::default()
        },
    ]
}

/// Two silences.
pub fn silences(now: i64) -> Vec<v1::SilenceView> {
    vec![
        v1::SilenceView {
            id: "019a2f2a-2222-7000-8000-000000000001".to_owned(),
            condition: None,
            object: Some("batch".to_owned()),
            created_at: Some(at(now - 600)),
            until: Some(at(now + 1800)),
        },
        v1::SilenceView {
            id: "019a2f28-2222-7000-8000-000000000002".to_owned(),
            condition: Some("disk_high".to_owned()),
            object: None,
            created_at: Some(at(now - 3600)),
            until: Some(at(now + 172_800)),
        },
    ]
}

/// Who asked for what: all outcomes, and names that are too long for a table.
pub fn audit(now: i64) -> Vec<v1::AuditEntry> {
    let entry =
        |number: u8, ago: i64, user: Option<&str>, verb: &str, outcome: &str| v1::AuditEntry {
            id: format!("019a2f2a-3333-7000-8000-00000000000{number}"),
            at: Some(at(now - ago)),
            user: user.map(str::to_owned),
            uid: 1000,
            pid: Some(4711),
            verb: verb.to_owned(),
            object: Some("llama".to_owned()),
            outcome: outcome.to_owned(),
            message: String::new(),
        };
    vec![
        entry(6, 0, Some("anna"), "pods start", "accepted"),
        v1::AuditEntry {
            message: "not_found: no pod named llama; did you mean lama? See what there is: dagdactl pods list"
                .to_owned(),
            ..entry(5, 60, Some("anna"), "pods restart", "refused")
        },
        v1::AuditEntry {
            uid: 65534,
            pid: None,
            message: "takes the role operator".to_owned(),
            ..entry(4, 600, None, "alerts unsilence", "denied")
        },
        v1::AuditEntry {
            object: Some("llama, qwen, mariadb, n8n, adminer".to_owned()),
            uid: 1001,
            ..entry(3, 7200, Some("bartholomew.longname"), "apply", "done")
        },
        v1::AuditEntry {
            message: "pod_failed: llama ended: exit code 1".to_owned(),
            uid: 0,
            ..entry(2, 86_400, Some("root"), "pods start", "failed")
        },
        v1::AuditEntry {
            object: None,
            ..entry(1, 90_000, Some("anna"), "apply", "asked")
        },
    ]
}

/// Two events.
pub fn events(now: i64) -> Vec<v1::Event> {
    vec![
        v1::Event {
            run: None,
            id: "01939d5c-0000-7000-8000-000000000001".to_owned(),
            at: Some(at(now - 60)),
            kind: "daemon_started".to_owned(),
            object: None,
            message: "dagdad 0.1.0 started; 5 pods in the catalogue".to_owned(),
        },
        v1::Event {
            run: Some(workflows::RUNNING.to_owned()),
            id: "01939d5c-0000-7000-8000-000000000002".to_owned(),
            at: Some(at(now)),
            kind: "pod_failed".to_owned(),
            object: Some("n8n".to_owned()),
            message: "crashed 5 times within 2m 10s, the last time with exit code 137".to_owned(),
        },
    ]
}

/// An hour in steps of ten minutes.
pub fn history(now: i64) -> Vec<v1::HistoryPoint> {
    (0..6u32)
        .map(|step| v1::HistoryPoint {
            at: Some(at(now - 3600 + 600 * i64::from(step))),
            cpu_percent: 20.0 * f64::from(step),
            ram_percent: 61.0,
            ram_used_bytes: 15_300_000_000,
            disk_percent: 40.1,
            memory_pressure: 0.5 * f64::from(step),
        })
        .collect()
}

/// A check of each verdict.
pub fn checks() -> Vec<v1::Check> {
    let check = |name: &str, verdict: v1::Verdict, finding: &str, remedy: Option<&str>| v1::Check {
        name: name.to_owned(),
        verdict: verdict.into(),
        finding: finding.to_owned(),
        remedy: remedy.map(str::to_owned),
    };
    vec![
        check(
            "podman",
            v1::Verdict::Ok,
            "Podman 4.3.1 on /run/podman/podman.sock",
            None,
        ),
        check(
            "mariadb",
            v1::Verdict::Failed,
            "127.0.0.1:3306 refuses connections; 132 rows wait in the outbox and are sent when it is back",
            Some("start it with: systemctl start mariadb"),
        ),
        check(
            "pressure",
            v1::Verdict::Warning,
            "the kernel has no PSI",
            Some("boot with psi=1"),
        ),
    ]
}
