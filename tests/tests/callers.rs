//! Who may do what, and the record of who did: other users on the same socket.

#![allow(
    clippy::unwrap_used,
    reason = "a step that fails is a test that fails, there and then"
)]

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Instant;

use dagda_tests::cli::{self, Output, code};
use dagda_tests::manifest::Pod;
use dagda_tests::mariadb::MariaDb;
use dagda_tests::process::copy_program;
use dagda_tests::{PATIENCE, TestHost, binaries};
use serde_json::Value;

/// Of the users and groups that every Linux has: user `daemon` is in the group of that name.
const OPERATORS: &str = "daemon";
const OPERATOR: u32 = 1;
/// Users that nobody has made.
const ADMIN: u32 = 4_242;
const VIEWER: u32 = 4_243;

/// The id of a group of this machine.
fn group(name: &str) -> u32 {
    let groups = std::fs::read_to_string("/etc/group").unwrap();
    let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let mut groups = groups.lines().map(fields);
    let found = groups.find(|fields| fields[0] == name);
    found.unwrap_or_else(|| panic!("no group {name}"))[2]
        .parse()
        .unwrap()
}

/// A box whose socket is for everyone: what they may is up to dagdad.
struct Shared(TestHost);

impl Shared {
    fn start(settings: &str) -> Self {
        Self::of(TestHost::builder().settings(settings))
    }

    fn of(builder: dagda_tests::host::Builder) -> Self {
        let host = builder.start();
        // Where everyone can run it.
        let program = host.scratch.join("dagdactl");
        copy_program(&binaries::path("dagdactl"), &program);
        let shared = Self(host);
        shared.open();
        shared
    }

    fn open(&self) {
        let everyone = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(&self.0.configuration.socket, everyone).unwrap();
    }

    fn restart_after_kill(&mut self) {
        self.0.kill9();
        self.0.start();
        self.open();
    }

    /// `dagdactl ARGUMENTS` as another user, who runs it with `gid` and no group besides.
    fn run_as(&self, uid: u32, gid: u32, arguments: &[&str], input: Option<&str>) -> Output {
        let program = self.0.scratch.join("dagdactl");
        let mut command = if rustix::process::getuid().is_root() {
            let mut command = Command::new(program);
            command.uid(uid).gid(gid);
            command
        } else {
            // Another user is one of those that root has lent to this one.
            let mut command = Command::new("podman");
            let user = [format!("--reuid={uid}"), format!("--regid={gid}")];
            command
                .args(["unshare", "setpriv"])
                .args(user)
                .arg("--clear-groups")
                .arg(program);
            command
        };
        command
            .current_dir("/")
            .env_remove("DAGDA_SOCKET")
            .arg("--socket")
            .arg(&self.0.configuration.socket)
            .args(arguments);
        cli::run(&mut command, input)
    }

    fn viewer(&self, arguments: &[&str]) -> Output {
        self.run_as(VIEWER, VIEWER, arguments, None)
    }

    /// The audit as root, or the owner of the daemon, sees it.
    fn audit<const N: usize>(&self, arguments: [&str; N]) -> Vec<Value> {
        let arguments = [&["--json", "audit"][..], &arguments].concat();
        let output = cli::run(self.0.dagdactl().args(arguments), None);
        let Value::Array(entries) = output.done().json()["audit"].take() else {
            panic!("no list");
        };
        entries
    }

    /// Waits until an entry is as wanted: rows are written by the way.
    fn await_entry(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let entries = self.audit([]);
            if let Some(entry) = entries.iter().find(|entry| wanted(entry)) {
                return entry.clone();
            }
            assert!(Instant::now() < deadline, "never {what}: {entries:#?}");
        }
    }
}

/// `verb object outcome`.
fn told(entry: &Value) -> String {
    let text = |key: &str| entry[key].as_str().unwrap_or("-").to_owned();
    [text("verb"), text("object"), text("outcome")].join(" ")
}

/// Other users' groups mean something only to a machine whose root runs this.
fn groups_are_ours() -> bool {
    rustix::process::getuid().is_root()
}

