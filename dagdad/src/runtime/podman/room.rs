//! Room on the disk for images.
//!
//! Podman pulls first and sees later whether there is room: a large image fills the disk, for
//! everybody on it, and then fails. How large an image will be no API of libpod's tells before
//! it is here (its manifest inspection leaves the layers' sizes out). Known is, where the
//! reference is pulled anew (`imagePullPolicy: Always`), the size of the image that it leads to
//! now, which its successor is taken to be like. Whether there is a successor shows in the
//! digests of a manifest list, which most published images have. An image that is known to
//! have changed is not pulled where another of its size has no room. In every other case the
//! pull itself shows whether there is room: an image that did not change needs none.

use std::path::{Path, PathBuf};

use tokio::sync::OnceCell;

use super::Deadlines;
use super::client::{Call, Client, encode};
use super::wire;
use crate::domain::quantity::Bytes;
use crate::ports::RuntimeError;

/// What the kernel says when a disk is full (`ENOSPC`), in Podman's and its helpers' errors.
const DISK_FULL: &str = "no space left on device";

/// Where Podman puts images. Asked for once, since Podman takes a tenth of a second and more to
/// describe itself, and never moves them while it runs.
#[derive(Debug, Default)]
pub struct ImageDisk {
    folders: OnceCell<Folders>,
}

#[derive(Debug)]
struct Folders {
    /// Where images are kept.
    images: PathBuf,
    /// Where layers are put as they are downloaded; empty where Podman does not tell.
    downloads: PathBuf,
}

/// A folder and what is free on its disk.
#[derive(Debug, PartialEq, Eq)]
struct Room {
    folder: PathBuf,
    available: Bytes,
}

impl Room {
    fn refusal(self, image: &str, needed: Option<Bytes>) -> RuntimeError {
        RuntimeError::NoRoom {
            image: image.to_owned(),
            needed,
            available: self.available,
            path: self.folder.display().to_string(),
        }
    }
}

impl ImageDisk {
    /// Looks before `image` is pulled anew.
    ///
    /// # Errors
    /// [`RuntimeError::NoRoom`] where it is known that there is none, and nothing else: where
    /// something cannot be found out, the pull shows it.
    pub async fn check(
        &self,
        client: &Client,
        image: &str,
        deadlines: &Deadlines,
    ) -> Result<(), RuntimeError> {
        match self.lack(client, image, deadlines).await {
            Ok(None) => Ok(()),
            Ok(Some(lack)) => Err(lack),
            Err(error) => {
                tracing::debug!(dagda_image = image, dagda_error = %error, "not known whether there is room for the image");
                Ok(())
            }
        }
    }

