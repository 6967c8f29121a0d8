//! Opening the local database, and what may be wrong with its directory and file.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use dagdad::domain::event::EventQuery;
use dagdad::ports::{Record, Store as _, StoreError};
use dagdad::store::{FILE_NAME, LocalStore};
use sqlx::{Connection as _, Executor as _};

use crate::disk::{Disk, run_with_own_mounts};
use crate::records::{at, event, open, options, pod, sample};
use crate::tables::sqlite;

async fn refused(state_dir: &Path) -> StoreError {
    LocalStore::open(options(state_dir, None))
        .await
        .unwrap_err()
}

/// A database with some rows, closed in order.
async fn written(state_dir: &Path) {
    let store = open(state_dir, None).await;
    let records: Vec<_> = (0..500)
        .map(|n| Record::Sample(Box::new(sample(at(n * 5), 10.0))))
        .chain([Record::PutPod(Box::new(pod("llama")))])
        .collect();
    store.commit(&records).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn directory_and_files_are_made_for_their_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("a/b");
    let store = open(&state, None).await;
    store
        .commit(&[Record::PutPod(Box::new(pod("llama")))])
        .await
        .unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    let mut files = 0;
    for file in state.read_dir().unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
        files += 1;
    }
    assert!(files >= 2, "the database and its log");
}

#[tokio::test]
async fn what_was_committed_is_there_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), None).await;
    let llama = pod("llama");
    store
        .commit(&[Record::PutPod(Box::new(llama.clone()))])
        .await
        .unwrap();
    // As if killed: the files as they are now, the log not yet taken over.
    let after = tempfile::tempdir().unwrap();
    for name in [FILE_NAME.to_owned(), format!("{FILE_NAME}-wal")] {
        std::fs::copy(dir.path().join(&name), after.path().join(&name)).unwrap();
    }
    let store = open(after.path(), None).await;
    assert_eq!(store.load().await.unwrap().pods, [llama]);
}

#[tokio::test]
async fn a_failed_commit_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), None).await;
    let clash = [
        Record::Event(event(at(0), None, "e")),
        Record::PutPod(Box::new(pod("llama"))),
        Record::PutPod(Box::new(pod("llama"))),
    ];
    let error = store.commit(&clash).await.unwrap_err();
    assert!(
        matches!(&error, StoreError::Failed(reason) if reason.contains("pods.name")),
        "{error}"
    );
    assert_eq!(store.load().await.unwrap().pods, []);
    assert_eq!(
        store
            .events(&EventQuery {
                limit: 9,
                ..EventQuery::default()
            })
            .await
            .unwrap(),
        []
    );
    store.commit(&clash[..2]).await.unwrap();
    // A commit that is repeated, since its answer was lost, changes nothing.
    store.commit(&clash[..2]).await.unwrap();
    assert_eq!(store.load().await.unwrap().pods.len(), 1);
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_alone() {
    for damage in ["not a database", "truncated", "a damaged page"] {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path()).await;
        let path = dir.path().join(FILE_NAME);
        let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        match damage {
            "not a database" => file
                .write_all(b"This is no database, it only looks big.")
                .unwrap(),
            "truncated" => file.set_len(path.metadata().unwrap().len() / 2).unwrap(),
            _ => {
                let middle = path.metadata().unwrap().len() / 2 / 4096 * 4096;
                file.seek(SeekFrom::Start(middle)).unwrap();
                file.write_all(&[0xa5; 4096]).unwrap();
            }
        }
        drop(file);
        let before = std::fs::read(&path).unwrap();
        let error = refused(dir.path()).await;
        assert!(
            matches!(error, StoreError::Corrupt { .. }),
            "{damage}: {error}"
        );
        assert!(
            before == std::fs::read(&path).unwrap(),
            "{damage}: the file was changed"
        );
    }
}

#[tokio::test]
async fn a_file_in_the_place_of_the_directory_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    std::fs::write(&path, "").unwrap();
    let error = refused(&path).await;
    assert!(
        matches!(&error, StoreError::ReadOnly { path: named, .. }
        if *named == path.display().to_string()),
        "{error}"
    );
}

#[test]
fn a_read_only_directory_is_named() {
    run_with_own_mounts("opening::read_only_directory");
}

#[tokio::test]
#[ignore = "run by a_read_only_directory_is_named, in its own mount namespace"]
async fn read_only_directory() {
    let disk = Disk::mount("4m");
    let existing = disk.path().join("existing");
    written(&existing).await;
    disk.make_read_only();
    for state in [disk.path().join("new"), existing] {
        let error = refused(&state).await;
        assert!(
            matches!(&error, StoreError::ReadOnly { path, reason }
            if path.starts_with(&state.display().to_string()) && reason.contains("Read-only")),
            "{error}"
        );
    }
}

#[test]
fn a_full_disk_is_named_and_got_over() {
    run_with_own_mounts("opening::full_disk");
}

