//! `[access]` and `[audit]`.

use super::*;
use crate::domain::caller::Members;

fn groups(names: &[&str]) -> Members {
    Members::Groups(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn everything_can_be_said() {
    let file = r#"
        [audit]
        retention = "30d"
        [access]
        viewers = ["staff", "DOMAIN\\domain users"]
        operators = ["*"]
        admins = []
    "#;
    let config = resolve(file, &[]).unwrap();
    assert_eq!(config.audit_retention, Duration::from_hours(30 * 24));
    let expected = Access {
        viewers: groups(&["staff", "DOMAIN\\domain users"]),
        operators: Members::Everyone,
        admins: groups(&[]),
    };
    assert_eq!(config.access, expected);
}

#[rstest]
#[case("viewers = \"staff\"")]
#[case("viewers = [\"\"]")]
#[case("operators = [\"*\", \"dagda\"]")]
#[case("operators = [\"dag*\"]")]
#[case("admins = [\"a:b\"]")]
#[case("admins = [4]")]
fn groups_are_a_list_of_names(#[case] line: &str) {
    let message = message(&format!("[access]\n{line}"), &[]);
    assert!(
        message.contains("a list of the names of Unix groups"),
        "{message}"
    );
}
