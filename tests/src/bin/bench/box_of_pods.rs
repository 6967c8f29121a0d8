//! A box with many real pods.

use dagda_proto::v1::PodState;
use dagda_tests::TestHost;
use dagda_tests::manifest::{NEVER_READY, Pod, documents};

/// The box; pods `p0`, `p1`, … run in it.
#[derive(Debug)]
pub struct BoxOfPods {
    host: TestHost,
}

impl BoxOfPods {
    /// As many as the design's figures for memory and status name.
    pub const MANY: usize = 50;
    /// As many as the design's figure for CPU names.
    pub const FEWER: usize = 30;

    /// Starts [`BoxOfPods::MANY`] pods, one after another.
    pub fn fill(host: TestHost) -> Self {
        let pods: Vec<Pod> = (0..Self::MANY)
            .map(|number| Pod::waiting(&format!("p{number}")))
            .collect();
        host.apply(&documents(&pods));
        for number in 0..Self::MANY {
            host.run(["pods", "start", &format!("p{number}")]).done();
        }
        Self { host }
    }

    /// The box.
    pub const fn host(&self) -> &TestHost {
        &self.host
    }

    /// The box.
    pub const fn host_mut(&mut self) -> &mut TestHost {
        &mut self.host
    }

    /// Measures while a pod has been created and is not ready.
    pub fn while_a_pod_starts<T>(&mut self, measure: impl FnOnce(&TestHost) -> T) -> T {
        self.host
            .apply(&Pod::waiting("starting").readiness(NEVER_READY));
        self.host
            .run(["pods", "start", "--no-wait", "starting"])
            .done();
        // It runs, is not ready, and so its start goes on.
        self.host.await_state("starting", PodState::Running);
        let measured = measure(&self.host);
        self.host
            .run(["pods", "remove", "--force", "starting"])
            .done();
        measured
    }

    /// Measures while Podman's service is stopped with SIGSTOP.
    pub fn while_podman_hangs<T>(&mut self, measure: impl FnOnce(&TestHost) -> T) -> T {
        self.host.podman.freeze_service();
        let measured = measure(&self.host);
        self.host.podman.thaw_service();
        self.host.await_status("Podman answers again", |status| {
            status
                .runtime
                .as_ref()
                .is_some_and(|runtime| runtime.connected)
        });
        measured
    }

    /// Stops all but the first `count` pods.
    pub fn keep(&mut self, count: usize) {
        for number in count..Self::MANY {
            self.host
                .run(["pods", "stop", &format!("p{number}")])
                .done();
        }
    }
    /// Removes the pods one by one: all at once take longer than any one command may.
    pub fn clear(self) {
        for number in 0..Self::MANY {
            let name = format!("p{number}");
            self.host
                .podman
                .run(["pod", "rm", "--force", "--time", "0", &name]);
        }
    }
}
