//! Workflow manifests for tests.

use std::fmt::{self, Display, Formatter};

use super::quoted;

/// A `dagda/v1` `Workflow` manifest under construction; its [`Display`] is YAML.
#[derive(Debug, Clone)]
pub struct Workflow {
    name: String,
    /// Each with the pods that it comes after.
    pods: Vec<(String, Vec<String>)>,
    /// Further keys of `spec`: name and YAML value.
    rest: Vec<(&'static str, String)>,
}

impl Workflow {
    /// A workflow without pods yet.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            pods: Vec::new(),
            rest: Vec::new(),
        }
    }

    /// A workflow of pods without an order.
    #[must_use]
    pub fn of(name: &str, pods: &[&str]) -> Self {
        pods.iter()
            .fold(Self::new(name), |workflow, pod| workflow.pod(pod, &[]))
    }

    /// Adds a pod that comes after others.
    #[must_use]
    pub fn pod(mut self, name: &str, after: &[&str]) -> Self {
        let after = after.iter().map(|pod| (*pod).to_owned()).collect();
        self.pods.push((name.to_owned(), after));
        self
    }

    /// Sets `description`.
    #[must_use]
    pub fn description(self, text: &str) -> Self {
        let text = quoted(text);
        self.with("description", text)
    }

    /// Sets `priority`.
    #[must_use]
    pub fn priority(self, priority: u8) -> Self {
        self.with("priority", priority.to_string())
    }

    /// Sets `timeout`, such as `30s`.
    #[must_use]
    pub fn timeout(self, timeout: &str) -> Self {
        self.with("timeout", timeout.to_owned())
    }

    /// Sets `onFailure` to `keep`.
    #[must_use]
    pub fn keep(self) -> Self {
        self.with("onFailure", "keep".to_owned())
    }

    fn with(mut self, key: &'static str, value: String) -> Self {
        self.rest.push((key, value));
        self
    }
}

impl Display for Workflow {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = quoted(&self.name);
        writeln!(
            f,
            "apiVersion: dagda/v1\nkind: Workflow\nmetadata: {{name: {name}}}"
        )?;
        writeln!(f, "spec:\n  pods:")?;
        for (pod, after) in &self.pods {
            let after = serde_json::json!(after);
            writeln!(f, "    - {{name: {}, after: {after}}}", quoted(pod))?;
        }
        self.rest
            .iter()
            .try_for_each(|(key, value)| writeln!(f, "  {key}: {value}"))
    }
}
