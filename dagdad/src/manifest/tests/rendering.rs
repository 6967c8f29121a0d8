//! What Podman is given: values of the types that Kubernetes wants, and nothing lost.

use serde_json::{Value, json};

use super::{container, parse_one, rendered};

#[test]
fn a_variable_takes_the_type_of_its_field() {
    let text = container(
        "securityContext: {privileged: '${YES}', runAsUser: '${N}'}, ports: [{containerPort: '${N}'}], env: [{name: PIN, value: '${N}'}, {name: ON, value: '${YES}'}], livenessProbe: {tcpSocket: {port: '${N}'}}",
    );
    let text = text.replace(
        "{name: web}",
        "{name: web, labels: {port: '${N}', privileged: '${YES}'}}",
    );
    let pod = rendered(&text, &[("N", "12345"), ("YES", "true")]).remove(0);
    let container = &pod["spec"]["containers"][0];
    assert_eq!(
        container["securityContext"],
        json!({"privileged": true, "runAsUser": 12345})
    );
    assert_eq!(container["ports"], json!([{"containerPort": 12345}]));
    assert_eq!(
        container["env"],
        json!([{"name": "PIN", "value": "12345"}, {"name": "ON", "value": "true"}])
    );
    assert_eq!(
        container["livenessProbe"]["tcpSocket"]["port"],
        json!(12345)
    );
    assert_eq!(
        pod["metadata"]["labels"],
        json!({"port": "12345", "privileged": "true"})
    );
}

#[test]
fn scalars_mean_what_they_mean_to_podman() {
    let text = format!(
        "{}  volumes:\n  - {{name: v, secret: {{secretName: s, defaultMode: 0644}}}}\n",
        container(
            "tty: yes, env: [{name: A, value: yes}, {name: B, value: 1.10}, {name: C, value: 8080}, {name: D, value: '0022'}]"
        )
    );
    let pod = rendered(&text, &[]).remove(0);
    assert_eq!(
        pod["spec"]["volumes"][0]["secret"]["defaultMode"],
        json!(420)
    );
    let container = &pod["spec"]["containers"][0];
    assert_eq!(container["tty"], json!(true));
    let values: Vec<&Value> = container["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["value"])
        .collect();
    assert_eq!(
        values,
        [&json!("yes"), &json!(1.1), &json!(8080), &json!("0022")]
    );
}

#[test]
fn a_quoted_number_is_taken_as_one() {
    let pod = rendered(
        &container("ports: [{containerPort: '80', hostPort: ' 8080 '}], tty: 'On'"),
        &[],
    )
    .remove(0);
    let container = &pod["spec"]["containers"][0];
    assert_eq!(
        container["ports"],
        json!([{"containerPort": 80, "hostPort": 8080}])
    );
    assert_eq!(container["tty"], json!(true));
}

#[test]
fn a_null_is_what_go_makes_of_it() {
    let text =
        container("command: [~], env: [{name: A, value: ~}], ports: ~, resources: ~").replace(
            "{name: web}",
            "{name: web, annotations: {a: , dagda/after: }, labels: }",
        ) + "  volumes:\n  - name: v\n    emptyDir:\n";
    let spec = parse_one(&text, &[]).spec;
    assert!(spec.after.is_empty() && spec.containers[0].ports.is_empty());
    assert_eq!(
        rendered(&text, &[])[0]["metadata"]["annotations"],
        json!({"a": null, "dagda/after": null})
    );
}

#[test]
fn fields_that_nobody_knows_go_to_podman_untouched() {
    let text = container("x-new: {port: '8080', deep: [yes, 1.5, null]}");
    let pod = rendered(&text, &[]).remove(0);
    assert_eq!(
        pod["spec"]["containers"][0]["x-new"],
        json!({"port": "8080", "deep": ["yes", 1.5, null]})
    );
}

#[test]
fn anchors_and_merge_keys_work() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - &base\n    name: a\n    image: &image i:1\n    env: [{name: A, value: b}]\n  - {<<: *base, name: b}\n  - {name: c, image: *image}\n";
    let pod = rendered(text, &[]).remove(0);
    assert_eq!(
        pod["spec"]["containers"][1],
        json!({"name": "b", "image": "i:1", "env": [{"name": "A", "value": "b"}]})
    );
    assert_eq!(pod["spec"]["containers"][2]["image"], json!("i:1"));
}
