//! `ConfigMap` and `PersistentVolumeClaim` documents, and who refers to them.

use k8s_openapi::api::core::v1::{Container, Pod};

use super::kind::CompanionKind;
use super::path::Path;

/// A companion as a pod names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CompanionName {
    /// Its kind.
    pub kind: CompanionKind,
    /// Its `metadata.name`.
    pub name: String,
}

/// A place in a pod that refers to a companion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What it refers to.
    pub to: CompanionName,
    /// Where it does.
    pub path: Path,
    /// Whether Podman starts the pod without it.
    pub optional: bool,
}

/// Everything that `pod` refers to.
#[must_use]
pub fn references(pod: &Pod) -> Vec<Reference> {
    let Some(spec) = &pod.spec else {
        return Vec::new();
    };
    let root = Path::fields(["spec"]);
    let mut references = Vec::new();
    let lists = [
        ("initContainers", spec.init_containers.as_deref()),
        ("containers", Some(&*spec.containers)),
    ];
    for (field, containers) in lists {
        for (index, container) in containers.unwrap_or_default().iter().enumerate() {
            of_environment(container, &root.key(field).index(index), &mut references);
        }
    }
    for (index, volume) in spec.volumes.iter().flatten().enumerate() {
        let path = root.key("volumes").index(index);
        if let Some(map) = &volume.config_map {
            let path = path.key("configMap").key("name");
            references.push(config_map(&map.name, path, map.optional));
        }
        let sources = volume
            .projected
            .iter()
            .flat_map(|projected| projected.sources.iter().flatten());
        for (source, projection) in sources.enumerate() {
            if let Some(map) = &projection.config_map {
                let path = path
                    .key("projected")
                    .key("sources")
                    .index(source)
                    .key("configMap")
                    .key("name");
                references.push(config_map(&map.name, path, map.optional));
            }
        }
        if let Some(claim) = &volume.persistent_volume_claim {
            references.push(Reference {
                to: CompanionName {
                    kind: CompanionKind::PersistentVolumeClaim,
                    name: claim.claim_name.clone(),
                },
                path: path.key("persistentVolumeClaim").key("claimName"),
                // A claim names a Podman volume, which Podman makes where it is missing.
                optional: true,
            });
        }
    }
    references
}

fn of_environment(container: &Container, path: &Path, references: &mut Vec<Reference>) {
    for (index, source) in container.env_from.iter().flatten().enumerate() {
        if let Some(map) = &source.config_map_ref {
            let path = path
                .key("envFrom")
                .index(index)
                .key("configMapRef")
                .key("name");
            references.push(config_map(&map.name, path, map.optional));
        }
    }
    for (index, variable) in container.env.iter().flatten().enumerate() {
        if let Some(key) = variable
            .value_from
            .as_ref()
            .and_then(|source| source.config_map_key_ref.as_ref())
        {
            let path = path
                .key("env")
                .index(index)
                .key("valueFrom")
                .key("configMapKeyRef")
                .key("name");
            references.push(config_map(&key.name, path, key.optional));
        }
    }
}

fn config_map(name: &str, path: Path, optional: Option<bool>) -> Reference {
    Reference {
        to: CompanionName {
            kind: CompanionKind::ConfigMap,
            name: name.to_owned(),
        },
        path,
        optional: optional.unwrap_or_default(),
    }
}