#[test]
fn a_viewer_looks_at_everything_and_changes_nothing() {
    let shared = Shared::start("");
    let web = Pod::waiting("web").to_string();
    shared.0.up("web", &web);
    for arguments in [
        &["status"][..],
        &["pods", "list"],
        &["pods", "show", "web"],
        &["pods", "logs", "web"],
        &["events"],
        &["audit"],
        &["alerts", "list"],
        &["economy", "plan"],
        &["resources"],
        &["export"],
    ] {
        let _ = shared.viewer(arguments).done();
    }
    let dry_run = ["apply", "--dry-run", "-f", "-"];
    let _ = shared.run_as(VIEWER, VIEWER, &dry_run, Some(&web)).done();

    for (arguments, verb, role) in [
        (&["pods", "start", "web"][..], "pods start", "operator"),
        (&["pods", "stop", "web"], "pods stop", "operator"),
        (&["pods", "restart", "web"], "pods restart", "operator"),
        (
            &["pods", "remove", "web", "--force"],
            "pods remove",
            "admin",
        ),
        (&["workflow", "run", "site"], "workflow run", "operator"),
        (&["workflow", "stop", "site"], "workflow stop", "operator"),
        (&["workflow", "remove", "site"], "workflow remove", "admin"),
        (&["alerts", "ack", "cpu_high"], "alerts ack", "operator"),
        (&["alerts", "resolve", "0"], "alerts resolve", "operator"),
        (
            &["alerts", "silence", "web", "--for", "1h"],
            "alerts silence",
            "operator",
        ),
        (
            &["alerts", "unsilence", "web"],
            "alerts unsilence",
            "operator",
        ),
        (&["economy", "set", "on"], "economy set", "admin"),
    ] {
        let output = shared.viewer(arguments);
        let may_not = format!("may not do `{verb}`: that takes the role {role}");
        let group = if role == "admin" {
            "dagda-admin"
        } else {
            "dagda"
        };
        let remedy = format!("usermod -aG {group} ");
        output.failed_saying(code::NOT_PERMITTED, [&may_not, &remedy]);
    }
    let json = shared.viewer(&["--json", "pods", "stop", "web"]);
    let document = json.ended_with(code::NOT_PERMITTED).json();
    assert_eq!(document["error"]["code"], "permission_denied", "{document}");
    let apply = shared.run_as(VIEWER, VIEWER, &["apply", "-f", "-"], Some("no manifest"));
    apply.failed_saying(code::NOT_PERMITTED, ["`apply`", "dagda-admin"]);

    let entry = shared.await_entry("what was denied last is on record", |entry| {
        told(entry) == "apply - denied"
    });
    assert_eq!(entry["message"], "takes the role admin");
    assert!(entry["pid"].is_u64(), "{entry}");
    let denied = shared.audit(["--denied"]);
    assert_eq!(denied.len(), 14, "{denied:#?}");
    let pods: Vec<String> = shared.audit(["--object", "web"]).iter().map(told).collect();
    assert!(
        pods.contains(&"pods remove web denied".to_owned())
            && pods.contains(&"pods start web done".to_owned())
            && pods.contains(&"apply web done".to_owned()),
        "{pods:#?}"
    );
    // It runs all the same.
    let shown = shared
        .0
        .run(["--json", "pods", "show", "web"])
        .done()
        .json();
    assert_eq!(shown["state"], "running", "{shown}");
}

#[test]
fn members_of_the_groups_do_what_their_role_may() {
    let bin = "bin";
    let mut shared = Shared::start(&format!(
        "[access]\noperators = ['{OPERATORS}']\nadmins = ['{bin}', 'no-such-group']\n"
    ));
    let log = shared.0.daemon().log();
    assert!(log.contains("there is no group no-such-group"), "{log}");
    if !groups_are_ours() {
        return;
    }
    let web = Pod::waiting("web").to_string();
    let apply = ["apply", "-f", "-"];
    // One is in the group by the system's records, the other by how the process runs.
    let operator = |arguments: &[&str]| shared.run_as(OPERATOR, 65_534, arguments, Some(&web));
    let admin = |arguments: &[&str]| shared.run_as(ADMIN, group(bin), arguments, Some(&web));

    let refused = operator(&apply);
    let name = format!("{OPERATORS} (uid {OPERATOR}) may not do `apply`");
    refused.failed_saying(
        code::NOT_PERMITTED,
        [&name, "role admin", "usermod -aG bin daemon"],
    );
    let _ = admin(&apply).done();
    let _ = operator(&["pods", "start", "web"]).done();
    let _ = operator(&["pods", "stop", "web"]).done();
    operator(&["pods", "start", "wob"]).failed_saying(code::NOT_FOUND, ["wob"]);
    operator(&["pods", "remove", "web"]).failed_saying(code::NOT_PERMITTED, ["role admin"]);
    operator(&["economy", "set", "auto"]).failed_saying(code::NOT_PERMITTED, ["role admin"]);
    let _ = admin(&["economy", "set", "off"]).done();
    let _ = admin(&["pods", "remove", "web"]).done();

    let removed = shared.await_entry("the removal is done", |entry| {
        told(entry) == "pods remove web done"
    });
    assert_eq!(
        (&removed["user"], removed["uid"].as_u64()),
        (&Value::Null, Some(u64::from(ADMIN)))
    );
    let entries = shared.audit(["--user", OPERATORS]);
    let mut operators: Vec<String> = entries.iter().map(told).collect();
    operators.reverse();
    assert_eq!(
        operators,
        [
            "apply - denied",
            "pods start web done",
            "pods stop web done",
            "pods start wob refused",
            "pods remove web denied",
            "economy set auto denied",
        ]
    );
    let refused = &entries[2]["message"];
    assert!(
        refused
            .as_str()
            .unwrap()
            .starts_with("not_found: no pod named wob"),
        "{refused}"
    );
    assert_eq!(shared.audit(["--user", "1"]), entries);
    let log = shared.0.daemon().log();
    for fragment in [
        "daemon (uid 1) asked for `pods start web`: accepted",
        "daemon (uid 1) asked for `pods remove web`: denied",
        "verb=",
    ] {
        assert!(log.contains(fragment), "{fragment}: {log}");
    }
}

