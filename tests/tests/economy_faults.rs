//! dagdad is killed, or sees nothing for a while, in the midst of a shortage: nothing is forgotten,
//! nothing is taken twice, and nothing is taken for what nobody watched.

use std::time::Duration;

use dagda_proto::v1::{self, PodState};
use dagda_tests::TestHost;
use dagda_tests::host::economy::{taken_from, time_of};
use dagda_tests::manifest::{MIB, Pod, documents};
use dagda_tests::memory::Memory;
use dagda_tests::random::Random;
use dagda_tests::squeeze::Squeeze;
use jiff::Timestamp;

const MOMENTS: u32 = 10;

/// From the start of a shed on: it is written down, done, and seen to have helped.
const MOMENT: u64 = 1500;

#[test]
fn killed_at_ten_random_moments_of_a_shed_it_gives_back_what_it_took() {
    let mut random = Random::from_environment();
    let squeeze = Squeeze::measure();
    let hysteresis = squeeze.hysteresis_percent();
    let mut host = TestHost::builder()
        .eater()
        .quiet_cpu()
        .economy(&format!(
            "hold = '0s'\nrecovery = '1s'\ngrace = '0s'\nsheds_per_hour = 60\n\
             pressure_percent = 100\nhysteresis = {hysteresis:.6}"
        ))
        .without_daemon();
    host.configuration.ram_percent = Some(squeeze.threshold_percent());
    host.start();
    host.apply(&documents(&[
        Pod::waiting("keep").essential().priority(0),
        Pod::eating("low", squeeze.victim_mib(), &[]).priority(10),
    ]));
    host.run(["pods", "start", "keep", "low"]).done();
    let life = |host: &TestHost| {
        let format = "{{.State.Pid}} {{.State.StartedAt}}";
        host.podman.inspect("keep-main", format)
    };
    let keep = life(&host);
    for moment in 1..=MOMENTS {
        host.await_pod("low", "its use is measured", |pod| {
            pod.usage
                .is_some_and(|usage| usage.ram_anon_bytes >= squeeze.victim_mib() * MIB)
        });
        let last = host.events().pop();
        let eaters = squeeze.make_short(|limit| host.enters_economy_within(limit, last.as_ref()));
        // A moment is what is to be random, not awaited.
        let pause = Duration::from_millis(random.below(MOMENT));
        std::thread::sleep(pause);
        host.kill9();
        // It may be over before the next dagdad looks, or go on.
        let mut goes_on = (random.below(2) == 0).then_some(eaters);
        println!(
            "moment {moment}: killed after {pause:?}, the shortage goes on: {}",
            goes_on.is_some()
        );
        host.start();
        if let Some(eaters) = &mut goes_on {
            // The first dagdad may have been killed before it took anything.
            eaters.extend(squeeze.keep_short(|limit| host.sheds_within(limit, last.as_ref())));
            host.await_state("low", PodState::Stopped);
        }
        host.assert_settled_and_true();
        // Whatever is down is known to have been taken, so that it comes back.
        let economy = host.economy();
        if host.pod("low").state() == PodState::Stopped {
            let taken = taken_from(&economy, "low");
            assert!(taken.is_some_and(|it| !it.for_good), "{economy:#?}");
        }
        drop(goes_on);
        host.await_pod("low", "low is back", |pod| pod.ready);
        let after = host.await_economy("it is over", |it| !it.active && it.taken.is_empty());
        assert_eq!(after.next, "nothing is short", "{after:#?}");
        assert_eq!(life(&host), keep, "what is essential was touched");
    }
    host.assert_settled_and_true();
    assert_eq!(host.count_events("shed", Some("keep")), 0);
    // Once for each moment at the most, and nothing else ever started it.
    let starts = host.podman.starts();
    let most = usize::try_from(2 * MOMENTS + 1).unwrap();
    assert!(starts["low-main"] <= most, "{starts:?}");
}

fn ram(economy: &v1::EconomyStatus) -> Option<&v1::EconomyGauge> {
    let ram = v1::EconomyTrigger::Ram;
    economy.gauges.iter().find(|gauge| gauge.trigger() == ram)
}

#[test]
fn what_nobody_watched_counts_for_nothing() {
    const HOLD: Duration = Duration::from_secs(10);
    // More than so many samples are missed for: three times the five seconds from record to record.
    const STALL: Duration = Duration::from_secs(17);
    // What others use beside it is what makes its own worth taking.
    let _alone = Squeeze::measure();
    let mut host = TestHost::builder()
        .eater()
        .quiet_cpu()
        .economy("policy = 'off'")
        .start();
    // Enough to make a difference to all that is used.
    let eaten = Memory::now().used() / MIB / 8;
    host.up("low", &Pod::eating("low", eaten, &[]).priority(10));
    host.stop();
    // Memory is short from the first sample on.
    host.configuration.ram_percent = Some(0.5);
    host.configuration.economy = format!(
        "hold = '{}s'\ngrace = '0s'\npressure_percent = 100\nhysteresis = 0.1",
        HOLD.as_secs()
    );
    host.start();
    let watched = host.await_economy("memory is seen to be short", |economy| {
        ram(economy).is_some_and(|gauge| gauge.short_for.is_some())
    });
    assert!(!watched.active, "{watched:#?}");
    host.daemon().freeze();
    // As a closed laptop: that nothing is seen for so long is what is tried.
    std::thread::sleep(STALL);
    let thawed = Timestamp::now();
    host.daemon().thaw();
    let entered = host.await_event_after(None, "economy_entered", None);
    let watched = time_of(&entered).duration_since(thawed);
    assert!(
        watched >= HOLD.try_into().unwrap(),
        "begun {watched:#} after anybody looked again: {entered:?}"
    );
    let shed = host.await_event_after(Some(&entered), "shed", None);
    assert_eq!(shed.object.as_deref(), Some("low"));
    assert_eq!(host.count_events("economy_entered", None), 1);
}
