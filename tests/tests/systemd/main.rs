//! The package on a machine with a systemd that was really booted.

mod service;
mod users;

use dagda_tests::cli::code;
use dagda_tests::manifest::Pod;
use dagda_tests::systemd::{Machine, VERSION};
use serde_json::Value;

const UPGRADE: &str = "0.1.0-2";

/// What can be seen of an installation from outside.
#[test]
fn the_installed_service_is_ready_sandboxed_and_says_how_it_is() {
    let machine = Machine::installed();
    for unit in ["dagdad.socket", "dagdad.service"] {
        assert_eq!(machine.property(unit, "ActiveState"), "active", "{unit}");
        assert_eq!(machine.property(unit, "UnitFileState"), "enabled", "{unit}");
    }
    assert_eq!(stat(&machine, "/run/dagda/dagdad.sock"), "660 root dagda");
    assert_eq!(stat(&machine, "/var/lib/dagda"), "700 dagdad dagdad");

    let status = machine.run(["systemctl", "status", "dagdad"]);
    let line = status.lines().find(|line| line.contains("Status:"));
    let line = line.unwrap_or_else(|| panic!("no status line:\n{status}"));
    for part in ["0/0 pods running", "RAM ", "economy off", "0 alerts"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }

    // In tenths.
    let security = [
        "systemd-analyze",
        "security",
        "--threshold=15",
        "--no-pager",
        "dagdad.service",
    ];
    let _ = machine.output(security).done();
    let units =
        ["dagdad.service", "dagdad.socket"].map(|unit| format!("/usr/lib/systemd/system/{unit}"));
    let verified = machine
        .output([
            "systemd-analyze",
            "verify",
            "--man=no",
            &units[0],
            &units[1],
        ])
        .done();
    assert_eq!(verified.stderr, "");
    let verified = machine
        .output([
            "env",
            "XDG_RUNTIME_DIR=/run",
            "systemd-analyze",
            "verify",
            "--user",
            "--man=no",
            "/usr/lib/systemd/user/dagdad.service",
            "/usr/lib/systemd/user/dagdad.socket",
        ])
        .done();
    assert_eq!(verified.stderr, "");

    let process = machine.property("dagdad.service", "MainPID");
    let process = machine.run(["cat", &format!("/proc/{process}/status")]);
    let field = |name: &str| {
        let line = process.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name}"))
            .trim()
            .to_owned()
    };
    assert!(!field("Uid:").split_whitespace().any(|id| id == "0"));
    for capabilities in ["CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(field(capabilities), "0".repeat(16), "{capabilities}");
    }
    assert_eq!(field("NoNewPrivs:"), "1");
    let members = machine.run(["getent", "group", "dagda-podman"]);
    assert!(members.trim().ends_with(':'), "{members}");

    let checks = machine.run(["dagdactl", "doctor", "--json"]);
    let checks: Value = serde_json::from_str(&checks).unwrap();
    for check in checks["checks"].as_array().unwrap() {
        // What the kernel or a busy box may lack.
        let may_warn = ["pressure", "cgroups"]
            .iter()
            .any(|name| check["name"] == *name);
        let verdict = check["verdict"].as_str().unwrap();
        assert!(
            verdict == "ok" || may_warn && verdict == "warning",
            "{check}"
        );
    }
}

#[test]
fn a_client_that_comes_before_the_daemon_waits_for_it() {
    let machine = Machine::installed();
    let _ = machine.run(["systemctl", "stop", "dagdad.service"]);
    assert_eq!(
        machine.property("dagdad.service", "ActiveState"),
        "inactive"
    );
    let _ = machine.run(["dagdactl", "status", "--json"]);
    assert_eq!(machine.property("dagdad.service", "ActiveState"), "active");

    // What happens to Podman's folder and socket when a machine boots.
    let _ = machine.run([
        "systemctl",
        "stop",
        "dagdad.socket",
        "dagdad.service",
        "podman.socket",
        "podman.service",
    ]);
    let _ = machine.run([
        "systemd-tmpfiles",
        "--create",
        "--remove",
        "--boot",
        "--exclude-prefix=/dev",
    ]);
    let _ = machine.run(["systemctl", "start", "podman.socket", "dagdad.socket"]);
    assert_eq!(stat(&machine, "/run/podman"), "711 root root");
    assert_eq!(
        stat(&machine, "/run/podman/podman.sock"),
        "660 root dagda-podman"
    );
    let status: Value =
        serde_json::from_str(&machine.run(["dagdactl", "status", "--json"])).unwrap();
    assert_eq!(status["runtime"]["connected"], true, "{status}");

    // Without Podman's socket dagdad serves, and says what is missing.
    let _ = machine.run(["systemctl", "stop", "podman.socket", "podman.service"]);
    let _ = machine.run(["systemctl", "mask", "--runtime", "podman.socket"]);
    let _ = machine.run(["systemctl", "restart", "dagdad.service"]);
    let doctor = machine
        .output(["dagdactl", "doctor"])
        .ended_with(code::FAILED);
    assert!(
        doctor
            .stdout
            .contains("systemctl enable --now podman.socket"),
        "{doctor:#?}"
    );
    assert!(
        !doctor.stdout.contains("podman system service"),
        "{doctor:#?}"
    );
}