/// Where viewers are told apart too, all others see nothing at all, and fill no disk.
#[test]
fn strangers_are_shown_nothing() {
    let shared = Shared::start("[access]\nviewers = ['bin']\n");
    for arguments in [&["status"][..], &["audit"], &["pods", "start", "web"]] {
        let output = shared.viewer(arguments);
        output.failed_saying(code::NOT_PERMITTED, ["role viewer", "usermod -aG bin "]);
    }
    let doctor = shared.viewer(&["doctor"]);
    assert_eq!(doctor.code, Some(code::NOT_PERMITTED), "{doctor:#?}");
    if groups_are_ours() {
        let _ = shared
            .run_as(VIEWER, group("bin"), &["status"], None)
            .done();
    }
    let entry = shared.await_entry("it is on record", |entry| {
        told(entry) == "pods start - denied"
    });
    assert_eq!(entry["message"], "takes the role viewer");
    for _ in 0..100 {
        let _ = shared.viewer(&["status"]).ended_with(code::NOT_PERMITTED);
    }
    let kept = shared.audit(["--denied", "--limit", "1000"]).len();
    assert!(kept <= 61, "{kept} rows");
}

/// What was asked and answered is on record whatever becomes of dagdad, and to its end.
#[test]
fn killed_after_a_command_it_knows_who_gave_it() {
    let mut shared = Shared::start("");
    let _ = shared.0.apply(&Pod::waiting("web"));
    let _ = shared.0.run(["pods", "start", "web", "--no-wait"]).done();
    shared.restart_after_kill();
    let of_the_start = |entry: &Value| told(entry).starts_with("pods start web");
    assert_eq!(
        shared
            .audit([])
            .iter()
            .filter(|entry| of_the_start(entry))
            .count(),
        1
    );
    // The operation goes on, and the row with it.
    shared.await_entry("it is done", |entry| told(entry) == "pods start web done");
    assert!(
        shared
            .audit([])
            .iter()
            .any(|entry| told(entry) == "apply web done")
    );
}

#[test]
fn what_was_asked_is_in_both_databases() {
    let database = MariaDb::start();
    let shared = Shared::of(TestHost::builder().mariadb(&database));
    shared.0.up("web", &Pod::waiting("web"));
    let _ = shared
        .0
        .run(["pods", "start", "wob"])
        .ended_with(code::NOT_FOUND);
    shared
        .0
        .run_with_input(
            ["apply", "-f", "-"],
            "kind: Pod\nmetadata: {name: 'hunter2'}",
        )
        .ended_with(code::FAILED);
    let _ = shared
        .viewer(&["pods", "stop", "web"])
        .ended_with(code::NOT_PERMITTED);
    shared.await_entry("the last is on record", |entry| {
        told(entry) == "pods stop web denied"
    });
    let empty = shared.0.assert_mirrored(&database);
    assert!(!empty.contains(&"audit"), "{empty:?}");
    let refused = shared.await_entry("the manifest is refused", |entry| {
        told(entry) == "apply - refused"
    });
    assert_eq!(refused["message"], "invalid", "no manifest's text is kept");
}
