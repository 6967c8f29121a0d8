//! A private MariaDB on a loopback port.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use crate::ports;
use crate::process::{Process, run};
use crate::scratch::Scratch;

/// Database that dagdad writes to.
pub const DATABASE: &str = "dagda_orchestrator";
/// User that dagdad is.
pub const USER: &str = "dagda_api";
/// A password that must never appear in a log; its characters want escaping in a URL, a shell
/// and TOML.
pub const PASSWORD: &str = "s3cr3t@:/\"'#% é";

/// A MariaDB server with its own data directory.
#[derive(Debug)]
pub struct MariaDb {
    server: Option<Process>,
    port: u16,
    data: PathBuf,
    scratch: Scratch,
}

impl MariaDb {
    /// Makes the data directory, starts the server, creates the database and its user.
    ///
    /// # Panics
    /// MariaDB is not installed or does not come up.
    #[must_use]
    pub fn start() -> Self {
        let scratch = Scratch::new();
        let data = scratch.join("data");
        // Servers in several process namespaces take the same names in a shared one.
        let temporary = scratch.join("tmp");
        std::fs::create_dir(&temporary).expect("make the server's temporary directory");
        std::fs::set_permissions(&temporary, Permissions::from_mode(0o1777))
            .expect("let the server write its temporary directory");
        let mut install = Command::new("mariadb-install-db");
        install.env("TMPDIR", &temporary);
        install.args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]);
        install
            .arg(format!("--datadir={}", data.display()))
            .args(user());
        let _ = run(&mut install);
        let mut database = Self {
            server: None,
            port: ports::free(),
            data,
            scratch,
        };
        database.resume();
        database.execute(&format!(
            "CREATE DATABASE {DATABASE}; \
             CREATE USER '{USER}'@'127.0.0.1' IDENTIFIED BY '{}'; \
             GRANT ALL PRIVILEGES ON {DATABASE}.* TO '{USER}'@'127.0.0.1';",
            PASSWORD.replace('\'', "''")
        ));
        database
    }

    /// Starts the server again after [`MariaDb::stop`] or [`MariaDb::kill9`].
    ///
    /// # Panics
    /// It does not come up.
    pub fn resume(&mut self) {
        let program = ["/usr/sbin/mariadbd", "/usr/libexec/mariadbd"];
        let program = program
            .into_iter()
            .find(|path| std::path::Path::new(path).exists())
            .unwrap_or("mariadbd");
        let mut command = Command::new(program);
        command.env("TMPDIR", self.scratch.join("tmp"));
        command.args([
            "--no-defaults",
            "--bind-address=127.0.0.1",
            "--innodb-buffer-pool-size=32M",
        ]);
        command.args(["--skip-name-resolve", "--character-set-server=utf8mb4"]);
        command.arg(format!("--datadir={}", self.data.display()));
        command.arg(format!("--socket={}", self.socket().display()));
        command.arg(format!("--port={}", self.port)).args(user());
        let server = Process::start(command, "mariadb", self.scratch.path());
        self.server =
            Some(server.unwrap_or_else(|ended| panic!("MariaDB: {}\n{}", ended.status, ended.log)));
    }

    /// Ends the server in order.
    pub fn stop(&mut self) {
        let mut server = self.server.take().expect("MariaDB runs");
        server.signal(Signal::TERM);
        let _ = server.wait();
    }

    /// `kill -9`.
    pub fn kill9(&mut self) {
        self.server.take().expect("MariaDB runs").kill9();
    }

    /// Freezes the server: connections are accepted by the kernel and never answered.
    pub fn freeze(&self) {
        self.server
            .as_ref()
            .expect("MariaDB runs")
            .signal(Signal::STOP);
    }

    /// Ends [`MariaDb::freeze`].
    pub fn thaw(&self) {
        self.server
            .as_ref()
            .expect("MariaDB runs")
            .signal(Signal::CONT);
    }

    /// Runs SQL as root and returns tab-separated rows.
    ///
    /// # Panics
    /// It fails.
    pub fn execute(&self, sql: &str) -> String {
        let mut client = Command::new("mariadb");
        client.args([
            "--no-defaults",
            "--user=root",
            "--batch",
            "--skip-column-names",
        ]);
        client
            .arg(format!("--socket={}", self.socket().display()))
            .arg("--execute")
            .arg(sql);
        run(&mut client)
    }

    /// Puts into the database what a dump says, which is compressed SQL.
    ///
    /// # Panics
    /// It fails.
    pub fn load(&self, dump: &Path) {
        let plain = self.scratch.join("dump.sql");
        let file = File::create(&plain).expect("make a file for the dump");
        let mut unpack = Command::new("gzip");
        let unpacked = unpack
            .args(["--decompress", "--stdout"])
            .arg(dump)
            .stdout(file)
            .status();
        assert!(unpacked.expect("start gzip").success(), "unpack the dump");
        let mut client = Command::new("mariadb");
        client
            .args(["--no-defaults", "--user=root"])
            .arg(format!("--socket={}", self.socket().display()))
            .arg(format!("--database={DATABASE}"))
            .stdin(File::open(&plain).expect("read the dump"));
        let loaded = client.status().expect("start the client");
        assert!(loaded.success(), "load the dump");
    }

    /// The environment that makes it dagdad's system of record, in the names that the deployments
    /// in the field use.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("DB_HOST", "127.0.0.1".to_owned()),
            ("DB_PORT", self.port.to_string()),
            ("MYSQL_API_USER", USER.to_owned()),
            ("MYSQL_API_PASSWORD", PASSWORD.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// Its loopback port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its Unix socket, for its administrator.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.data.join("s.sock")
    }
}

/// MariaDB refuses to run as root.
fn user() -> Option<&'static str> {
    rustix::process::getuid()
        .is_root()
        .then_some("--user=mysql")
}
