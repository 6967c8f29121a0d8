//! `dagdactl pods logs`.

use dagda_proto::v1::{GetPodRequest, PodDetail, ReadLogsRequest};

use crate::cli::pods::LogsArgs;
use crate::client::Daemon;
use crate::commands::{Outcome, Session};
use crate::error::Error;
use crate::output::json::logs::{LogLineView, LogsView};

/// Prints what a pod's containers wrote, with `--follow` also what they write.
pub async fn run(args: LogsArgs, session: &mut Session) -> Result<Outcome, Error> {
    let LogsArgs {
        name,
        follow,
        tail,
        since,
        container,
        timestamps,
    } = args;
    let daemon = session.connect().await?;
    let output = &mut session.output;
    let name = String::from(name);
    // One container's lines need not say whose they are.
    let prefixed =
        !output.json() && container.is_none() && has_several_containers(&daemon, &name).await;
    let request = ReadLogsRequest {
        name,
        container: container.map(String::from),
        tail,
        since: since.and_then(|since| since.try_into().ok()),
        follow,
    };
    let mut lines = daemon.answer(daemon.pods().read_logs(request)).await?;
    let mut collected = Vec::new();
    while let Some(line) = daemon.next(&mut lines).await? {
        let line = LogLineView::from(line);
        match (output.json(), follow) {
            (true, true) => output.document(&line)?,
            (true, false) => collected.push(line),
            (false, _) => {
                output.foreign(&text(&line, prefixed, timestamps))?;
                output.foreign("\n")?;
                if follow {
                    output.flush()?;
                }
            }
        }
    }
    if output.json() && !follow {
        output.document(&LogsView { lines: collected })?;
    }
    Ok(Outcome::Done)
}

/// Whether the pod has more containers than one; where that is not known, each line had
/// better say whose it is.
async fn has_several_containers(daemon: &Daemon, name: &str) -> bool {
    let request = GetPodRequest {
        name: name.to_owned(),
    };
    match daemon.answer(daemon.pods().get_pod(request)).await {
        Ok(PodDetail { containers, .. }) => containers.len() > 1,
        Err(_) => true,
    }
}

fn text(line: &LogLineView, prefixed: bool, timestamps: bool) -> String {
    let mut text = String::new();
    if timestamps {
        text.push_str(&line.at.map_or_else(|| "-".to_owned(), |at| at.to_string()));
        text.push(' ');
    }
    if prefixed {
        text.push_str(&line.container);
        text.push_str(" | ");
    }
    text.push_str(&line.text);
    text
}
