//! Silences, and who is notified of what.

use uuid::Uuid;

use super::*;
use crate::domain::alert::{Condition, Severity};
use crate::domain::notification::Occasion;
use crate::domain::silence::{Silence, Silenced};

const HOUR: Duration = Duration::from_hours(1);

/// Who would be notified of what in these effects: only what is begun after its row is on disk
/// counts.
fn notified(effects: &[Effect]) -> Vec<(Occasion, String)> {
    let mut told = Vec::new();
    for effect in effects {
        let Effect::Persist(Persist::Fact { records, then }) = effect else {
            continue;
        };
        for effect in then {
            let Effect::Notify(notification) = effect else {
                continue;
            };
            let alert = &notification.alert;
            let written = records
                .iter()
                .any(|record| matches!(record, Record::PutAlert(row) if **row == *alert));
            let silence = matches!(records.first(), Some(Record::DeleteSilence(_)));
            assert!(written || silence, "{records:?}");
            told.push((notification.occasion, alert.object.clone()));
        }
    }
    told
}

fn plain(name: &str) -> CataloguePod {
    entry(name, RestartPolicy::OnFailure)
}

/// A box with the pods `a` and `b`, both up.
fn well() -> Bench {
    Bench::with_running(&[plain("a"), plain("b")], &["a", "b"])
}

impl Bench {
    fn fails(&mut self, pod: &str) -> Vec<Effect> {
        self.exited(pod, 3);
        self.look()
    }

    /// It runs again, and is steady.
    fn recovers(&mut self, pod: &str) -> Vec<Effect> {
        self.runs(pod);
        let mut effects = self.look();
        for _ in 0..13 {
            self.wait(5);
            effects.extend(self.measure(1024, 0));
        }
        effects
    }

    /// Answered once it is on disk.
    fn asks(&mut self, command: Command) -> (Reply, Vec<Effect>) {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let effects = self.tell(Event::Command { ticket, command });
        let answer = effects.iter().find_map(|effect| match effect {
            Effect::Answer { reply, .. } => Some(reply.clone()),
            Effect::Persist(Persist::Fact { then, .. }) => then.iter().find_map(|effect| {
                let Effect::Answer { reply, .. } = effect else {
                    return None;
                };
                Some(reply.clone())
            }),
            _ => None,
        });
        (answer.expect("an answer"), effects)
    }

    fn silenced(&mut self, of: Silenced, span: Duration) -> Silence {
        match self.asks(Command::Silence { of, span }) {
            (Reply::Silences(silences), effects) => {
                let [silence] = silences.try_into().expect("one");
                let row = Record::PutSilence(Box::new(silence.clone()));
                assert!(effects.iter().any(|effect| matches!(
                    effect,
                    Effect::Persist(Persist::Fact { records, then })
                        if records[0] == row && matches!(then[..], [Effect::Answer { .. }])
                )));
                silence
            }
            (reply, _) => panic!("{reply:?}"),
        }
    }

    fn lifts(&mut self, which: &str) -> (Reply, Vec<Effect>) {
        let which = which.to_owned();
        self.asks(Command::LiftSilence { which })
    }

    fn silences(&self) -> Vec<Silence> {
        self.state.snapshot(self.now).silences
    }
}

fn object(name: &str) -> Silenced {
    Silenced::Object(name.to_owned())
}

fn pod_down() -> Silenced {
    Silenced::Condition(Condition::PodDown)
}

fn deleted(effects: &[Effect]) -> Vec<Uuid> {
    let records = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(Persist::Fact { records, .. }) => Some(records),
        _ => None,
    });
    let deleted = records.flatten().filter_map(|record| match record {
        Record::DeleteSilence(id) => Some(*id),
        _ => None,
    });
    deleted.collect()
}

#[test]
fn people_are_notified_of_the_beginning_and_of_the_end() {
    let mut bench = well();
    let raised = bench.fails("a");
    assert_eq!(notified(&raised), [(Occasion::Raised, "a".to_owned())]);
    let resolved = bench.recovers("a");
    assert_eq!(notified(&resolved), [(Occasion::Resolved, "a".to_owned())]);
}