#[tokio::test]
#[ignore = "run by a_full_disk_is_named_and_got_over, in its own mount namespace"]
async fn full_disk() {
    let disk = Disk::mount("2m");
    let ballast = disk.path().join("ballast");
    let fill = || {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(&ballast)
            .unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
    };

    fill();
    let state = disk.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let error = refused(&state).await;
    assert!(matches!(error, StoreError::Full { .. }), "{error}");

    std::fs::remove_file(&ballast).unwrap();
    let store = open(&state, None).await;
    store
        .commit(&[Record::PutPod(Box::new(pod("before")))])
        .await
        .unwrap();
    fill();
    let mut written = 0;
    let error = loop {
        let large = event(at(written), None, &"x".repeat(100_000));
        match store.commit(&[Record::Event(large)]).await {
            Ok(()) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1000, "the disk does not fill up");
    };
    assert!(
        matches!(&error, StoreError::Full { path } if path.ends_with(FILE_NAME)),
        "{error}"
    );

    // What was there can be read, and once there is room, writing goes on.
    assert_eq!(store.load().await.unwrap().pods.len(), 1);
    std::fs::remove_file(&ballast).unwrap();
    store
        .commit(&[Record::PutPod(Box::new(pod("after")))])
        .await
        .unwrap();
    assert_eq!(store.load().await.unwrap().pods.len(), 2);
    let events = store
        .events(&EventQuery {
            limit: 2000,
            ..EventQuery::default()
        })
        .await
        .unwrap();
    assert_eq!(i64::try_from(events.len()).unwrap(), written);
}

#[tokio::test]
async fn a_file_that_lost_all_it_held_is_not_begun_anew() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path()).await;
    let path = dir.path().join(FILE_NAME);
    std::fs::write(&path, "").unwrap();
    let error = refused(dir.path()).await;
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("dagdad restore"), "{error}");
    assert_eq!(path.metadata().unwrap().len(), 0);
    // Nor is one of which only the log is left.
    std::fs::remove_file(&path).unwrap();
    std::fs::write(path.with_extension("db-wal"), "x").unwrap();
    let error = refused(dir.path()).await;
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    // What a daemon was making when it was killed is no loss.
    std::fs::remove_file(path.with_extension("db-wal")).unwrap();
    std::fs::write(path.with_extension("db.new"), "half").unwrap();
    open(dir.path(), None).await.close().await;
}

/// Damage that leaves a well-formed database.
#[tokio::test]
async fn rows_that_are_not_as_they_were_written_are_refused_and_left_alone() {
    for damage in [
        "UPDATE pods SET manifest = replace(manifest, 'llama', 'lhama')",
        "UPDATE pods SET manifest_digest = replace(manifest_digest, '1', '2')",
        "UPDATE pods SET manifest = CAST(x'6bff' AS TEXT)",
        "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 2",
        "PRAGMA writable_schema = ON; \
         DELETE FROM sqlite_schema WHERE name = 'events_by_time'; \
         PRAGMA writable_schema = RESET",
    ] {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path()).await;
        let path = dir.path().join(FILE_NAME);
        let mut conn = sqlite(dir.path()).await;
        conn.execute(damage).await.unwrap();
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            .await
            .unwrap();
        conn.close().await.unwrap();
        let before = std::fs::read(&path).unwrap();
        let error = refused(dir.path()).await;
        assert!(
            matches!(error, StoreError::Corrupt { .. }),
            "{damage}: {error}"
        );
        assert!(
            before == std::fs::read(&path).unwrap(),
            "{damage}: the file was changed"
        );
    }
}

#[tokio::test]
async fn an_index_that_misses_a_row_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path()).await;
    let path = dir.path().join(FILE_NAME);
    let mut bytes = std::fs::read(&path).unwrap();
    // The name as it stands in the row, before its category; the index has it too.
    let name = b"llamaoptional";
    let found = bytes.windows(name.len()).rposition(|window| window == name);
    bytes[found.unwrap()] = b'k';
    std::fs::write(&path, &bytes).unwrap();
    let error = refused(dir.path()).await;
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(bytes == std::fs::read(&path).unwrap());
}

#[tokio::test]
async fn what_is_written_to_a_file_that_was_removed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let store = open(&state, None).await;
    let record = Record::PutPod(Box::new(pod("llama")));
    store.commit(std::slice::from_ref(&record)).await.unwrap();
    let aside = dir.path().join("aside");
    std::fs::rename(&state, &aside).unwrap();
    let error = store
        .commit(std::slice::from_ref(&record))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Gone { .. }), "{error}");
    // Another one in its place is not it.
    open(&state, None).await.close().await;
    let error = store
        .commit(std::slice::from_ref(&record))
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Gone { .. }), "{error}");
    // It comes back as it was.
    std::fs::remove_dir_all(&state).unwrap();
    std::fs::rename(&aside, &state).unwrap();
    store.commit(&[record]).await.unwrap();
}
