//! Every refusal's words, in one snapshot to be read by people.

use std::fmt::Write as _;

use super::super::{MAX_FILE, MAX_OBJECTS, Variables, parse, render, substitution};
use super::{FLOW, SMALL, file, parse_all, parse_one};

/// What is wrong, and a file in which it is.
const CASES: &[(&str, &str)] = &[
    ("nothing at all", ""),
    ("only comments", "# to be written\n---\n"),
    (
        "tab as indentation",
        "apiVersion: v1\nkind: Pod\nmetadata:\n\tname: web\n",
    ),
    (
        "unclosed quote in the second document",
        "a: 1\n---\nb: \"open\nc: 2\n",
    ),
    ("wrong indentation", "metadata:\n  name: web\n labels: {}\n"),
    ("key given twice", "apiVersion: v1\nkind: Pod\nkind: Pod\n"),
    ("byte order mark inside", "a: 1\n---\nb: \u{feff}c\n"),
    ("unknown anchor", "apiVersion: *v\n"),
    ("unknown tag", "apiVersion: !env v1\n"),
    ("a tag that does not fit", "apiVersion: !!int v1\n"),
    ("not a mapping", "- apiVersion: v1\n"),
    ("a text", "hello\n"),
    ("no header", "spec: {}\n"),
    (
        "kind misspelt",
        "apiVersion: v1\nkind: Pdo\nmetadata: {name: a}\n",
    ),
    (
        "version of a pod",
        "apiVersion: v2\nkind: Pod\nmetadata: {name: a}\n",
    ),
    (
        "Deployment",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n",
    ),
    (
        "Secret",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
    ),
    (
        "List",
        "apiVersion: v1\nkind: List\nitems: []\nmetadata: {name: a}\n",
    ),
    (
        "version of a Workflow",
        "apiVersion: v1\nkind: Workflow\nmetadata: {name: a}\n",
    ),
    (
        "version of a Workflow that is not known",
        "apiVersion: dagda/v2\nkind: Workflow\nmetadata: {name: a}\n",
    ),
    (
        "Workflow misspelt",
        "apiVersion: dagda/v1\nkind: Workflwo\nmetadata: {name: a}\n",
    ),
    (
        "name missing",
        "apiVersion: v1\nkind: Pod\nmetadata: {}\nspec: {containers: [{name: a, image: i}]}\n",
    ),
    (
        "name with a slash",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a/b}\nspec: {containers: [{name: a, image: i}]}\n",
    ),
    (
        "name with a control character",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\e[31mb\"}\nspec: {containers: [{name: a, image: i}]}\n",
    ),
    (
        "name from a variable",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: \"${PORT}\"}\nspec: {containers: [{name: a, image: i}]}\n",
    ),
    (
        "no spec",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\n",
    ),
    (
        "no containers",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: []}\n",
    ),
    (
        "containers as a mapping",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    name: a\n    image: i\n",
    ),
    (
        "a container that is a text",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - nginx\n",
    ),
    (
        "containers without name and image",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {}\n  - {name: b c, image: ' '}\n",
    ),
    (
        "one name for two containers",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  initContainers: [{name: a, image: i}]\n  containers: [{name: a, image: i}]\n",
    ),
    (
        "unknown annotation",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    dagda/priorty: '60'\n    dagda/zzzzzzzzzzzzz: x\nspec: {containers: [{name: a, image: i}]}\n",
    ),
    (
        "bad annotations",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    dagda/priority: 101\n    dagda/category: essentail\n    dagda/after: db, web\nspec: {containers: [{name: a, image: i}]}\n",
    ),
    (
        "after something that is no name",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    dagda/after: my db\nspec: {containers: [{name: a, image: i}]}\n",
    ),
    (
        "ports",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: a\n    image: i\n    ports:\n    - {containerPort: 70000}\n    - {hostPort: 80}\n    - {containerPort: http}\n    - {containerPort: 80, hostPort: -1}\n    - {containerPort: 80, hostIP: localhost}\n    - {containerPort: 80, protocol: TPC}\n    - {containerPort: 80, hostPort: 99999999999}\n    - 8080:80\n",
    ),
    (
        "one host port twice",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: a\n    image: i\n    ports: [{containerPort: 80, hostPort: 8080, hostIP: 127.0.0.1}]\n  - name: b\n    image: i\n    ports: [{containerPort: 81, hostPort: 8080}]\n",
    ),
    (
        "enumerations",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  restartPolicy: never\n  terminationGracePeriodSeconds: -1\n  hostNetwork: maybe\n  containers:\n  - {name: a, image: i, imagePullPolicy: IfNotPresnt}\n",
    ),
    (
        "resources",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: a\n    image: i\n    resources: {requests: {memory: 6GB, cpu: 2}, limits: {memory: 1Gi, cpu: 1500m}}\n",
    ),
    (
        "probes",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: a, image: i, readinessProbe: {httpGet: {port: web}}}\n  - {name: b, image: i, ports: [{name: http, containerPort: 80}], readinessProbe: {tcpSocket: {port: htpp}}}\n  - {name: c, image: i, readinessProbe: {periodSeconds: 5}}\n  - {name: d, image: i, readinessProbe: {exec: {command: []}}}\n  - {name: e, image: i, readinessProbe: {httpGet: {port: 80}, tcpSocket: {port: 80}}}\n  - {name: f, image: i, readinessProbe: {httpGet: {port: 0, scheme: FTP}, periodSeconds: -1}}\n",
    ),
    (
        "missing variables",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: a\n    image: ${REGISTRY}/i:${TAG}\n    ports: [{containerPort: 80, hostPort: \"${WEB_PORT}\"}]\n",
    ),
    (
        "a variable that does not fit",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: a ${WORD}\n    image: i\n    ports: [{containerPort: 80, hostPort: \"${WORD}\"}]\n",
    ),
    (
        "a ConfigMap that nobody uses",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: i}]}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n",
    ),
    (
        "a ConfigMap that is not there",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: i, envFrom: [{configMapRef: {name: settings}}]}]}\n",
    ),
    (
        "a ConfigMap twice",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: i, envFrom: [{configMapRef: {name: s}}]}]}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata: {A: b}\n",
    ),
    (
        "a ConfigMap with a list for data",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: s}\ndata: [a]\n",
    ),
    (
        "a pod twice",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: i}]}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: a, image: i}]}\n",
    ),
    (
        "a workflow without spec",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\n",
    ),
    (
        "a workflow without pods",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec: {pods: []}\n",
    ),
    (
        "pods of a workflow in another form",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec:\n  pods:\n  - db\n  - my db\n  - {after: [db]}\n  - {name: web, after: db}\n  -\n  - 5\n  - [web]\n",
    ),
    (
        "pods of a workflow as a mapping",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec:\n  pods: {name: db}\n",
    ),
    (
        "names of a workflow",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a b}\nspec:\n  pods:\n  - {name: my db}\n  - {name: \"${WORD}\"}\n  - {name: web, after: [\"${NONE}\", we/b]}\n",
    ),
    (
        "unknown fields of a workflow",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a, labels: {app: a}}\npods: [{name: web}]\nspec:\n  pods:\n  - {name: web, image: nginx, affter: []}\n  onfailure: keep\n  zzzzzzzzzz: 1\n",
    ),
    (
        "values of a workflow",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec:\n  pods: [{name: web}]\n  description: [a]\n  priority: 101\n  timeout: 300\n  onFailure: Rollback\n",
    ),
    (
        "other values of a workflow",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec:\n  pods: [{name: web}]\n  priority: high\n  timeout: 0s\n  onFailure: true\n",
    ),
    (
        "more values of a workflow",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec:\n  pods: [{name: web}]\n  priority: \"-1\"\n  timeout: 2days\n  onFailure: roll back\n",
    ),
    (
        "variables in a workflow",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec:\n  pods: [{name: web}]\n  description: \"${NONE}\"\n  priority: \"${WORD}\"\n  timeout: \"${WORD}\"\n  onFailure: \"${WORD}\"\n",
    ),
    (
        "a pod asked for twice",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec:\n  pods:\n  - {name: db}\n  - {name: web, after: [db]}\n  - {name: db, after: [web]}\n",
    ),
    (
        "after pods that are not there",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec:\n  pods:\n  - {name: mariadb}\n  - {name: web, after: [mariabd, cache, web, mariadb]}\n",
    ),
    (
        "circles in a workflow",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec:\n  pods:\n  - {name: a, after: [c]}\n  - {name: b, after: [a]}\n  - {name: c, after: [b]}\n  - {name: d, after: [e, a]}\n  - {name: e, after: [d]}\n  - {name: f, after: [f]}\n",
    ),
    (
        "a workflow twice",
        "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec: {pods: [{name: web}]}\n---\napiVersion: dagda/v1\nkind: Workflow\nmetadata: {name: a}\nspec: {pods: [{name: web}]}\n",
    ),
];

