//! Bringing pods up through Podman's `play kube`.

use std::collections::HashMap;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use serde_json::Value;

use super::client::{Call, Client, within};
use super::list::Listing;
use super::stop::remove;
use super::text::one_line;
use super::version::Version;
use super::{Deadlines, wire};
use crate::domain::catalogue::RenderedPod;
use crate::domain::pod::RestartPolicy;
use crate::ports::RuntimeError;

const WHAT: &str = "start the pod";

/// Before this version, Podman gives init containers the pod's restart policy: under `Always`
/// one that is done is run again and again, until `play kube` gives up after 20 s.
/// Source: <https://github.com/containers/podman/pull/18481>
const INIT_CONTAINERS_MENDED: Version = Version { major: 4, minor: 6 };

/// Creates the pod and starts it; what is left of an earlier one of that name goes first. After
/// an error nothing is left of this one, as far as Podman still answers.
pub async fn play(
    client: &Client,
    pod: &RenderedPod,
    deadlines: &Deadlines,
) -> Result<(), RuntimeError> {
    let name = pod.spec.name.as_str();
    let mut ours = false;
    let outcome = within(deadlines.play, WHAT, async {
        let text = suited(client, pod, deadlines).await?;
        // Another play of the same pod may be under way, ordered by a dagdad that was killed
        // meanwhile: its name is taken before the pod shows in a listing.
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_delay(Duration::from_secs(2))
            .without_max_times()
            .build();
        loop {
            make_way(client, name, deadlines).await?;
            ours = true;
            let error = match order(client, &text, deadlines.play).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if let Some(id) = orphan(&error) {
                clear_orphan(client, name, id, deadlines)
                    .await
                    .map_err(|_| error)?;
                continue;
            }
            if !is_name_conflict(&error) {
                return Err(error);
            }
            ours = false;
            tracing::debug!(
                dagda_pod = name,
                "the pod's name is taken, looking again: {error}"
            );
            tokio::time::sleep(pauses.next().unwrap_or_default()).await;
        }
    })
    .await;
    match outcome {
        Err(error) if ours => Err(undo(client, name, error, deadlines).await),
        other => other,
    }
}

/// Removes what is left of an earlier pod of this name.
async fn make_way(client: &Client, name: &str, deadlines: &Deadlines) -> Result<(), RuntimeError> {
    let listing = Listing::fetch(client, deadlines.list).await?;
    let Some((_, containers)) = listing.pod(name) else {
        return Ok(());
    };
    if containers
        .iter()
        .any(|container| !container.is_infra && container.is_live())
    {
        return Err(RuntimeError::AlreadyRunning {
            pod: name.to_owned(),
        });
    }
    remove(client, name, Duration::ZERO, deadlines.remove).await
}

async fn order(client: &Client, text: &str, deadline: Duration) -> Result<(), RuntimeError> {
    let call = Call::post("/play/kube?start=true", WHAT).yaml(text);
    let report: wire::PlayReport = client.call(call, deadline).await?.accepted()?.json()?;
    let errors: Vec<String> = report
        .pods
        .into_iter()
        .flat_map(|pod| pod.container_errors)
        .collect();
    if errors.is_empty() {
        return Ok(());
    }
    Err(RuntimeError::Refused {
        status: 200,
        message: errors.join("; "),
    })
}

fn is_name_conflict(error: &RuntimeError) -> bool {
    matches!(error, RuntimeError::Refused { message, .. }
        if message.contains("already exists") || message.contains("is in use"))
}

/// The id of the container whose name is in the way, where the storage says so. A Podman that
/// was killed between the storage and its own records leaves such a one, which no listing shows.
fn orphan(error: &RuntimeError) -> Option<&str> {
    let RuntimeError::Refused { message, .. } = error else {
        return None;
    };
    let (_, rest) = message.split_once("container name ")?;
    let (_, rest) = rest.split_once(" is already in use by ")?;
    let end = rest
        .find(|c: char| !c.is_ascii_hexdigit())
        .unwrap_or(rest.len());
    (end == 64).then_some(&rest[..end])
}

/// Removes the half-made pod and what is left in the storage under `id`; an error where that is
/// a container in its own right.
async fn clear_orphan(
    client: &Client,
    name: &str,
    id: &str,
    deadlines: &Deadlines,
) -> Result<(), RuntimeError> {
    remove(client, name, Duration::ZERO, deadlines.remove).await?;
    let listing = Listing::fetch(client, deadlines.list).await?;
    if listing
        .containers
        .iter()
        .any(|container| container.id == id)
    {
        return Err(RuntimeError::AlreadyRunning {
            pod: name.to_owned(),
        });
    }
    tracing::info!(
        dagda_pod = name,
        "removing what a killed Podman left in the storage"
    );
    let call = Call::delete(format!("/containers/{id}?force=true"), "clear the storage");
    client
        .call(call, deadlines.remove)
        .await?
        .accepted()
        .map(|_| ())
}

