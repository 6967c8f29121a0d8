//! How soon economy mode acts once memory is short.

use std::time::Duration;

use dagda_proto::v1;
use dagda_tests::TestHost;
use dagda_tests::host::economy::time_of;
use dagda_tests::manifest::{MIB, Pod};
use dagda_tests::podman::eater::Unmanaged;
use dagda_tests::squeeze::Squeeze;
use jiff::Timestamp;

use crate::measure::{Row, Spread};

const ROUNDS: u32 = 7;
const HOLD: Duration = Duration::from_secs(2);

/// Runs the machine out of memory and has a pod stopped for it, several times. Of each time: from
/// the moment at which memory is over the threshold, less the hold time, to the first act, so that
/// the wait for the next sample is in it; and the last part of that, from the moment at which
/// economy mode begins.
pub fn pressure_to_first_act() -> [Row; 2] {
    let squeeze = Squeeze::measure();
    let host = host(&squeeze);
    let (mut since_pressure, mut since_begin) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        host.await_pod("low", "its use is measured", |pod| {
            let usage = pod.usage.filter(|_| pod.ready);
            usage.is_some_and(|usage| usage.ram_anon_bytes >= squeeze.victim_mib() * MIB)
        });
        let last = host.events().pop();
        let missing = squeeze.missing_mib();
        let eater = std::thread::spawn(move || Unmanaged::eating(missing));
        while !squeeze.is_short() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let short = Timestamp::now();
        let begun = host.await_event_after(last.as_ref(), "economy_entered", None);
        let act = host.await_event_after(Some(&begun), "shed", Some("low"));
        since_pressure.push(later(&act, short).saturating_sub(HOLD));
        since_begin.push(later(&act, time_of(&begun)));
        drop(eater.join().expect("eat"));
        host.await_economy("it is over", |it| !it.active && it.taken.is_empty());
    }
    let rows = [
        (
            "memory over its threshold to the first act, less the hold time, sampled each second",
            since_pressure,
        ),
        ("economy mode's begin to its first act", since_begin),
    ];
    rows.map(|(what, durations)| {
        let spread = Spread::of_durations(durations);
        Row {
            what: what.to_owned(),
            ours: format!("{spread} ms"),
            peer: "none".to_owned(),
            figure: format!("{:.0} ms", spread.median()),
            target: "≤ 1 s".to_owned(),
            met: spread.median() <= 1000.0,
        }
    })
}

fn host(squeeze: &Squeeze) -> TestHost {
    let hysteresis = squeeze.hysteresis_percent();
    let mut host = TestHost::builder()
        .eater()
        .quiet_cpu()
        .economy(&format!(
            "hold = '{}s'\nrecovery = '1s'\ngrace = '0s'\nsheds_per_hour = 60\n\
             pressure_percent = 100\nhysteresis = {hysteresis:.6}",
            HOLD.as_secs()
        ))
        .without_daemon();
    host.configuration.ram_percent = Some(squeeze.threshold_percent());
    host.start();
    host.up("low", &Pod::eating("low", squeeze.victim_mib(), &[]));
    host
}

fn later(event: &v1::Event, than: Timestamp) -> Duration {
    let passed = time_of(event).duration_since(than);
    Duration::try_from(passed).unwrap_or_default()
}
