//! The service: its watchdog, a reload, a daemon that cannot start, its password.

use dagda_tests::cli::code;
use dagda_tests::systemd::Machine;
use serde_json::Value;

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
