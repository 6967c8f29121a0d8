//! `dagdad restore`: a lost state directory is rebuilt from MariaDB, the system of record.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::config::Config;
use crate::configured;
use crate::instance::InstanceLock;
use crate::store::{Archive, Progress, Rebuilt, ensure_vacant, rebuild};

/// A table is told of each time that so many of its rows are done.
const TOLD_EACH: u64 = 10_000;

/// Why nothing was tried.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(
        "there is nothing to restore from: no MariaDB is configured; say where it is under [mariadb] in dagdad.toml, or with DB_HOST"
    )]
    NoMariaDb,
    #[error(
        "the state directory {} belongs to the user with id {owner}, who could not use what user {us} restores; run this as that user: `sudo -u '#{owner}' env DAGDA_STATE_DIR='{}' dagdad restore`",
        dir.display(),
        dir.display()
    )]
    AnothersDirectory { dir: PathBuf, owner: u32, us: u32 },
}

/// Rebuilds the state directory that `config` names, and says on standard output what came back.
///
/// # Errors
/// What stands in the way, for the person who asked; nothing is changed then.
pub async fn restore(config: Config) -> anyhow::Result<()> {
    let options = config.mariadb.clone().map(configured::mariadb_options);
    let options = options.ok_or(Refusal::NoMariaDb)?;
    let dir = &config.state_dir;
    // What is not there is not made before it is known that there is something to put into it.
    let held = match dir.metadata() {
        Ok(found) => {
            ensure_ours(dir, found.uid())?;
            Some(InstanceLock::take(dir)?)
        }
        Err(_) => None,
    };
    ensure_vacant(dir)?;
    let archive = Archive::open(&options).await?;
    let _lock = match held {
        Some(lock) => lock,
        None => InstanceLock::take(dir)?,
    };
    let source = archive.name();
    say(format_args!("restoring {} from {source}", dir.display()));
    let mut teller = Teller::default();
    let rebuilt = rebuild(archive, dir, &mut |progress| teller.tell(&progress))
        .await
        .context("nothing was restored")?;
    // It is done, also where nobody reads of it.
    let _ = std::io::stdout().write_all(report(&rebuilt, &source).as_bytes());
    Ok(())
}

/// A line on standard error; where nobody reads it the work goes on.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn ensure_ours(dir: &Path, owner: u32) -> Result<(), Refusal> {
    let us = rustix::process::geteuid().as_raw();
    if owner == us {
        return Ok(());
    }
    Err(Refusal::AnothersDirectory {
        dir: dir.to_owned(),
        owner,
        us,
    })
}

/// Says on standard error how far it is.
#[derive(Default)]
struct Teller {
    /// Rows of the present table that were told of.
    told: u64,
}

impl Teller {
    fn tell(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::Copied { table, rows, of } => {
                if *rows < self.told {
                    self.told = 0;
                }
                if rows - self.told >= TOLD_EACH {
                    self.told = *rows;
                    say(format_args!("{table}: {rows} of {of}"));
                }
            }
            Progress::LeftOut {
                table,
                uuid,
                reason,
            } => say(format_args!("{table}: row {uuid} is left out: {reason}")),
        }
    }
}

fn report(rebuilt: &Rebuilt, source: &str) -> String {
    let Rebuilt { path, tables } = rebuilt;
    let counts: Vec<String> = tables
        .iter()
        .map(|tally| format!("{} {}", words(tally.table), tally.copied))
        .collect();
    let left_out: u64 = tables.iter().map(|tally| tally.left_out).sum();
    let mut text = format!(
        "restored {} from {source}: {}\n",
        path.display(),
        counts.join(", ")
    );
    if left_out > 0 {
        let _ = writeln!(text, "left out, as told above: rows {left_out}");
    }
    text += "lost, since MariaDB never had it: what waited to be sent to it; operations that were \
             under way; what economy mode was set to and had taken; silences\n";
    text += "dagdad can be started now; it looks at what Podman runs\n";
    text
}

/// A table's name as people say it.
fn words(table: &str) -> String {
    match table {
        "workflow_runs" => "runs".to_owned(),
        "system_resources" => "samples".to_owned(),
        "resource_alerts" => "alerts".to_owned(),
        other => other.replace('_', " "),
    }
}
