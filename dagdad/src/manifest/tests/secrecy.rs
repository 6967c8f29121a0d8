//! Values of variables show nowhere.

use proptest::prelude::*;

use super::super::{Variables, parse, recall, render};
use super::{SMALL, file};

const SECRET: &str = "hunter2";

/// Wherever a value of the wrong form can stand.
const PLACES: &[&str] = &[
    "spec: {containers: '${S}'}",
    "spec: {containers: [{name: '${S}', image: '${S}'}, {name: '${S}', image: i}]}",
    "spec: {containers: [{name: a, image: i, ports: [{containerPort: '${S}', protocol: '${S}', hostIP: '${S}'}]}]}",
    "spec: {containers: [{name: a, image: i, ports: [{name: p, containerPort: 1}], readinessProbe: {httpGet: {port: '${S}', scheme: '${S}'}}}]}",
    "spec: {containers: [{name: a, image: i, imagePullPolicy: '${S}', resources: {requests: {memory: '${S}', cpu: '${S}'}}}]}",
    "spec: {containers: [{name: a, image: i, envFrom: [{configMapRef: {name: '${S}'}}], env: ['${S}']}], restartPolicy: '${S}', hostNetwork: '${S}', terminationGracePeriodSeconds: '${S}'}",
    "spec: {containers: [{name: a, image: i}], volumes: [{name: v, emptyDir: '${S}'}, '${S}']}",
    "spec: '${S}'",
];
const ANNOTATIONS: &str =
    "{dagda/category: '${S}', dagda/priority: '${S}', dagda/after: 'a b ${S}'}";

#[test]
fn no_refusal_shows_a_value() {
    let variables: Variables = [("S", format!("{SECRET} /, expected {SECRET}"))]
        .into_iter()
        .collect();
    for place in PLACES {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: web, annotations: {ANNOTATIONS}}}\n{place}\n"
        );
        let errors = parse(&[file("box.yml", &text)], &variables).expect_err(place);
        assert!(
            errors.problems.len() >= 4 || place.starts_with("spec: '"),
            "{errors}"
        );
        assert!(!format!("{errors} {errors:?}").contains(SECRET), "{errors}");
    }
}

#[test]
fn no_refusal_of_a_workflow_shows_a_value() {
    let variables: Variables = [("S", SECRET)].into_iter().collect();
    let text = "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: all}\nspec: {pods: [{name: '${S}'}, '${S}', {name: web, after: ['${S}', hunter]}], priority: '${S}', timeout: '${S}', onFailure: '${S}'}\n";
    let errors = parse(&[file("box.yml", text)], &variables).unwrap_err();
    assert_eq!(errors.problems.len(), 7, "{errors}");
    assert!(!format!("{errors} {errors:?}").contains(SECRET), "{errors}");
    let text = text.replace(
        "spec: {",
        "spec: {description: '${S}', zzz: '${S}', timeouts: [",
    );
    let errors = parse(&[file("box.yml", &text)], &variables).unwrap_err();
    assert!(!format!("{errors} {errors:?}").contains(SECRET), "{errors}");
}

#[test]
fn nothing_that_holds_a_value_prints_it() {
    let text = SMALL.replace("image: i", "image: i, env: [{name: A, value: '${S}'}]");
    let variables: Variables = [("S", SECRET)].into_iter().collect();
    let pods = parse(&[file("box.yml", &text)], &variables).unwrap().pods;
    let rendered = render(&pods[0].manifest, &variables).unwrap();
    assert!(rendered.text.contains(SECRET));
    assert!(!pods[0].manifest.text.contains(SECRET));
    let recalled = recall(&pods[0].manifest, &variables).unwrap();
    let printed = format!("{variables:?} {pods:?} {rendered:?} {recalled:?}");
    assert!(!printed.contains(SECRET), "{printed}");
    assert!(printed.contains("\"S\""), "names may show: {printed}");
}

proptest! {
    #[test]
    fn an_error_in_the_variables_file_shows_no_value(line in "[A-Z '\"=#-]{0,12}hunter2[ '\"=#a-z]{0,12}") {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("variables.env");
        std::fs::write(&path, format!("A=1\n{line}\n")).unwrap();
        if let Err(error) = Variables::read(&path)
            && let Some((_, value)) = line.split_once('=')
            && value.contains(SECRET)
        {
            prop_assert!(!error.to_string().contains(SECRET), "{error}");
        }
    }
}