#[test]
fn words_of_every_refusal() {
    let mut all = String::new();
    for (title, text) in CASES {
        let errors = parse_all(text, &[("WORD", "hunter2 !")]).expect_err(title);
        writeln!(all, "# {title}\n{errors}\n").unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn problems_of_all_files_are_told_at_once() {
    let files = [
        file("a.yml", "a: [\n"),
        file("b.yml", "apiVersion: v1\nkind: Job\nmetadata: {name: j}\n"),
        file("c.yml", SMALL),
        file("d.yml", SMALL),
    ];
    let errors = parse(&files, &Variables::default()).unwrap_err();
    insta::assert_snapshot!(errors);
}

#[test]
fn a_file_of_ten_megabytes_is_refused_by_its_length() {
    let text = "[".repeat(10 * 1024 * 1024);
    let errors = parse_all(&text, &[]).unwrap_err();
    assert_eq!(
        errors.to_string(),
        format!("box.yml: has 10485760 bytes, at most {MAX_FILE} are read; is this a manifest?")
    );
}

#[test]
fn deep_nesting_is_refused() {
    for text in [
        "[".repeat(200_000),
        "- ".repeat(200_000),
        "{a: ".repeat(200_000),
        "? ".repeat(200_000),
    ] {
        let errors = parse_all(&text, &[]).unwrap_err();
        assert_eq!(errors.problems.len(), 1, "{errors}");
        assert!(errors.problems[0].mark.is_some(), "{errors}");
    }
    let errors = parse_all(&format!("{}{}", "[".repeat(70), "]".repeat(70)), &[]).unwrap_err();
    assert!(
        errors.to_string().contains("nested more than 64 levels"),
        "{errors}"
    );
}

#[test]
fn aliases_that_multiply_are_refused() {
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(laughs, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(500_000),
        vec!["*a"; 1000].join(", ")
    );
    for text in [laughs, long] {
        let errors = parse_all(&text, &[]).unwrap_err();
        assert!(
            errors.to_string().contains("more than 100000 values"),
            "{errors}"
        );
    }
}

/// Each alias may stand as deep as anything may, and so may the alias in what it stands for.
#[test]
fn aliases_nest_no_deeper_than_anything_else() {
    let (open, close) = ("[".repeat(60), "]".repeat(60));
    let mut tower = format!("a0: &a0 {open}{close}\n");
    for level in 1..40 {
        let below = level - 1;
        writeln!(tower, "a{level}: &a{level} {open}*a{below}{close}").unwrap();
    }
    let merged = format!("a: &a {{b: {open}{close}}}\nc: {open}{{<<: *a}}{close}\n");
    for text in [tower, merged] {
        let told = parse_all(&text, &[]).unwrap_err().to_string();
        assert!(told.contains("nested more than 64 levels"), "{told}");
    }
}

/// Each of them has a path, which may be long.
#[test]
fn no_more_missing_variables_are_kept_than_are_told() {
    let items = vec!["'${X} ${X}'"; 10_000].join(", ");
    let text = format!("{SMALL}? {}\n: [{items}]\n", "k".repeat(10_000));
    let errors = parse_all(&text, &[]).unwrap_err();
    assert!(errors.problems.len() <= 200, "{}", errors.problems.len());
    let documents = super::super::document::split(&text).unwrap();
    let mut value = documents[0].root.to_value();
    let missing = substitution::fill(&mut value, &Variables::default());
    assert_eq!(missing.len(), 200);
}

#[test]
fn a_key_as_long_as_a_file_is_like_no_other() {
    let key = "description".repeat(50_000);
    let told = parse_all(&format!("{FLOW}  ? {key}\n  : a\n"), &[]);
    let told = told.unwrap_err().problems.remove(0).message;
    assert!(
        told.starts_with("unknown field. A Workflow's spec"),
        "{told}"
    );
}

#[test]
fn similar_names_are_looked_for_among_few() {
    let mut text = FLOW.split("  pods").next().unwrap().to_owned() + "  pods:\n";
    text += "  - {name: first-of-all}\n";
    for pod in 0..100 {
        writeln!(text, "  - {{name: {pod}}}").unwrap();
    }
    text += "  - {name: one-too-many}\n";
    text += "  - {name: z, after: [frist-of-all, one-too-mnay]}\n";
    // Each mistake costs time for each name: among ten thousand, minutes.
    let errors = parse_all(&text, &[]).unwrap_err();
    let told: Vec<_> = errors.problems.iter().map(|it| &it.message).collect();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("did you mean first-of-all?"), "{told:#?}");
    assert!(!told[1].contains("did you mean"), "{told:#?}");
}

/// All that is wrong is told as far as anybody reads, and soon: similar names are looked for
/// among many.
#[test]
fn a_workflow_with_a_thousand_mistakes_is_refused_soon() {
    let mut text = FLOW.split("  pods").next().unwrap().to_owned() + "  pods:\n";
    for pod in 0..1000 {
        writeln!(
            text,
            "  - {{name: pod-{pod}, after: [none-{pod}, pod-{pod}, pod-0]}}"
        )
        .unwrap();
    }
    let begun = std::time::Instant::now();
    let errors = parse_all(&text, &[]).unwrap_err();
    assert_eq!(errors.problems.len(), 200);
    assert!(begun.elapsed() < std::time::Duration::from_secs(10));
}

#[test]
fn too_many_objects_are_refused() {
    let text = "---\na: 1\n".repeat(MAX_OBJECTS + 1);
    let errors = parse_all(&text, &[]).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "box.yml: more than 1000 objects at once; apply them in parts"
    );
}

