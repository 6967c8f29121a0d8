//! A private MariaDB: its own data directory and Unix socket, no network, gone with the test.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use dagdad::store::MariaDbOptions;
use secrecy::SecretString;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::{ConnectOptions as _, MySqlConnection};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A server that can be stopped, killed and started again on the same data.
pub struct MariaDb {
    dir: TempDir,
    server: Option<Child>,
    extra: Vec<&'static str>,
}

impl MariaDb {
    /// Creates the data directory and starts the server.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// The same with more arguments for `mariadbd`.
    pub async fn start_with(extra: &[&'static str]) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("dagda-mariadb-")
            .tempdir()
            .unwrap();
        let install = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
            .arg(format!("--datadir={}", dir.path().join("data").display()))
            .args(run_as_root())
            // In a shared one, servers of several process namespaces take the same names.
            .env("TMPDIR", dir.path())
            .output()
            .await
            .unwrap_or_else(|error| {
                panic!("cannot run mariadb-install-db ({error}); install it: apt-get install mariadb-server")
            });
        assert!(
            install.status.success(),
            "mariadb-install-db failed: {}{}",
            String::from_utf8_lossy(&install.stdout),
            String::from_utf8_lossy(&install.stderr)
        );
        let mut server = Self {
            dir,
            server: None,
            extra: extra.to_vec(),
        };
        server.start_again().await;
        server
    }

    /// Starts the server on the data it left; returns when it accepts connections.
    pub async fn start_again(&mut self) {
        assert!(self.server.is_none(), "it runs");
        let mut child = Command::new(mariadbd())
            .arg("--no-defaults")
            .arg(format!(
                "--datadir={}",
                self.dir.path().join("data").display()
            ))
            .arg(format!("--socket={}", self.socket().display()))
            .args(["--skip-networking", "--innodb-buffer-pool-size=16M"])
            .args(run_as_root())
            .args(&self.extra)
            .env("TMPDIR", self.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("cannot run mariadbd ({error}); install it: apt-get install mariadb-server")
            });
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut seen = String::new();
        loop {
            let line = log
                .next_line()
                .await
                .unwrap()
                .unwrap_or_else(|| panic!("mariadbd ended before it was ready:\n{seen}"));
            if line.contains("ready for connections") {
                break;
            }
            seen.push_str(&line);
            seen.push('\n');
        }
        // A full pipe would block the server.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        self.server = Some(child);
    }

    /// Shuts the server down in order.
    pub async fn stop(&mut self) {
        self.signal("TERM");
        self.server.take().unwrap().wait().await.unwrap();
    }

    /// Kills the server without a warning.
    pub async fn kill(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().await.unwrap();
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.server.as_ref().and_then(Child::id).expect("it runs");
        let done = std::process::Command::new("kill")
            .arg(format!("-{name}"))
            .arg(pid.to_string())
            .status()
            .unwrap();
        assert!(done.success());
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("s.sock")
    }

    /// How dagdad reaches it, as its administrator.
    pub fn options(&self) -> MariaDbOptions {
        self.options_for("root", "")
    }

    /// How dagdad reaches it as some user.
    pub fn options_for(&self, user: &str, password: &str) -> MariaDbOptions {
        MariaDbOptions {
            host: String::new(),
            port: 0,
            socket: Some(self.socket()),
            user: user.to_owned(),
            password: SecretString::from(password),
            database: "dagda_orchestrator".to_owned(),
        }
    }

    /// A connection of an administrator, to no database.
    pub async fn admin(&self) -> MySqlConnection {
        MySqlConnectOptions::new()
            .socket(self.socket())
            .username("root")
            .connect()
            .await
            .unwrap()
    }
}

fn mariadbd() -> &'static Path {
    // Debian keeps it where only root's PATH leads.
    let sbin = Path::new("/usr/sbin/mariadbd");
    if sbin.exists() {
        sbin
    } else {
        Path::new("mariadbd")
    }
}

fn run_as_root() -> Option<&'static str> {
    rustix::process::geteuid()
        .is_root()
        .then_some("--user=root")
}
