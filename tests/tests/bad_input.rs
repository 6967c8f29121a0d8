//! Wrong input and broken surroundings: a clear error with the contract's exit code, and nothing
//! half done.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};

use dagda_proto::v1::{self, PodState};
use dagda_tests::cli::code;
use dagda_tests::manifest::{Pod, documents};
use dagda_tests::mount::PrivateMount;
use dagda_tests::{TestHost, ports, rows, wire};

fn catalogue_is_empty(host: &TestHost) {
    let list = host.run(["--json", "pods", "list"]).done().json();
    assert_eq!(list["pods"].as_array().map(Vec::len), Some(0), "{list}");
}

#[test]
fn an_unknown_pod_is_no_such_thing() {
    let host = TestHost::ready();
    host.apply(&Pod::waiting("llama"));
    for verb in [
        ["pods", "start"],
        ["pods", "stop"],
        ["pods", "restart"],
        ["pods", "show"],
        ["pods", "logs"],
        ["pods", "remove"],
    ] {
        let [group, verb] = verb;
        host.run([group, verb, "lama"])
            .failed_saying(code::NOT_FOUND, ["lama", "did you mean llama?"]);
    }
    host.run(["export", "lama"])
        .failed_saying(code::NOT_FOUND, ["lama"]);
    let error = host
        .run(["--json", "pods", "start", "lama"])
        .ended_with(code::NOT_FOUND)
        .json();
    assert_eq!(error["error"]["code"], "not_found", "{error}");
}

#[test]
fn bad_names_are_refused_wherever_they_come_from() {
    let host = TestHost::ready();
    let long = "x".repeat(300);
    for name in [
        "a/b",
        "a b",
        "-a",
        "a\u{7}b",
        "a\u{1b}[31mb",
        "é",
        "",
        &long,
        "../../etc/passwd",
    ] {
        let given = host
            .run(["pods", "start", "--", name])
            .ended_with(code::USAGE);
        assert!(
            !given.stderr.contains('\u{7}') && !given.stderr.contains("[31mb"),
            "{given:?}"
        );

        let applied = host.run_with_input(["apply", "-f", "-"], &Pod::waiting(name).to_string());
        let applied = applied.ended_with(code::FAILED);
        assert!(applied.stderr.contains("metadata.name"), "{applied:?}");
        assert!(
            !applied.stderr.contains('\u{7}') && !applied.stderr.contains('\u{1b}'),
            "{applied:?}"
        );

        // A client that checks nothing gets no further.
        let request = v1::StartPodRequest {
            name: name.to_owned(),
            ..v1::StartPodRequest::default()
        };
        let refused = host.block_on(host.pods_client().start_pod(request));
        let status = refused.expect_err("a bad name");
        let code = wire::detail(&status).code;
        assert!(
            ["invalid", "not_found"].contains(&code.as_str()),
            "{name:?}: {status:?}"
        );
    }
    catalogue_is_empty(&host);
}

#[test]
fn two_pods_cannot_hold_one_port() {
    let host = TestHost::ready();
    let port = ports::free();
    host.apply(&documents(&[
        Pod::http("first", port),
        Pod::http("second", port),
    ]));
    host.run(["pods", "start", "first"]).done();
    let needle = port.to_string();
    host.run(["pods", "start", "second"])
        .failed_saying(code::FAILED, [&needle, "first", "dagdactl pods stop first"]);
    let error = host
        .run(["--json", "pods", "start", "second"])
        .ended_with(code::FAILED)
        .json();
    assert_eq!(error["error"]["code"], "port_taken", "{error}");
    assert_eq!(
        host.podman.pods(),
        [("first".to_owned(), "running".to_owned())]
    );
    host.run(["pods", "stop", "first"]).done();
    host.run(["pods", "start", "second"]).done();
}

#[test]
fn a_port_that_some_other_program_holds_fails_the_start() {
    let host = TestHost::ready();
    let port = ports::free();
    let holder = TcpListener::bind(("127.0.0.1", port)).unwrap();
    host.apply(&Pod::http("web", port));
    let needle = port.to_string();
    host.run(["pods", "start", "web"])
        .failed_saying(code::FAILED, ["web", &needle]);
    assert_ne!(host.pod("web").state(), PodState::Running);
    drop(holder);
    host.run(["pods", "start", "web"]).done();
}