/// Removes the half-made pod, and tells `error` in the manifest's words.
async fn undo(
    client: &Client,
    name: &str,
    error: RuntimeError,
    deadlines: &Deadlines,
) -> RuntimeError {
    let names = match Listing::fetch(client, deadlines.list).await {
        Ok(listing) => container_names(&listing, name),
        Err(_) => HashMap::new(),
    };
    if let Err(error) = remove(client, name, Duration::ZERO, deadlines.remove).await {
        tracing::warn!(
            dagda_pod = name,
            "what is left of the failed start could not be removed: {error}"
        );
    }
    match error {
        RuntimeError::Refused { status, message } => RuntimeError::Refused {
            status,
            message: in_plain_words(&message, &names),
        },
        other => other,
    }
}

/// Manifest names of a pod's containers, by id.
fn container_names(listing: &Listing, pod: &str) -> HashMap<String, String> {
    let Some((_, containers)) = listing.pod(pod) else {
        return HashMap::new();
    };
    containers
        .into_iter()
        .map(|container| {
            let name = if container.is_infra {
                "of the pod's network".to_owned()
            } else {
                container.manifest_name(pod).to_owned()
            };
            (container.id.clone(), name)
        })
        .collect()
}

/// Names containers as the manifest does, and drops what only follows from another error.
fn in_plain_words(message: &str, names: &HashMap<String, String>) -> String {
    let mut parts: Vec<&str> = message.split("; ").collect();
    if parts
        .iter()
        .any(|part| !part.contains("a dependency of container"))
    {
        parts.retain(|part| !part.contains("a dependency of container"));
    }
    let mut text = parts.join("; ");
    for (id, name) in names {
        text = text.replace(id, name);
    }
    one_line(text.trim_start_matches("playing YAML file: "))
}

/// The manifest as this Podman can take it.
async fn suited(
    client: &Client,
    pod: &RenderedPod,
    deadlines: &Deadlines,
) -> Result<String, RuntimeError> {
    let spec = &pod.spec;
    if spec.init_containers.is_empty() || spec.restart_policy != RestartPolicy::Always {
        return Ok(pod.text.clone());
    }
    let version = Version::fetch(client, deadlines.version).await?;
    if version >= INIT_CONTAINERS_MENDED {
        return Ok(pod.text.clone());
    }
    tracing::info!(
        dagda_pod = %spec.name,
        "this Podman would run the init containers of restartPolicy Always for ever; the pod gets OnFailure"
    );
    on_failure(&pod.text)
}

/// The manifest with the pod's `restartPolicy` set to `OnFailure`.
fn on_failure(text: &str) -> Result<String, RuntimeError> {
    let mut documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| {
        RuntimeError::Protocol(format!("the manifest cannot be read again: {error}"))
    })?;
    for document in &mut documents {
        if document["kind"] == "Pod" {
            document["spec"]["restartPolicy"] = Value::from("OnFailure");
        }
    }
    // JSON is YAML.
    Ok(documents
        .iter()
        .map(Value::to_string)
        .collect::<Vec<_>>()
        .join("\n---\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_containers_as_the_manifest_does() {
        let names = HashMap::from([
            ("93eb".to_owned(), "c".to_owned()),
            ("ceb3".to_owned(), "of the pod's network".to_owned()),
        ]);
        let message = "starting container 93eb: a dependency of container 93eb failed to start: container state improper; starting container ceb3: cannot listen on the TCP port: listen tcp4 :21005: bind: address already in use";
        assert_eq!(
            in_plain_words(message, &names),
            "starting container of the pod's network: cannot listen on the TCP port: listen tcp4 :21005: bind: address already in use"
        );
        let alone = "starting container 93eb: a dependency of container 93eb failed to start";
        assert!(
            !in_plain_words(alone, &names).is_empty(),
            "never without any reason"
        );
    }

    #[test]
    fn other_documents_and_fields_stay() {
        let text = "kind: Pod\nspec:\n  restartPolicy: Always\n  containers: [{name: a}]\n---\nkind: ConfigMap\ndata: {k: \"1\"}\n";
        let changed = on_failure(text).unwrap();
        let documents: Vec<Value> = serde_saphyr::from_multiple(&changed).unwrap();
        assert_eq!(documents[0]["spec"]["restartPolicy"], "OnFailure");
        assert_eq!(documents[0]["spec"]["containers"][0]["name"], "a");
        assert_eq!(documents[1]["data"]["k"], "1");
    }

    #[test]
    fn an_orphan_in_the_storage_is_recognised() {
        let id = "514628977d55c1d198f16b4c520e7282a691958c13b546c266b5d6d9f1ec658b";
        let refused = |message: String| RuntimeError::Refused {
            status: 500,
            message,
        };
        let error = refused(format!(
            "creating container storage: the container name \"idle-main\" is already in use by {id}. You have to remove that container to be able to reuse that name: that name is already in use"
        ));
        assert_eq!(orphan(&error), Some(id));
        assert_eq!(
            orphan(&refused(
                "the container name \"x\" is already in use by 12. You".into()
            )),
            None
        );
        assert_eq!(
            orphan(&refused("bind: address already in use".into())),
            None
        );
    }

    #[test]
    fn a_taken_name_is_told_from_other_refusals() {
        let refused = |message: &str| RuntimeError::Refused {
            status: 500,
            message: message.into(),
        };
        assert!(is_name_conflict(&refused(
            "playing YAML file: adding pod to state: name \"dup\" is in use: pod already exists"
        )));
        assert!(
            !is_name_conflict(&refused("bind: address already in use")),
            "a port is no name"
        );
    }
}
