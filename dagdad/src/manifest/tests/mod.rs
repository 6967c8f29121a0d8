//! What manifests mean, what is refused and how, and what holds for all of them.

use super::{ManifestErrors, SourceFile, parse};
use crate::domain::catalogue::CataloguePod;

mod examples;
mod meaning;
mod properties;
mod refusals;
mod secrecy;

/// A pod that is as small as can be; tests add to it.
const SMALL: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - {name: a, image: i}\n";

fn file(name: &str, text: &str) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn parse_all(text: &str, variables: &[(&str, &str)]) -> Result<Vec<CataloguePod>, ManifestErrors> {
    parse(
        &[file("box.yml", text)],
        &variables.iter().copied().collect(),
    )
}

/// The only pod of `text`.
#[track_caller]
fn parse_one(text: &str, variables: &[(&str, &str)]) -> CataloguePod {
    match parse_all(text, variables) {
        Ok(mut pods) if pods.len() == 1 => pods.remove(0),
        Ok(pods) => panic!("{} pods", pods.len()),
        Err(errors) => panic!("{errors}"),
    }
}