#[test]
fn invalid_yaml_is_placed_by_line_and_column() {
    let host = TestHost::ready();
    let file = host.scratch.write(
        "bad.yml",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: [a\nspec: {}\n",
    );
    let output = host
        .run(["apply", "-f", file.to_str().unwrap()])
        .ended_with(code::FAILED);
    let place = output
        .stderr
        .split_once("bad.yml:")
        .expect("the file is named")
        .1;
    let mut numbers = place.split(':');
    let line: u32 = numbers.next().unwrap().parse().expect("a line");
    let column: u32 = numbers.next().unwrap().parse().expect("a column");
    assert!((4..=6).contains(&line) && column >= 1, "{output:?}");
    for text in [
        "",
        "\u{0}",
        "just words",
        "- a\n- list\n",
        "kind: Pod\n",
        "kind: Job\napiVersion: batch/v1\n",
    ] {
        let output = host
            .run_with_input(["apply", "-f", "-"], text)
            .ended_with(code::FAILED);
        assert!(!output.stderr.trim().is_empty(), "{output:?}");
    }
    catalogue_is_empty(&host);
}

#[test]
fn an_unknown_annotation_is_refused_with_the_nearest_known_one() {
    let host = TestHost::ready();
    let text = Pod::waiting("a")
        .annotation("dagda/prioritty", "3")
        .to_string();
    host.run_with_input(["apply", "-f", "-"], &text)
        .failed_saying(code::FAILED, ["dagda/prioritty", "dagda/priority"]);
    let text = Pod::waiting("a")
        .annotation("dagda/priority", "101")
        .to_string();
    host.run_with_input(["apply", "-f", "-"], &text)
        .failed_saying(code::FAILED, ["101", "100"]);
    catalogue_is_empty(&host);
    // Other people's annotations are their own.
    host.apply(&Pod::waiting("a").annotation("example.org/prioritty", "3"));
}

#[test]
fn a_missing_variable_is_named() {
    let host = TestHost::ready();
    let text = Pod::waiting("a").image("${REGISTRY}/a").to_string();
    host.run_with_input(["apply", "-f", "-"], &text)
        .failed_saying(code::FAILED, ["REGISTRY"]);
    catalogue_is_empty(&host);
}

#[test]
fn an_image_that_does_not_exist_fails_the_start() {
    let host = TestHost::ready();
    let absent = Pod::waiting("absent")
        .image("localhost/absent:latest")
        .to_string();
    host.apply(&absent.replace("IfNotPresent", "Never"));
    host.run(["pods", "start", "absent"])
        .failed_saying(code::FAILED, ["localhost/absent:latest"]);
    assert_eq!(host.pod("absent").state(), PodState::Error);

    let nonsense = Pod::waiting("nonsense")
        .image("localhost/UPPER case")
        .to_string();
    let applied = host.run_with_input(["apply", "-f", "-"], &nonsense);
    let refused = if applied.code == Some(code::DONE) {
        host.run(["pods", "start", "nonsense"])
    } else {
        applied
    };
    refused.failed_saying(code::FAILED, ["localhost/UPPER case"]);
    assert_eq!(
        host.podman.pods(),
        [],
        "nothing half done is left in Podman"
    );
    // A pull from a registry that is not there.
    let text = Pod::waiting("pulled")
        .image("127.0.0.1:1/dagda/absent:1")
        .to_string();
    host.apply(&text);
    host.run(["pods", "start", "pulled"])
        .failed_saying(code::FAILED, ["127.0.0.1:1/dagda/absent:1"]);
}

#[test]
fn a_manifest_of_ten_megabytes_is_too_large() {
    let host = TestHost::ready();
    let text = format!("{}# {}\n", Pod::waiting("a"), "x".repeat(10 * 1024 * 1024));
    let file = host.scratch.write("huge.yml", &text);
    host.run(["apply", "-f", file.to_str().unwrap()])
        .failed_saying(code::FAILED, ["huge.yml", "MiB"]);
    host.run_with_input(["apply", "-f", "-"], &text)
        .failed_saying(code::FAILED, ["MiB"]);
    // Nor does a client that checks nothing bring the daemon down.
    let files = vec![v1::ManifestFile {
        name: "huge.yml".to_owned(),
        text,
    }];
    let refused = host.block_on(host.catalogue_client().apply(v1::ApplyRequest {
        files,
        dry_run: false,
    }));
    assert!(refused.is_err());
    catalogue_is_empty(&host);
}

#[test]
fn a_yaml_bomb_does_not_take_the_daemon_with_it() {
    let host = TestHost::ready();
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let reference = format!("*a{}, ", level - 1).repeat(9);
        writeln!(text, "a{level}: &a{level} [{reference}]").unwrap();
    }
    let output = host
        .run_with_input(["apply", "-f", "-"], &text)
        .ended_with(code::FAILED);
    assert!(!output.stderr.trim().is_empty());
    let deep = "[".repeat(100_000);
    let _ = host
        .run_with_input(["apply", "-f", "-"], &deep)
        .ended_with(code::FAILED);
    catalogue_is_empty(&host);
}

