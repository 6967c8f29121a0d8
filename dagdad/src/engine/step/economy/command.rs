//! What people tell economy mode.

use jiff::Timestamp;

use super::super::super::effect::{Effect, Persist};
use super::super::super::event::{Reply, Ticket};
use super::super::super::state::State;
use crate::domain::economy::Policy;
use crate::domain::event::{EventKind, Subject};
use crate::domain::operation::Done;
use crate::ports::Record;

impl State {
    /// Sets what economy mode may do; answers once that is on disk.
    pub(in crate::engine::step) fn set_economy(
        &mut self,
        ticket: Ticket,
        policy: Policy,
        now: Timestamp,
        out: &mut Vec<Effect>,
    ) {
        let before = self.economy_policy();
        let changed = before != policy;
        self.economy.set_policy(policy);
        if before == Policy::On && changed {
            self.economy.measure_anew(&self.settings.economy);
        }
        let mut records = vec![self.economy_record()];
        if changed {
            let message = format!(
                "economy policy set to {}, it was {}",
                policy.as_str(),
                before.as_str()
            );
            let kind = EventKind::EconomyPolicySet;
            let event = self.event_about(kind, None, None, message, now);
            out.push(Effect::Announce {
                event: event.clone(),
                subject: Subject::Other,
            });
            records.push(Record::Event(event));
        }
        let message = if changed {
            format!("the economy policy is {} now", policy.as_str())
        } else {
            format!("the economy policy was {} already", policy.as_str())
        };
        let reply = Reply::Done(Done { message, changed });
        out.push(Effect::Persist(Persist::Fact {
            records,
            then: vec![Effect::Answer { ticket, reply }],
        }));
    }
}
