//! Who may do what, and a dagdad of a user's own.

use dagda_tests::cli::{self, code};
use dagda_tests::manifest::Pod;
use dagda_tests::systemd::Machine;
use serde_json::Value;

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
