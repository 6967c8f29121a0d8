//! `dagdactl export`.

use dagda_proto::v1::ExportRequest;

use super::{Outcome, Session};
use crate::cli::ExportArgs;
use crate::error::Error;
use crate::output::json::catalogue::ExportView;

/// Prints manifests as a YAML stream that `apply` takes.
pub async fn run(args: ExportArgs, session: &mut Session) -> Result<Outcome, Error> {
    let daemon = session.connect().await?;
    let names = args.names.into_iter().map(String::from).collect();
    let view = ExportView::from(
        daemon
            .answer(daemon.catalogue().export(ExportRequest { names }))
            .await?,
    );
    let output = &mut session.output;
    if output.json() {
        output.document(&view)?;
    } else if view.manifests.is_empty() {
        output.note("the catalogue is empty; fill it with: dagdactl apply -f pod.yml");
    }
    if !output.json() {
        output.foreign(&stream(&view))?;
    }
    Ok(Outcome::Done)
}

/// The manifests as one YAML stream, `---` between them.
fn stream(view: &ExportView) -> String {
    let mut text = String::new();
    for manifest in &view.manifests {
        let own = manifest.text.trim_end();
        // The separator of our own making takes the place of the document's.
        let own = own.strip_prefix("---\n").unwrap_or(own);
        if !text.is_empty() {
            text.push_str("---\n");
        }
        text.push_str(own);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::json::catalogue::ManifestView;

    #[test]
    fn documents_are_separated_once() {
        let manifest = |text: &str| ManifestView {
            kind: "pod".into(),
            name: "x".into(),
            text: text.into(),
        };
        let view = ExportView {
            manifests: vec![
                manifest("---\nkind: Pod\n"),
                manifest("kind: Pod\n---\nkind: ConfigMap\n\n"),
                manifest("a: 1"),
            ],
        };
        assert_eq!(
            stream(&view),
            "kind: Pod\n---\nkind: Pod\n---\nkind: ConfigMap\n---\na: 1\n"
        );
    }
}