#[test]
fn pods_run_and_show_their_figures_and_outlive_upgrade_and_purge() {
    let machine = Machine::booted();
    let before = machine.files();
    machine.install(VERSION);
    machine.import_image();
    // The machine may well be busy, and nothing is to be taken from the pod then.
    let _ = machine.run(["dagdactl", "economy", "set", "off"]);
    let busy = "trap 'exit 0' TERM; while :; do busybox head -c 1000000 /dev/zero | busybox md5sum; \
        busybox ping -c 1 -W 1 10.88.0.1; done";
    machine.apply(
        &Pod::script("busy", busy)
            .port(18080, 8080)
            .readiness("{exec: {command: [/bin/busybox, 'true']}, periodSeconds: 1}"),
    );
    let _ = machine.run(["dagdactl", "pods", "start", "busy"]);

    let measured = machine.watch(["dagdactl", "pods", "stats", "--watch", "--json"]);
    let usage = measured.await_object("the pod's CPU is measured", |list| {
        list["pods"][0]["cpu_percent"].as_f64() > Some(0.0)
    });
    drop(measured);
    assert!(
        usage["pods"][0]["ram_anon_bytes"].as_u64() > Some(0),
        "{usage}"
    );
    let pods = machine.run(["dagdactl", "pods", "list", "--json"]);
    let pods: Value = serde_json::from_str(&pods).unwrap();
    assert!(
        pods["pods"][0]["network_bytes_per_second"].as_f64() > Some(0.0),
        "{pods}"
    );

    let told = machine.journal([
        "DAGDA_POD=busy",
        "DAGDA_EVENT=pod_ready",
        "SYSLOG_IDENTIFIER=dagdad",
    ]);
    assert!(told.contains("busy"), "{told:?}");
    assert_eq!(machine.journal(["DAGDA_POD=nobody"]), "");

    let container = running(&machine);
    machine.install(UPGRADE);
    assert_eq!(machine.property("dagdad.service", "ActiveState"), "active");
    assert_eq!(running(&machine), container, "the pod was left alone");
    let pods = machine.run(["dagdactl", "pods", "show", "busy", "--json"]);
    assert!(pods.contains("\"running\""), "{pods}");

    machine.write("/etc/dagda/variables.env", "A=1\n");
    let _ = machine.run(["dpkg", "--remove", "dagda"]);
    assert_eq!(running(&machine), container, "pods are Podman's");
    assert_eq!(stat(&machine, "/run/podman/podman.sock"), "660 root root");
    assert_eq!(stat(&machine, "/run/podman"), "700 root root");
    let _ = machine.run(["test", "-e", "/var/lib/dagda"]);
    let _ = machine.run(["dpkg", "--purge", "dagda"]);
    assert_eq!(
        machine.output(["systemctl", "cat", "dagdad.service"]).code,
        Some(1)
    );
    let _ = machine.run(["test", "!", "-e", "/run/dagda"]);
    let mut left: Vec<String> = machine.files();
    left.retain(|path| !before.contains(path));
    // Backups of the account databases, which the first change of an account makes.
    left.retain(|path| !path.starts_with("/etc/") || !path.ends_with('-'));
    // What Podman made for the pod.
    left.retain(|path| !path.starts_with("/etc/cni") && !path.starts_with("/etc/containers"));
    assert_eq!(left, Vec::<String>::new());
    // As is usual in Debian: their numbers are not given out again.
    let _ = machine.run(["getent", "passwd", "dagdad"]);
    for group in ["dagda", "dagda-admin", "dagda-podman"] {
        let _ = machine.run(["getent", "group", group]);
    }
}

/// Mode, user and group of a file.
fn stat(machine: &Machine, path: &str) -> String {
    machine
        .run(["stat", "--format=%a %U %G", path])
        .trim()
        .to_owned()
}

/// Id and start of the pod's container.
fn running(machine: &Machine) -> String {
    machine.run([
        "podman",
        "inspect",
        "--format",
        "{{.Id}} {{.State.StartedAt}} {{.State.Running}}",
        "busy-main",
    ])
}
