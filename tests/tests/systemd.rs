//! The package on a machine with a systemd that was really booted.

use dagda_tests::cli::{self, code};
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

#[test]
fn a_daemon_that_hangs_is_restarted_by_the_watchdog() {
    let machine = Machine::installed();
    machine.write(
        "/run/systemd/system/dagdad.service.d/watchdog.conf",
        "[Service]\nWatchdogSec=5\n",
    );
    let _ = machine.run(["systemctl", "daemon-reload"]);
    let _ = machine.run(["systemctl", "restart", "dagdad.service"]);
    let _ = machine.run([
        "systemctl",
        "kill",
        "--signal=STOP",
        "--kill-who=main",
        "dagdad.service",
    ]);
    machine.await_property("dagdad.service", "NRestarts", |restarts| restarts != "0");
    // It waits for the one that is on its way.
    let _ = machine.run(["dagdactl", "status"]);
    let told = machine.journal(["--unit", "dagdad.service"]);
    assert!(told.contains("Watchdog timeout"), "{told}");
}

#[test]
fn a_reload_takes_up_what_is_good_and_refuses_what_is_not() {
    let machine = Machine::installed();
    let shown = ["dagdactl", "economy", "--json"];
    let threshold = |economy: &Value| economy["rules"]["ram"]["enter_percent"].clone();
    let process = machine.property("dagdad.service", "MainPID");
    machine.write("/etc/dagda/dagdad.toml", "[thresholds]\nram_percent = 61\n");
    let _ = machine.run(["systemctl", "reload", "dagdad.service"]);
    // It need not have been taken up by then.
    let good = machine.await_json(shown, |economy| threshold(economy) == 61.0);
    let told = machine.journal(["--unit", "dagdad.service"]);
    assert!(told.contains("ram_percent"), "{told}");

    machine.write("/etc/dagda/dagdad.toml", "[thresholds]\nram_percnt = 62\n");
    let refused = machine.output(["systemctl", "reload", "dagdad.service"]);
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    let told = machine.journal(["--unit", "dagdad.service"]);
    assert!(
        told.contains("ram_percent`?"),
        "the nearest known key: {told}"
    );
    let after: Value = serde_json::from_str(&machine.run(shown)).unwrap();
    assert_eq!(threshold(&after), threshold(&good));
    assert_eq!(machine.property("dagdad.service", "MainPID"), process);
    assert_eq!(machine.property("dagdad.service", "ActiveState"), "active");
}

#[test]
fn a_daemon_that_cannot_start_is_given_up_on_with_a_reason() {
    let machine = Machine::installed();
    let _ = machine.run(["systemctl", "stop", "dagdad.socket", "dagdad.service"]);
    machine.write(
        "/run/systemd/system/dagdad.service.d/quick.conf",
        "[Service]\nRestartSec=100ms\n",
    );
    let _ = machine.run(["systemctl", "daemon-reload"]);
    // A state that is none.
    let _ = machine.run([
        "sh",
        "-c",
        "for file in /var/lib/dagda/*.db; do echo rubbish > $file; rm -f $file-wal $file-shm; done",
    ]);
    let _ = machine
        .output(["systemctl", "start", "dagdad.service"])
        .ended_with(code::FAILED);
    machine.await_property("dagdad.service", "ActiveState", |state| state == "failed");
    // It is not tried again for the clients that come.
    machine.await_property("dagdad.service", "SubState", |state| state == "failed");
    let restarts = machine.property("dagdad.service", "NRestarts");
    assert!(restarts.parse::<u32>().unwrap() >= 4, "{restarts}");
    let status = machine.output(["systemctl", "status", "--lines=50", "dagdad.service"]);
    let line = status.stdout.lines().find(|line| line.contains("Status:"));
    assert!(
        line.is_some_and(|line| line.contains("failed: ")),
        "{}",
        status.stdout
    );
    let refused = machine
        .output(["dagdactl", "doctor"])
        .ended_with(code::UNREACHABLE);
    assert!(
        refused.stdout.contains("journalctl -u dagdad"),
        "{refused:#?}"
    );

    // A wrong configuration is not tried again at all.
    let _ = machine.run([
        "systemctl",
        "reset-failed",
        "dagdad.service",
        "dagdad.socket",
    ]);
    machine.write("/etc/dagda/dagdad.toml", "[nonsense]\n");
    let _ = machine
        .output(["systemctl", "start", "dagdad.service"])
        .ended_with(code::FAILED);
    assert_eq!(machine.property("dagdad.service", "NRestarts"), "0");
    let status = machine.output(["systemctl", "status", "dagdad.service"]);
    assert!(status.stdout.contains("nonsense"), "{}", status.stdout);
}