#[test]
fn a_full_disk_refuses_what_must_be_stored_and_loses_nothing() {
    let mut host = TestHost::builder().without_daemon();
    let mut command = host.configuration.command();
    host.podman.configure(&mut command);
    let mount = PrivateMount::tmpfs(&host.configuration.state, "size=8m");
    host.start_with(mount.wrap(&command));
    host.up("kept", &Pod::waiting("kept"));

    mount.fill(host.daemon().pid());
    let new = Pod::waiting("new").to_string();
    host.run_with_input(["apply", "-f", "-"], &new)
        .failed_saying(code::FAILED, ["full"]);
    host.run(["pods", "stop", "kept"])
        .failed_saying(code::FAILED, ["nothing was done", "full"]);
    host.run(["status"]).done();
    assert_eq!(host.pod("kept").state(), PodState::Running);
    assert_eq!(
        host.podman.pods(),
        [("kept".to_owned(), "running".to_owned())]
    );

    mount.empty(host.daemon().pid());
    host.run_with_input(["apply", "-f", "-"], &new).done();
    host.run(["pods", "stop", "kept"]).done();
}

#[test]
fn a_read_only_state_directory_stops_the_start() {
    let mut host = TestHost::builder().without_daemon();
    let mut command = host.configuration.command();
    host.podman.configure(&mut command);
    let mount = PrivateMount::tmpfs(&host.configuration.state, "size=8m,ro");
    let ended = host
        .try_start_with(mount.wrap(&command))
        .expect_err("it cannot work there");
    assert!(!ended.status.success());
    let state = host.configuration.state.display().to_string();
    assert!(ended.log.contains(&state), "{}", ended.log);
}

#[test]
fn a_socket_path_that_is_a_file_is_left_alone() {
    let mut host = TestHost::builder().without_daemon();
    std::fs::write(&host.configuration.socket, "precious").unwrap();
    let ended = host.try_start().expect_err("there is a file in the way");
    assert!(!ended.status.success());
    assert!(ended.log.contains("dagda.sock"), "{}", ended.log);
    assert_eq!(
        std::fs::read(&host.configuration.socket).unwrap(),
        b"precious"
    );
    std::fs::remove_file(&host.configuration.socket).unwrap();
    // A socket that a killed daemon left behind is not in the way.
    drop(UnixListener::bind(&host.configuration.socket).unwrap());
    host.start();
    host.run(["status"]).done();
}

#[test]
fn a_state_path_that_is_a_file_stops_the_start() {
    let mut host = TestHost::builder().without_daemon();
    std::fs::write(&host.configuration.state, "precious").unwrap();
    let ended = host.try_start().expect_err("there is a file in the way");
    let state = host.configuration.state.display().to_string();
    assert!(ended.log.contains(&state), "{}", ended.log);
    assert_eq!(
        std::fs::read(&host.configuration.state).unwrap(),
        b"precious"
    );
}

#[test]
fn a_damaged_database_is_named_and_left_untouched() {
    let mut host = TestHost::ready();
    host.stop();
    let database = host.database();
    let mut bytes = std::fs::read(&database).unwrap();
    // All but the file's magic number; and no journal that could mend it.
    bytes[100..].fill(0xAA);
    let _ = std::fs::remove_file(database.with_extension("db-wal"));
    std::fs::write(&database, &bytes).unwrap();
    let ended = host.try_start().expect_err("the database is damaged");
    assert!(
        ended.log.contains(&database.display().to_string()),
        "{}",
        ended.log
    );
    assert_eq!(std::fs::read(&database).unwrap(), bytes);
}

#[test]
fn a_database_of_a_newer_dagdad_is_refused_and_left_untouched() {
    let mut host = TestHost::ready();
    host.stop();
    let database = host.database();
    host.block_on(rows::execute(
        &database,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9000, 'from the future', TRUE, x'00', 0); PRAGMA wal_checkpoint(TRUNCATE)",
    ));
    let bytes = std::fs::read(&database).unwrap();
    let ended = host.try_start().expect_err("the schema is newer");
    assert!(ended.log.contains("newer"), "{}", ended.log);
    assert_eq!(std::fs::read(&database).unwrap(), bytes);
}

#[test]
fn an_unknown_configuration_key_is_refused_with_the_nearest_known_one() {
    let mut host = TestHost::builder().without_daemon();
    let mut command = host.configuration.command();
    let file = host.scratch.join("dagdad.toml");
    let text = std::fs::read_to_string(&file)
        .unwrap()
        .replace("state_dir", "state_dri");
    std::fs::write(&file, text).unwrap();
    command.env_remove("MONITORING_INTERVAL");
    let ended = host
        .try_start_with(command)
        .expect_err("the key is unknown");
    assert!(
        ended.log.contains("state_dri") && ended.log.contains("state_dir"),
        "{}",
        ended.log
    );
}

#[test]
fn a_client_that_talks_nonsense_harms_nobody() {
    let host = TestHost::ready();
    let mut stream = UnixStream::connect(&host.configuration.socket).unwrap();
    let _ = stream.write_all(&vec![0xFF; 64 * 1024]);
    host.run(["status"]).done();
}
