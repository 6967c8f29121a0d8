//! The example file that is shipped.

use super::super::schema::{SETTINGS, Setting};
use super::*;

const EXAMPLE: &str = include_str!("../../../../systemd/dagdad.toml");

/// The example with its `#key = value` lines in force, and with its `# key = value` lines too
/// where those of `also` are meant.
fn example(also: impl Fn(&str) -> bool) -> String {
    let lines = EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
        Some(example)
            if example
                .strip_prefix(' ')
                .is_some_and(|text| text.split_once(" = ").is_some_and(|(key, _)| also(key))) =>
        {
            example
        }
        Some(default) if !default.starts_with(' ') => default,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_example_file_shows_the_defaults() {
    let show = |file: &str| format!("{:?}", resolve(file, &[]).unwrap());
    assert_eq!(show(EXAMPLE), show(""), "as shipped it sets nothing");
    assert_eq!(show(&example(|_| false)), show(""));
    assert_eq!(
        show(&example(|key| key == "host")),
        show("[mariadb]\nhost = \"127.0.0.1\"")
    );
}

#[test]
fn the_example_file_shows_every_setting_and_variable() {
    let all = example(|key| SETTINGS.iter().any(|setting| setting.key == key));
    let shown = FileConfig::parse(&all, Path::new(FILE)).unwrap().keys();
    let mut expected: Vec<_> = SETTINGS.iter().map(Setting::path).collect();
    expected.sort();
    assert_eq!(shown, expected);
    for variable in SETTINGS.iter().filter_map(|setting| setting.variable) {
        assert!(EXAMPLE.contains(variable), "{variable}");
    }
}
