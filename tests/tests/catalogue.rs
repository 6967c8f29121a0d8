//! Manifests in, manifests out.

use dagda_proto::v1::{self, Change};
use dagda_tests::cli::code;
use dagda_tests::manifest::{Pod, documents};
use dagda_tests::{TestHost, ports};

/// Applies one file over the wire.
fn apply(host: &TestHost, text: &str, dry_run: bool) -> Vec<(String, Change)> {
    let files = vec![v1::ManifestFile {
        name: "pods.yml".to_owned(),
        text: text.to_owned(),
    }];
    let request = v1::ApplyRequest { files, dry_run };
    match host.block_on(host.catalogue_client().apply(request)) {
        Ok(response) => {
            let response = response.into_inner();
            assert_eq!(response.dry_run, dry_run);
            response
                .objects
                .iter()
                .map(|object| (object.name.clone(), object.change()))
                .collect()
        }
        Err(status) => panic!("apply: {status:?}"),
    }
}

fn names(host: &TestHost) -> Vec<String> {
    let list = host.run(["--json", "pods", "list"]).done().json();
    let pods = list["pods"].as_array().into_iter().flatten();
    pods.filter_map(|pod| pod["name"].as_str())
        .map(str::to_owned)
        .collect()
}

#[test]
fn each_object_is_created_changed_or_unchanged() {
    let host = TestHost::ready();
    let both = documents(&[Pod::waiting("a"), Pod::waiting("b")]);
    let pair = |a, b| vec![("a".to_owned(), a), ("b".to_owned(), b)];
    assert_eq!(
        apply(&host, &both, false),
        pair(Change::Created, Change::Created)
    );
    assert_eq!(
        apply(&host, &both, false),
        pair(Change::Unchanged, Change::Unchanged)
    );
    let other = documents(&[
        Pod::waiting("a"),
        Pod::script("b", "exec busybox sleep 1000"),
    ]);
    assert_eq!(
        apply(&host, &other, false),
        pair(Change::Unchanged, Change::Changed)
    );
    let text = host
        .run_with_input(["apply", "-f", "-"], &both)
        .done()
        .stdout;
    assert!(
        text.contains("unchanged") && text.contains("changed"),
        "{text}"
    );
}

#[test]
fn a_dry_run_says_the_same_and_changes_nothing() {
    let host = TestHost::ready();
    let a = Pod::waiting("a").to_string();
    assert_eq!(apply(&host, &a, true), [("a".to_owned(), Change::Created)]);
    assert_eq!(names(&host), [] as [String; 0]);
    assert_eq!(apply(&host, &a, false), [("a".to_owned(), Change::Created)]);
    let changed = Pod::script("a", "exec busybox sleep 1000").to_string();
    assert_eq!(
        apply(&host, &changed, true),
        [("a".to_owned(), Change::Changed)]
    );
    assert_eq!(
        apply(&host, &a, false),
        [("a".to_owned(), Change::Unchanged)]
    );
}

#[test]
fn one_bad_document_keeps_all_of_them_out() {
    let host = TestHost::ready();
    host.apply(&Pod::waiting("old"));
    let changed = Pod::script("old", "exec busybox sleep 1000");
    let text = documents(&[
        changed,
        Pod::waiting("new"),
        Pod::waiting("bad").annotation("dagda/nonsense", "1"),
    ]);
    host.run_with_input(["apply", "-f", "-"], &text)
        .failed_saying(code::FAILED, ["dagda/nonsense"]);
    assert_eq!(names(&host), ["old"]);
    assert_eq!(
        apply(&host, &Pod::waiting("old").to_string(), true),
        [("old".to_owned(), Change::Unchanged)]
    );
}

#[test]
fn a_folder_is_applied_as_one() {
    let host = TestHost::ready();
    let folder = host.scratch.join("pods");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.yml"), Pod::waiting("a").to_string()).unwrap();
    std::fs::write(folder.join("b.yaml"), Pod::waiting("b").to_string()).unwrap();
    std::fs::write(folder.join("notes.txt"), "not: a manifest: at all").unwrap();
    host.run(["apply", "-f", folder.to_str().unwrap()]).done();
    assert_eq!(names(&host), ["a", "b"]);

    std::fs::write(folder.join("c.yml"), Pod::waiting("c").to_string()).unwrap();
    std::fs::write(folder.join("d.yml"), "kind: Pod\n  bad: [").unwrap();
    host.run(["apply", "-f", folder.to_str().unwrap()])
        .failed_saying(code::FAILED, ["d.yml:2:"]);
    assert_eq!(names(&host), ["a", "b"]);
    let missing = folder.join("nowhere.yml");
    host.run(["apply", "-f", missing.to_str().unwrap()])
        .failed_saying(code::FAILED, ["nowhere.yml"]);
}

