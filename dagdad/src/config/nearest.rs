//! What somebody who wrote an unknown key may have meant.

use super::schema::{self, SETTINGS};

/// Below this likeness (0 to 1) a guess helps nobody.
const ALIKE: f64 = 0.5;

/// A half-sentence: the nearest key, or all keys of the table where none is near. `table` is
/// the table that `word` stands in, `None` at the top level.
pub fn advise(table: Option<&str>, word: &str) -> String {
    let tables = schema::tables()
        .filter(|_| table.is_none())
        .map(|name| (alike(word, name), true, name.to_owned()));
    let keys = SETTINGS.iter().map(|setting| {
        let near = table == Some(setting.table);
        (
            alike(word, setting.key),
            near,
            if near {
                setting.key.to_owned()
            } else {
                setting.path()
            },
        )
    });
    // Of two that are equally alike, the one where the word stands is meant.
    let best = tables
        .chain(keys)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    match (best, table) {
        (Some((score, _, name)), _) if score >= ALIKE => format!("did you mean `{name}`?"),
        (_, Some(table)) => {
            let keys: Vec<_> = SETTINGS
                .iter()
                .filter(|setting| setting.table == table)
                .map(|setting| setting.key)
                .collect();
            format!("[{table}] takes: {}", keys.join(", "))
        }
        (_, None) => format!(
            "the tables are: {}",
            schema::tables().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// A longer word, in bytes, is like none: it costs time and memory for each of its letters.
const LONGEST: usize = 128;

/// From 0 to 1. A word that a name begins with, such as `cpu` of `cpu_percent`, is as good as
/// the name.
fn alike(word: &str, known: &str) -> f64 {
    if word.len() > LONGEST {
        return 0.0;
    }
    let word = word.to_lowercase().replace('-', "_");
    if known
        .strip_prefix(&word)
        .is_some_and(|rest| rest.starts_with('_'))
    {
        return 1.0;
    }
    strsim::normalized_damerau_levenshtein(&word, known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_word_as_long_as_a_file_is_like_none() {
        let advice = advise(Some("events"), &"retention".repeat(100_000));
        assert_eq!(advice, "[events] takes: retention");
    }

    #[rstest]
    #[case(Some("sampler"), "intervall", "did you mean `interval`?")]
    #[case(Some("daemon"), "State-Dir", "did you mean `state_dir`?")]
    #[case(Some("daemon"), "interval", "did you mean `sampler.interval`?")]
    #[case(Some("history"), "retention", "did you mean `retention`?")]
    #[case(
        Some("daemon"),
        "zzz",
        "[daemon] takes: state_dir, socket, variables_file"
    )]
    #[case(Some("thresholds"), "cpu", "did you mean `cpu_percent`?")]
    #[case(Some("start"), "cpu", "did you mean `admission.cpu`?")]
    #[case(None, "ram", "did you mean `thresholds.ram_percent`?")]
    #[case(None, "sampelr", "did you mean `sampler`?")]
    #[case(None, "ram_percent", "did you mean `thresholds.ram_percent`?")]
    #[case(
        None,
        "q",
        "the tables are: daemon, podman, sampler, history, events, audit, access, start, thresholds, admission, economy, alerts, alerts.cpu_high, alerts.ram_high, alerts.disk_high, alerts.pressure_high, alerts.pod_down, alerts.workflow_failed, alerts.store_down, mariadb"
    )]
    fn advises(#[case] table: Option<&str>, #[case] word: &str, #[case] expected: &str) {
        assert_eq!(advise(table, word), expected);
    }
}