    async fn lack(
        &self,
        client: &Client,
        image: &str,
        deadlines: &Deadlines,
    ) -> Result<Option<RuntimeError>, RuntimeError> {
        let path = format!("/images/{}/json", encode(image));
        let local: wire::ImageDetail = match client
            .read(Call::get(path, "look at the image"), deadlines.exists)
            .await
        {
            Ok(local) => local,
            Err(RuntimeError::Refused { status: 404, .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let folders = self.folders(client, deadlines).await?;
        let room = room_at(client, &folders.images, deadlines).await?;
        let needed = Bytes(local.size);
        if room.available >= needed {
            return Ok(None);
        }
        let path = format!("/manifests/{}/json", encode(image));
        let call = Call::get(path, "ask the registry for the image's manifest");
        let published: wire::ManifestList = client.read(call, deadlines.registry).await?;
        Ok(differs(&local, &published).then(|| room.refusal(image, Some(needed))))
    }

    /// What a pull that failed with `reason` means, where it failed for want of room.
    pub async fn explain(
        &self,
        client: &Client,
        image: &str,
        reason: &str,
        deadlines: &Deadlines,
    ) -> Option<RuntimeError> {
        if !reason.contains(DISK_FULL) {
            return None;
        }
        let folders = self.folders(client, deadlines).await.ok()?;
        let room = room_at(client, folders.full(reason), deadlines)
            .await
            .ok()?;
        Some(room.refusal(image, None))
    }

    async fn folders(
        &self,
        client: &Client,
        deadlines: &Deadlines,
    ) -> Result<&Folders, RuntimeError> {
        self.folders
            .get_or_try_init(|| async {
                let store = store(client, deadlines).await?;
                Ok(Folders {
                    images: store.graph_root,
                    downloads: store.image_copy_tmp_dir,
                })
            })
            .await
    }
}

impl Folders {
    /// The folder that a write to failed with `reason`: `… storing blob to file
    /// "/var/tmp/storage1/2": …` while a layer was downloaded, a path inside the image (`write
    /// /bin/sh: …`) while it was unpacked.
    fn full(&self, reason: &str) -> &Path {
        let file = reason
            .split_once("storing blob to file \"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(file, _)| Path::new(file));
        match file {
            Some(file) if file.starts_with(&self.downloads) => &self.downloads,
            _ => &self.images,
        }
    }
}

/// Whether a manifest list tells that none of its images is the one here.
fn differs(local: &wire::ImageDetail, published: &wire::ManifestList) -> bool {
    let here = |digest: &str| {
        local
            .repo_digests
            .iter()
            .filter_map(|reference| reference.split_once('@'))
            .any(|(_, known)| known == digest)
    };
    !published.manifests.is_empty()
        && !published
            .manifests
            .iter()
            .any(|manifest| here(&manifest.digest))
}

async fn store(client: &Client, deadlines: &Deadlines) -> Result<wire::StoreInfo, RuntimeError> {
    let call = Call::get("/info", "tell where it keeps images");
    let info: wire::Info = client.read(call, deadlines.info).await?;
    Ok(info.store)
}

/// What is free on the disk of `folder`: what an ordinary process can still write. Where dagdad
/// does not see the folder, what Podman says of the disk on which it keeps images.
async fn room_at(
    client: &Client,
    folder: &Path,
    deadlines: &Deadlines,
) -> Result<Room, RuntimeError> {
    let folder = folder.to_owned();
    let seen = {
        let folder = folder.clone();
        // A disk may be slow to answer.
        tokio::task::spawn_blocking(move || rustix::fs::statvfs(&folder)).await
    };
    let available = match seen {
        Ok(Ok(sizes)) => sizes.f_bavail.saturating_mul(sizes.f_frsize),
        Ok(Err(_)) | Err(_) => {
            let store = store(client, deadlines).await?;
            store
                .graph_root_allocated
                .saturating_sub(store.graph_root_used)
        }
    };
    Ok(Room {
        folder,
        available: Bytes(available),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::unpacking(
        "writing blob: adding layer with blob \"sha256:f44b\": ApplyLayer stdout:  stderr: write /a: no space left on device exit status 1",
        "/var/lib/containers/storage"
    )]
    #[case::unpacking_what_looks_like_a_download(
        "writing blob: adding layer with blob \"sha256:f44b\": processing tar file(write /var/tmp/a: no space left on device): exit status 1",
        "/var/lib/containers/storage"
    )]
    #[case::downloading(
        "writing blob: storing blob to file \"/var/tmp/storage1621294405/2\": write /var/tmp/storage1621294405/2: no space left on device",
        "/var/tmp"
    )]
    fn the_full_folder_is_the_one_written_to(#[case] reason: &str, #[case] expected: &str) {
        let folders = Folders {
            images: "/var/lib/containers/storage".into(),
            downloads: "/var/tmp".into(),
        };
        assert_eq!(folders.full(reason), Path::new(expected));
    }

    #[rstest]
    #[case::unchanged(&["r@sha256:list", "r@sha256:one"], &["sha256:one", "sha256:two"], false)]
    #[case::changed(&["r@sha256:list", "r@sha256:one"], &["sha256:three", "sha256:two"], true)]
    #[case::no_list(&["r@sha256:one"], &[], false)]
    #[case::made_here(&[], &["sha256:one"], true)]
    fn only_a_list_without_the_image_here_tells_of_another(
        #[case] local: &[&str],
        #[case] published: &[&str],
        #[case] expected: bool,
    ) {
        let local = wire::ImageDetail {
            size: 1,
            repo_digests: local.iter().map(ToString::to_string).collect(),
        };
        let entry = |digest: &&str| wire::ManifestEntry {
            digest: (*digest).to_owned(),
        };
        let published = wire::ManifestList {
            manifests: published.iter().map(entry).collect(),
        };
        assert_eq!(differs(&local, &published), expected);
    }

    #[test]
    fn reads_podman_4() {
        let info: wire::Info =
            serde_json::from_slice(include_bytes!("fixtures/info_4.json")).unwrap();
        assert_eq!(
            info.store.graph_root,
            Path::new("/var/lib/containers/storage")
        );
        assert_eq!(info.store.image_copy_tmp_dir, Path::new("/var/tmp"));
        assert_eq!(info.store.graph_root_allocated, 270_553_174_016);
        assert_eq!(info.store.graph_root_used, 61_280_550_912);
        let single: wire::ManifestList =
            serde_json::from_str(r#"{"schemaVersion":2,"mediaType":"x","manifests":null}"#)
                .unwrap();
        assert!(single.manifests.is_empty());
    }
}