#[test]
fn people_are_notified_of_what_gets_worse_and_not_of_what_goes_on() {
    let mut bench = well();
    let full = |bench: &mut Bench, permille: u64| {
        let mut effects = Vec::new();
        for _ in 0..14 {
            bench.wait(5);
            let mut host = idle_host(bench.now);
            host.memory.total = Bytes::mib(1000);
            host.memory.used = Bytes(host.memory.total.0 / 1000 * permille);
            effects.extend(bench.tell(Event::Sampled(Sample {
                host,
                pods: Vec::new(),
                unseen: Vec::new(),
            })));
        }
        notified(&effects)
    };
    let host = "host".to_owned();
    assert_eq!(full(&mut bench, 850), [(Occasion::Raised, host.clone())]);
    assert_eq!(full(&mut bench, 875), [], "a higher peak is no news");
    assert_eq!(full(&mut bench, 960), [(Occasion::Worsened, host)]);
    assert_eq!(full(&mut bench, 900), []);
}

#[test]
fn what_an_earlier_daemon_told_is_not_told_again() {
    let mut bench = well();
    bench.fails("a");
    bench.reborn();
    let effects = bench.look();
    assert_eq!(notified(&effects), []);
    let alerts: Vec<Severity> = bench.state.episodes.alerts().map(|a| a.severity).collect();
    assert_eq!(alerts, [Severity::Warning], "it goes on");
    // Its end is news.
    let resolved = bench.recovers("a");
    assert_eq!(notified(&resolved), [(Occasion::Resolved, "a".to_owned())]);
}

#[test]
fn what_is_resolved_by_hand_is_told_and_what_is_acknowledged_is_not() {
    let mut bench = well();
    bench.fails("a");
    let which = "pod_down".to_owned();
    let (_, effects) = bench.asks(Command::AcknowledgeAlerts { which });
    assert_eq!(notified(&effects), []);
    let id = bench.state.episodes.alerts().next().unwrap().id.to_string();
    let (_, effects) = bench.asks(Command::ResolveAlert { id });
    assert_eq!(notified(&effects), [(Occasion::Resolved, "a".to_owned())]);
}

#[rstest::rstest]
#[case::object(object("a"))]
#[case::condition(pod_down())]
fn nobody_is_notified_of_what_is_silenced(#[case] of: Silenced) {
    let mut bench = well();
    bench.silenced(of.clone(), HOUR);
    let effects = bench.fails("a");
    assert_eq!(notified(&effects), []);
    assert_eq!(bench.state.episodes.alerts().count(), 1, "it is recorded");
    let effects = bench.recovers("a");
    assert_eq!(notified(&effects), []);
    let others = bench.fails("b");
    let told = match of {
        Silenced::Object(_) => vec![(Occasion::Raised, "b".to_owned())],
        Silenced::Condition(_) => Vec::new(),
    };
    assert_eq!(notified(&others), told);
}

#[test]
fn the_end_of_what_was_told_is_silenced_too() {
    let mut bench = well();
    let raised = bench.fails("a");
    assert_eq!(notified(&raised).len(), 1);
    bench.silenced(object("a"), HOUR);
    let resolved = bench.recovers("a");
    assert_eq!(notified(&resolved), []);
}

#[test]
fn a_silence_ends_by_itself_and_what_began_meanwhile_is_told() {
    let mut bench = well();
    // Told before, so not again.
    bench.fails("b");
    let silence = bench.silenced(pod_down(), HOUR);
    assert_eq!(bench.silences(), std::slice::from_ref(&silence));
    assert_eq!(
        (silence.created_at, silence.until),
        (bench.now, bench.now + HOUR)
    );
    bench.fails("a");
    assert!(bench.state.next_deadline() <= silence.until);
    bench.now = silence.until;
    let effects = bench.tell(Event::Tick);
    assert_eq!(deleted(&effects), [silence.id]);
    assert_eq!(bench.silences(), []);
    assert_eq!(notified(&effects), [(Occasion::Raised, "a".to_owned())]);
    let told = super::world::told(&effects, EventKind::Silenced);
    assert_eq!(
        told,
        ["people are notified of pod_down again: its silence is over"]
    );
    assert!(deleted(&bench.tell(Event::Tick)).is_empty());
}

#[test]
fn a_second_silence_takes_the_place_of_the_first() {
    let mut bench = well();
    let first = bench.silenced(object("a"), HOUR);
    bench.wait(60);
    let second = bench.silenced(object("a"), 2 * HOUR);
    assert_eq!(second.id, first.id);
    assert_eq!(second.until, bench.now + 2 * HOUR);
    bench.silenced(pod_down(), HOUR);
    assert_eq!(bench.silences().len(), 2);
    // It still is of what began under the first one.
    assert_eq!(second.created_at, first.created_at);
}