#[test]
fn who_may_do_what_follows_from_groups() {
    let machine = Machine::installed();
    machine.import_image();
    machine.apply(&Pod::waiting("web"));
    machine.add_user("olga", "dagda");
    machine.add_user("ada", "dagda-admin");
    let _ = machine.run(["useradd", "stan"]);
    let _ = machine.run(["useradd", "vera"]);

    let _ = machine
        .output_as("olga", ["dagdactl", "pods", "start", "web"])
        .done();
    let refused = machine.output_as("olga", ["dagdactl", "economy", "set", "off"]);
    refused.failed_saying(code::NOT_PERMITTED, ["admin", "dagda-admin"]);
    let _ = machine
        .output_as("ada", ["dagdactl", "economy", "set", "off"])
        .done();
    let _ = machine
        .output(["dagdactl", "economy", "set", "auto"])
        .done();

    let refused = machine.output_as("stan", ["dagdactl", "status"]);
    refused.failed_saying(code::NOT_PERMITTED, ["group dagda"]);

    // Let onto the socket, a stranger looks and no more.
    machine.write(
        "/etc/systemd/system/dagdad.socket.d/all.conf",
        "[Socket]\nSocketMode=0666\n",
    );
    let _ = machine.run(["systemctl", "daemon-reload"]);
    let _ = machine.run(["systemctl", "stop", "dagdad.socket", "dagdad.service"]);
    let _ = machine.run(["systemctl", "start", "dagdad.socket"]);
    let _ = machine
        .output_as("vera", ["dagdactl", "pods", "list"])
        .done();
    let refused = machine.output_as("vera", ["dagdactl", "pods", "stop", "web"]);
    refused.failed_saying(code::NOT_PERMITTED, ["operator", "dagda"]);

    let recorded = |audit: &Value, user: &str, verb: &str, outcome: &str| {
        let entries = audit["audit"].as_array();
        entries.is_some_and(|entries| {
            entries.iter().any(|entry| {
                entry["user"] == user && entry["verb"] == verb && entry["outcome"] == outcome
            })
        })
    };
    // Rows are written by the way, in order.
    let audit = machine.await_json(["dagdactl", "audit", "--json"], |audit| {
        recorded(audit, "vera", "pods stop", "denied")
    });
    assert!(recorded(&audit, "olga", "pods start", "done"), "{audit}");
    assert!(recorded(&audit, "olga", "economy set", "denied"), "{audit}");
}

#[test]
fn a_user_has_a_dagdad_of_their_own_for_rootless_pods() {
    let machine = Machine::installed();
    // As udev leaves it: the network of rootless pods goes through it.
    let _ = machine.run(["chmod", "666", "/dev/net/tun"]);
    let anna = machine.log_in("anna");
    anna.import_image();
    let systemctl = |verb: &str, unit: &str| anna.run(["systemctl", "--user", verb, unit]);
    let _ = systemctl("enable", "dagdad.service");
    let _ = systemctl("start", "dagdad.socket");
    let socket = "stat --format='%a %U' $XDG_RUNTIME_DIR/dagda/dagdad.sock";
    assert_eq!(anna.run(["sh", "-c", socket]), "600 anna\n");

    // The first to come starts it.
    // On cgroup v1 Podman cannot give a rootless pod what it asks for.
    let pod = Pod::http("web", 18_081).undeclared().to_string();
    let mut apply = anna.command_with_input(["dagdactl", "apply", "-f", "-"]);
    let _ = cli::run(&mut apply, Some(&pod)).done();
    let _ = anna.run(["dagdactl", "pods", "start", "web"]);
    anna.await_status_text("dagdad.service", "1/1 pod running");
    let all = machine.run(["dagdactl", "pods", "list", "--all", "--json"]);
    assert!(!all.contains("\"web\""), "it is anna's alone: {all}");

    let format = "{{.Id}} {{.State.StartedAt}} {{.State.Running}}";
    let container = || anna.run(["podman", "inspect", "--format", format, "web-main"]);
    let before = container();
    let _ = systemctl("restart", "dagdad.service");
    let _ = systemctl("reload", "dagdad.service");
    assert_eq!(container(), before, "a pod outlives dagdad");
    let shown = anna.run(["dagdactl", "pods", "show", "web", "--json"]);
    assert!(shown.contains("\"running\""), "{shown}");

    // The same as it uses where it is started by hand.
    let state = "test -e ~/.local/state/dagda/dagda.db && test ! -e ~/.config/dagda/dagda.db";
    let _ = anna.run(["sh", "-c", state]);
    let doctor = anna.run(["dagdactl", "doctor", "--json"]);
    let doctor: Value = serde_json::from_str(&doctor).unwrap();
    for check in doctor["checks"].as_array().unwrap() {
        // Of rootless pods there are no figures on cgroup v1.
        let may_warn = check["name"] == "pressure" || check["name"] == "cgroups";
        assert!(check["verdict"] == "ok" || may_warn, "{check}");
    }
    let _ = anna.run(["dagdactl", "pods", "stop", "web"]);
}

#[test]
fn the_password_comes_as_a_credential_that_may_be_missing() {
    let machine = Machine::installed();
    machine.write("/etc/dagda/mariadb.password", "s3cret\n");
    let _ = machine.run(["chmod", "600", "/etc/dagda/mariadb.password"]);
    // Nobody answers there.
    machine.write(
        "/etc/dagda/dagdad.toml",
        "[mariadb]\nhost = \"127.0.0.1\"\nport = 9\n",
    );
    let _ = machine.run(["systemctl", "restart", "dagdad.service"]);
    let process = machine.property("dagdad.service", "MainPID");
    let read = [
        "runuser",
        "-u",
        "dagdad",
        "--",
        "cat",
        "/run/credentials/dagdad.service/mariadb-password",
    ];
    assert_eq!(machine.run(read), "s3cret\n");
    let environment = machine.run(["cat", &format!("/proc/{process}/environ")]);
    assert!(!environment.contains("s3cret"));
    assert!(
        !machine
            .journal(["--unit", "dagdad.service"])
            .contains("s3cret")
    );

    let _ = machine.run(["rm", "/etc/dagda/mariadb.password"]);
    let _ = machine.run(["systemctl", "restart", "dagdad.service"]);
    assert_eq!(machine.property("dagdad.service", "ActiveState"), "active");
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
