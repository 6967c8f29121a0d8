//! The manifests under `examples/` are good ones.

use std::path::Path;

use super::super::{SourceFile, Variables, parse, render};
use crate::domain::catalogue::Entries;

#[test]
fn every_example_is_accepted_as_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut files: Vec<SourceFile> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .map(|path| SourceFile {
            name: path.display().to_string(),
            text: std::fs::read_to_string(&path).unwrap(),
        })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let Entries { pods, workflows } =
        parse(&files, &Variables::default()).unwrap_or_else(|errors| panic!("{errors}"));
    let names: Vec<&str> = pods.iter().map(|pod| pod.spec.name.as_str()).collect();
    assert_eq!(names, ["clock", "mariadb", "llama", "n8n", "web"]);
    for workflow in &workflows {
        for member in &workflow.spec.members {
            assert!(names.contains(&member.pod.as_str()), "{member:?}");
        }
    }
    let workflows: Vec<&str> = workflows
        .iter()
        .map(|workflow| workflow.spec.name.as_str())
        .collect();
    assert_eq!(workflows, ["site", "ai-complete"]);
    for pod in &pods {
        render(&pod.manifest, &Variables::default()).unwrap();
    }
    // All of them can run at once.
    let ports: Vec<_> = pods
        .iter()
        .flat_map(|pod| pod.spec.published_ports())
        .collect();
    for (index, port) in ports.iter().enumerate() {
        assert!(
            !ports[..index].iter().any(|other| other.collides_with(port)),
            "{port:?}"
        );
    }
}