#[rstest::rstest]
#[case::nothing(object("a"), Duration::ZERO, "invalid")]
#[case::for_ever(object("a"), Duration::from_secs(365 * 86_400 + 1), "invalid")]
#[case::most(object("a"), Duration::MAX, "invalid")]
#[case::nobody(object("c"), HOUR, "not_found")]
fn what_makes_no_sense_is_refused(
    #[case] of: Silenced,
    #[case] span: Duration,
    #[case] code: &str,
) {
    let mut bench = well();
    let (reply, effects) = bench.asks(Command::Silence { of, span });
    let Reply::Refused(error) = reply else {
        panic!("{reply:?}");
    };
    assert_eq!(error.code(), code);
    assert!(matches!(effects[..], [Effect::Answer { .. }]));
    assert_eq!(bench.silences(), []);
}

#[test]
fn a_silence_is_lifted_by_what_it_is_of_or_by_its_id() {
    let mut bench = well();
    let of_a = bench.silenced(object("a"), HOUR);
    let of_all = bench.silenced(pod_down(), HOUR);
    bench.fails("a");
    let (reply, effects) = bench.lifts("pod_down");
    assert_eq!(reply, Reply::Silences(vec![of_all.clone()]));
    assert_eq!(deleted(&effects), [of_all.id]);
    assert_eq!(notified(&effects), [], "another silence covers it");
    let id = of_a.id.to_string().to_ascii_uppercase();
    let (reply, effects) = bench.lifts(&id[..13]);
    assert_eq!(reply, Reply::Silences(vec![of_a]));
    assert_eq!(notified(&effects), [(Occasion::Raised, "a".to_owned())]);
    assert_eq!(bench.silences(), []);
    for which in ["a", &id[..8], ""] {
        let (reply, _) = bench.lifts(which);
        assert!(
            matches!(&reply, Reply::Refused(error) if error.code() == "not_found"),
            "{reply:?}"
        );
    }
}

#[test]
fn an_id_that_is_not_clear_is_refused() {
    let mut bench = well();
    bench.silenced(object("a"), HOUR);
    bench.silenced(object("b"), HOUR);
    let (reply, _) = bench.lifts("01");
    assert!(
        matches!(&reply, Reply::Refused(CommandError::Invalid(message)) if message.contains("(of a)")),
        "{reply:?}"
    );
    assert_eq!(bench.silences().len(), 2);
}

#[test]
fn a_clock_that_jumps_back_does_not_make_it_last_for_ever() {
    let mut bench = well();
    bench.silenced(object("a"), HOUR);
    bench.wait(-2 * 3600);
    assert_eq!(bench.silences(), []);
    let effects = bench.fails("a");
    assert_eq!(notified(&effects).len(), 1);
}

#[test]
fn a_silence_outlives_its_daemon() {
    let silence = |seconds: i64| Silence {
        id: Uuid::from_u128(u128::from(seconds.unsigned_abs())),
        of: object("a"),
        created_at: start() - Duration::from_hours(2),
        until: start() + SignedDuration::from_secs(seconds),
    };
    let pod = plain("a");
    let mut bench = Bench::remembering(Remembered {
        pods: vec![(row(&pod, Wanted::Up, PodStatus::Running), pod)],
        silences: vec![silence(100), silence(-1)],
        ..Remembered::default()
    });
    assert_eq!(bench.silences(), [silence(100)]);
    assert_eq!(bench.state.silences.len(), 1, "what is over is forgotten");
    bench.exited("a", 3);
    assert_eq!(notified(&bench.look()), []);
}

#[test]
fn a_failed_notification_is_an_event_and_no_alert() {
    let mut bench = well();
    bench.fails("a");
    let alert = bench.state.episodes.alerts().next().unwrap().id;
    let reason = "/bin/page exited with 3: no route".to_owned();
    for (alert, of) in [
        (alert, "pod_down of a".to_owned()),
        (Uuid::nil(), format!("alert {}, which is over", Uuid::nil())),
    ] {
        let reason = reason.clone();
        let effects = bench.tell(Event::NotNotified { alert, reason });
        assert_eq!(
            super::world::told(&effects, EventKind::NotificationFailed),
            [format!(
                "nobody was notified of {of}: /bin/page exited with 3: no route"
            )]
        );
        assert_eq!(notified(&effects), []);
        assert_eq!(bench.state.episodes.alerts().count(), 1);
    }
}

#[test]
fn what_can_be_amiss_can_be_silenced() {
    let mut bench = well();
    for name in ["a", "host", "mariadb"] {
        bench.silenced(object(name), HOUR);
    }
    // Its pod may leave meanwhile.
    bench.order(stop("a"));
    bench.order(remove("a", true));
    let (reply, _) = bench.lifts("a");
    assert!(matches!(reply, Reply::Silences(_)), "{reply:?}");
}