#[test]
fn what_is_exported_can_be_applied_unchanged() {
    let host = TestHost::ready();
    let handwritten = "\
# My server. The port is mine.
apiVersion: v1
kind: Pod
metadata:
  name: web   # and its name
  annotations: {dagda/category: essential, dagda/priority: \"80\"}
spec:
  containers:
    - name: main
      image: localhost/dagda-test:latest
      command: [/bin/busybox, httpd, -f, -p, '8080']
      env: [{name: GREETING, value: \"${GREETING}\"}]
      envFrom: [{configMapRef: {name: web-settings}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web-settings}
data: {colour: blue}
";
    std::fs::write(host.scratch.join("variables.env"), "GREETING=hello\n").unwrap();
    host.apply(handwritten);
    host.apply(&Pod::waiting("other"));
    let exported = host.run(["export"]).done().stdout;
    for kept in [
        "# My server. The port is mine.",
        "${GREETING}",
        "web-settings",
        "name: \"other\"",
    ] {
        assert!(exported.contains(kept), "{kept:?} is not in:\n{exported}");
    }
    let again = apply(&host, &exported, true);
    assert_eq!(
        again,
        [
            ("web".to_owned(), Change::Unchanged),
            ("other".to_owned(), Change::Unchanged)
        ]
        .into_iter()
        .collect::<std::collections::BTreeMap<_, _>>()
        .into_iter()
        .collect::<Vec<_>>(),
        "in the order of names"
    );

    // Into an empty catalogue, too, and out again the same.
    let second = TestHost::builder().variables("GREETING=hello\n").start();
    second.apply(&exported);
    assert_eq!(second.run(["export"]).done().stdout, exported);
    let one = host.run(["export", "other"]).done().stdout;
    assert!(one.contains("other") && !one.contains("My server"), "{one}");
}

#[test]
fn variables_are_filled_in_at_the_start_and_stay_out_of_the_catalogue() {
    let port = ports::free();
    let host = TestHost::builder()
        .variables(&format!("WEB_PORT={port}\nSECRET=hunter2 # &é\n"))
        .start();
    let text = Pod::script("web", "echo the secret is $SECRET; exec busybox httpd -f -p 8080")
        .to_string()
        .replace("      command:", "      env: [{name: SECRET, value: \"${SECRET}\"}]\n      command:")
        .replace(
            "      imagePullPolicy",
            "      ports: [{hostIP: 127.0.0.1, hostPort: \"${WEB_PORT}\", containerPort: 8080}]\n      imagePullPolicy",
        );
    host.up("web", &text);
    assert_eq!(host.pod("web").ports[0].host_port, u32::from(port));
    assert!(
        host.run(["pods", "logs", "web"])
            .done()
            .stdout
            .contains("the secret is hunter2")
    );
    let everything = [
        host.run(["export"]).done().stdout,
        host.run(["--json", "pods", "show", "web"]).done().stdout,
        host.run(["--json", "events"]).done().stdout,
    ];
    assert!(
        everything.iter().all(|text| !text.contains("hunter2")),
        "{everything:#?}"
    );
    let stored = std::fs::read(host.database()).unwrap();
    assert!(
        !stored.windows(7).any(|window| window == b"hunter2"),
        "the secret was stored"
    );
}

#[test]
fn a_shared_host_port_is_noted_when_it_is_applied() {
    let host = TestHost::ready();
    let port = ports::free();
    host.apply(&Pod::http("first", port));
    let applied = host.apply(&Pod::http("second", port));
    assert!(
        applied.stdout.contains(&port.to_string()) && applied.stdout.contains("first"),
        "{applied:?}"
    );
}

#[test]
fn a_removed_pod_is_gone_for_good() {
    let mut host = TestHost::ready();
    host.apply(&documents(&[Pod::waiting("a"), Pod::waiting("b")]));
    host.run(["pods", "remove", "a"]).done();
    assert_eq!(names(&host), ["b"]);
    host.restart();
    assert_eq!(names(&host), ["b"]);
    host.run(["pods", "start", "a"])
        .failed_saying(code::NOT_FOUND, ["a"]);
}