#[test]
fn a_long_list_of_problems_is_cut() {
    let text = "---\nkind: Pod\n".repeat(100);
    let errors = parse_all(&text, &[]).unwrap_err().to_string();
    assert!(errors.ends_with("\nand 150 more"), "{errors}");
}

/// What clients take of a refusal is limited; a circle of many pods is one long line.
#[test]
fn long_problems_are_cut() {
    let mut text = FLOW.split("  pods").next().unwrap().to_owned() + "  pods:\n";
    let name = |pod: usize| format!("{}-{pod}", "a-long-name-of-a-pod".repeat(2));
    for pod in 0..500 {
        let after = name((pod + 1) % 500);
        writeln!(text, "  - {{name: {}, after: [{after}]}}", name(pod)).unwrap();
    }
    let circle = parse_all(&text, &[]).unwrap_err();
    let line = circle.to_string();
    assert!(
        line.len() <= 1024 + "…".len() && line.ends_with('…'),
        "{line}"
    );
    assert!(
        circle.problems[0].message.len() > 20_000,
        "all of it is known"
    );

    let many = parse_all(
        &"- a long list\n".repeat(1000).replace("- a", "---\n- a"),
        &[],
    );
    let many = many.unwrap_err().to_string();
    assert!((3000..5000).contains(&many.len()), "{}", many.len());
    assert!(many.ends_with(" more"), "{many}");
}

#[test]
fn a_start_names_each_variable_that_has_gone() {
    let text = SMALL.replace("image: i", "image: \"i:${TAG}\", command: [\"${CMD}\"]");
    let pod = parse_one(&text, &[("TAG", "1"), ("CMD", "run")]);
    let errors = render(&pod.manifest, &Variables::default()).unwrap_err();
    insta::assert_snapshot!(errors);
}
