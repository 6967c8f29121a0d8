//! The manifest that is kept: the owner's text as it was, given back by an export, and read
//! again when dagdad starts, whatever has become of its variables.

use serde_json::json;

use super::super::{SourceFile, Variables, join, parse, recall};
use super::{FLOW, SMALL, TWO_WITH_SETTINGS, file, parse_one, rendered};

#[test]
fn the_owners_text_is_kept() {
    let text = "\u{feff}# the header\r\n---\r\n# the pod\r\napiVersion: v1\r\nkind: Pod\r\nmetadata: {name: web} # here\r\nspec:\r\n  containers:\r\n  - name: a\r\n    image: i\r\n    args:\r\n    - |\r\n      ---\r\n      ...\r\n# the end";
    let pod = parse_one(text, &[]);
    assert_eq!(
        pod.manifest.text,
        text.replace("---\r\n# the pod", "# the pod")[3..].to_owned() + "\n"
    );
    let args = &rendered(text, &[])[0]["spec"]["containers"][0]["args"];
    assert_eq!(*args, json!(["---\n...\n"]));
}

#[test]
fn the_digest_is_that_of_the_text() {
    let digest = parse_one(SMALL, &[]).manifest.digest.0;
    // printf '…' | sha256sum
    assert_eq!(
        digest,
        "7c212666eeb313bfecbfbc46f00ddc93d28dcb50a2b837c1754a58b99f2ac88f"
    );
    assert_ne!(
        digest,
        parse_one(&format!("{SMALL}# a word\n"), &[])
            .manifest
            .digest
            .0
    );
}

#[test]
fn what_is_exported_is_unchanged_when_it_is_applied_again() {
    let variables: Variables = [("WHO", "world")].into_iter().collect();
    let directive = "%YAML 1.2\n# strict\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: three}\nspec: {containers: [{name: a, image: i}]}";
    let files = [
        file("a.yml", TWO_WITH_SETTINGS),
        file("b.yml", directive),
        file("c.yml", SMALL),
        file("d.yml", FLOW),
    ];
    let entries = parse(&files, &variables).unwrap();
    let pods = entries.pods.iter().map(|pod| &pod.manifest);
    let workflows = entries.workflows.iter().map(|workflow| &workflow.manifest);
    let exported = join(pods.chain(workflows).map(|manifest| manifest.text.as_str()));
    let again = parse(&[file("export.yml", &exported)], &variables).unwrap();
    assert_eq!(entries, again, "{exported}");
}

/// Each field that can hold a variable, with what it falls back to.
#[test]
fn without_its_variables_a_pod_is_recalled_doing_least() {
    let text = "\
apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations: {dagda/category: '${CATEGORY}', dagda/priority: '${N}', dagda/after: 'db, ${AFTER}'}
spec:
  hostNetwork: ${HOST}
  terminationGracePeriodSeconds: ${N}
  restartPolicy: ${RESTART}
  containers:
  - name: ${NAME}
    image: ${IMAGE}:1
    args: ['${ARG}']
    imagePullPolicy: ${PULL}
    ports:
    - {containerPort: 80, hostPort: '${N}', protocol: '${PROTOCOL}'}
    - {containerPort: '${N}', hostPort: 8080}
    - {containerPort: 81, hostPort: 8081, hostIP: '${IP}'}
    - {containerPort: 82, hostPort: 8082}
    resources: {requests: {memory: '${MEMORY}', cpu: '${N}'}, limits: {cpu: 90}}
    readinessProbe: {httpGet: {port: '${N}'}, periodSeconds: '${N}'}
    securityContext: {privileged: '${HOST}'}
  - {name: b, image: i, readinessProbe: {tcpSocket: {port: 82}, periodSeconds: '${N}'}}
";
    let variables: Variables = [
        ("CATEGORY", "optional"),
        ("N", "77"),
        ("AFTER", "n8n"),
        ("HOST", "false"),
        ("RESTART", "Never"),
        ("NAME", "a"),
        ("IMAGE", "i"),
        ("ARG", "x"),
        ("PULL", "Never"),
        ("PROTOCOL", "UDP"),
        ("IP", "127.0.0.1"),
        ("MEMORY", "1Gi"),
    ]
    .into_iter()
    .collect();
    let pods = parse(
        &[SourceFile {
            name: "-".into(),
            text: text.into(),
        }],
        &variables,
    )
    .unwrap()
    .pods;
    assert_eq!(recall(&pods[0].manifest, &variables).unwrap(), pods[0]);
    let recalled = recall(&pods[0].manifest, &Variables::default()).unwrap();
    assert_eq!(recalled.manifest, pods[0].manifest);
    insta::assert_debug_snapshot!(recalled.spec);
    // Values that no longer fit do the same as values that are gone.
    let names = [
        "CATEGORY", "N", "AFTER", "HOST", "RESTART", "PULL", "PROTOCOL", "IP", "MEMORY",
    ];
    let nonsense: Variables = names
        .into_iter()
        .map(|name| (name, "/"))
        .chain([("NAME", "${NAME}"), ("IMAGE", "${IMAGE}")])
        .collect();
    assert_eq!(
        recall(&pods[0].manifest, &nonsense).unwrap().spec,
        recalled.spec
    );
}
