//! Every way in which dagdad cannot be talked to.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use rstest::rstest;

use crate::fake::Fake;
use crate::run::{command_of, finish, run};

fn status_at(socket: &Path) -> crate::run::Ran {
    run(&["status", "--json", "--socket", socket.to_str().unwrap()])
}

#[test]
fn a_missing_socket_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("none.sock");
    let message = status_at(&socket).fails(5, "unreachable");
    assert!(
        message.contains("there is no socket") && message.contains("systemctl start dagdad"),
        "{message}"
    );

    let ran = run(&["status", "--socket", socket.to_str().unwrap()]).exits(5);
    assert!(
        ran.stdout.is_empty() && ran.stderr.starts_with("error: there is no socket"),
        "{ran:?}"
    );
}

#[test]
fn the_environment_names_the_socket_and_an_empty_value_does_not() {
    let fake = Fake::start();
    fake.run(&["status"]).exits(0);
    let mut command = fake.command(&["status", "--json"]);
    command
        .env("DAGDA_SOCKET", "")
        .env("XDG_RUNTIME_DIR", fake.folder());
    // Whichever default applies to the user who runs the test.
    let message = finish(command).fails(5, "unreachable");
    assert!(message.contains("/dagda/dagdad.sock"), "{message}");
}

#[rstest]
#[case("regular file")]
#[case("folder")]
fn what_is_no_socket_is_named(#[case] kind: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dagdad.sock");
    match kind {
        "folder" => fs::create_dir(&path).unwrap(),
        _ => fs::write(&path, "").unwrap(),
    }
    let message = status_at(&path).fails(5, "unreachable");
    assert!(
        message.contains(&format!("is not a socket but a {kind}")),
        "{message}"
    );
}

#[test]
fn a_socket_left_behind_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dagdad.sock");
    drop(UnixListener::bind(&path).unwrap());
    let message = status_at(&path).fails(5, "unreachable");
    assert!(message.contains("nobody listens on"), "{message}");
}

#[test]
fn a_path_too_long_for_a_socket_is_said() {
    let message = status_at(Path::new(&format!("/{}", "x".repeat(200)))).fails(5, "unreachable");
    assert!(message.contains("107 bytes"), "{message}");
}

/// Someone who may not use the socket: root becomes `nobody`, since nothing is forbidden to
/// root; anyone else is shut out by the file's mode.
fn as_stranger(program: &Path, arguments: &[&str]) -> Command {
    if !rustix::process::geteuid().is_root() {
        return command_of(program, arguments);
    }
    let mut command = command_of(
        Path::new("setpriv"),
        &["--reuid", "65534", "--regid", "65534", "--clear-groups"],
    );
    command.arg(program).args(arguments);
    command
}

#[test]
fn a_socket_of_others_is_not_permitted() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("dagdactl");
    // A copy made here would be busy for as long as another test's fork holds it open.
    let copied = Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_dagdactl"))
        .arg(&program)
        .status()
        .unwrap();
    assert!(copied.success());
    let socket = folder.path().join("dagdad.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, Permissions::from_mode(0o000)).unwrap();
    let socket = socket.to_str().unwrap();

    let message = finish(as_stranger(
        &program,
        &["status", "--json", "--socket", socket],
    ))
    .fails(6, "permission_denied");
    assert!(
        message.contains("belongs to user") && message.contains("group"),
        "{message}"
    );

    let ran = finish(as_stranger(
        &program,
        &["doctor", "--json", "--socket", socket],
    ))
    .exits(6);
    let document = ran.document();
    assert_eq!(document["checks"][0]["name"], "socket");
    assert_eq!(document["checks"][0]["verdict"], "failed");
    assert_eq!(document["error"]["code"], "permission_denied");
}

#[test]
fn a_hung_daemon_times_out() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("dagdad.sock");
    // Connections are queued by the kernel, nobody ever answers.
    let _listener = UnixListener::bind(&socket).unwrap();
    let socket = socket.to_str().unwrap();
    let message =
        run(&["status", "--json", "--timeout", "100ms", "--socket", socket]).fails(7, "timed_out");
    assert!(message.contains("did not answer within 100ms"), "{message}");
    run(&["doctor", "--timeout", "100ms", "--socket", socket]).exits(7);
}

#[test]
fn what_does_not_speak_grpc_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("dagdad.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let server = std::thread::spawn(move || {
        use std::io::Write;
        let (mut peer, _) = listener.accept().unwrap();
        peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        // Held open until the program has had its say.
        peer
    });
    let message = status_at(&socket).fails(5, "unreachable");
    assert!(!message.is_empty());
    drop(server.join().unwrap());
}

#[test]
fn a_connection_that_breaks_is_unreachable() {
    let fake = Fake::start();
    let ran = fake.run(&["pods", "start", "broken", "--json"]).exits(5);
    assert_eq!(ran.document()["error"]["code"], "unreachable");
    assert_eq!(ran.document()["results"][0]["outcome"], "error");
}

#[test]
fn doctor_without_dagdad_still_tells_what_it_sees() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("none.sock");
    let ran = run(&["doctor", "--socket", socket.to_str().unwrap()]).exits(5);
    assert!(ran.stdout.contains("socket  failed"), "{ran:?}");
    assert!(
        ran.stdout
            .contains("to mend it: start it with: systemctl start dagdad"),
        "{ran:?}"
    );
}
