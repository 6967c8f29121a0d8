//! What is told when, and what is not.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::super::{Hook, WAITING, Way, Webhook, notify};
use super::server::{Answer, Server, believers};
use super::told;
use crate::domain::notification::{Notification, Occasion};
use crate::engine::Message;
use crate::engine::event::Event;
use crate::engine::example;
use crate::engine::handle::Handle;

const PLENTY: Duration = Duration::from_mins(5);

/// A dispatcher and the engine that it reports to.
struct Told {
    queue: mpsc::Sender<Notification>,
    new_ways: mpsc::Sender<Vec<Way>>,
    engine: mpsc::Receiver<Message>,
    task: JoinHandle<()>,
}

impl Told {
    fn by(ways: Vec<Way>) -> Self {
        let (queue, to_be_told) = mpsc::channel(1);
        let snapshot = example::snapshot(Vec::new(), Vec::new());
        let (handle, engine, _) = Handle::detached(snapshot);
        let (new_ways, other_ways) = mpsc::channel(1);
        let task = tokio::spawn(notify(ways, other_ways, to_be_told, handle));
        Self {
            queue,
            new_ways,
            engine,
            task,
        }
    }

    async fn tell(&self, number: u128, occasion: Occasion) {
        self.queue.send(told(number, occasion)).await.unwrap();
    }

    /// The next alert that nobody was told of, and why.
    async fn failure(&mut self) -> (Uuid, String) {
        match self.engine.recv().await {
            Some(Message::Event(Event::NotNotified { alert, reason })) => (alert, reason),
            _ => panic!("another message"),
        }
    }
}

fn webhook(server: &Server) -> Way {
    Way::Webhook(Webhook::hasty(server.endpoint(), PLENTY, believers))
}

fn hook(program: &str) -> Way {
    Way::Hook(Hook {
        program: program.into(),
        arguments: Vec::new(),
        timeout: PLENTY,
    })
}

/// The number of the alert, and the occasion, of the next request.
async fn next(server: &mut Server) -> (u128, String) {
    let (_, body) = server.requests.recv().await.unwrap();
    let document: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let id: Uuid = document["id"].as_str().unwrap().parse().unwrap();
    let occasion = document["occasion"].as_str().unwrap();
    (id.as_u128(), occasion.to_owned())
}

#[tokio::test]
async fn those_of_one_alert_are_told_in_order() {
    // Each first try fails, so that they would overtake each other.
    let answers = [500, 200, 500, 200, 500, 200].map(Answer::Status);
    let mut server = Server::start(&answers).await;
    let told = Told::by(vec![webhook(&server)]);
    let occasions = [Occasion::Raised, Occasion::Worsened, Occasion::Resolved];
    for occasion in occasions {
        told.tell(1, occasion).await;
    }
    for occasion in occasions {
        for _ in 0..2 {
            assert_eq!(next(&mut server).await, (1, occasion.as_str().to_owned()));
        }
    }
}

#[tokio::test]
async fn one_that_hangs_holds_up_no_other() {
    let mut hung = Server::start(&[Answer::Never]).await;
    let mut well = Server::start(&[Answer::Status(200)]).await;
    let told = Told::by(vec![webhook(&hung), webhook(&well)]);
    told.tell(1, Occasion::Raised).await;
    told.tell(1, Occasion::Resolved).await;
    told.tell(2, Occasion::Raised).await;
    for _ in 0..3 {
        next(&mut well).await;
    }
    let mut begun = [next(&mut hung).await, next(&mut hung).await];
    begun.sort();
    let raised = || "raised".to_owned();
    assert_eq!(begun, [(1, raised()), (2, raised())], "one of each alert");
}

#[tokio::test]
async fn a_failure_is_reported_and_the_next_one_is_told() {
    let mut server = Server::start(&[404, 200].map(Answer::Status)).await;
    let mut told = Told::by(vec![webhook(&server), hook("/nonexistent/page-me")]);
    told.tell(1, Occasion::Raised).await;
    let mut reasons = [told.failure().await, told.failure().await].map(|(alert, reason)| {
        assert_eq!(alert, Uuid::from_u128(1));
        reason
    });
    reasons.sort();
    assert!(
        reasons[0].starts_with("/nonexistent/page-me cannot be run"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("webhook at localhost answered 404"),
        "{reasons:?}"
    );
    assert_eq!(next(&mut server).await.0, 1);
    told.tell(2, Occasion::Raised).await;
    assert_eq!(next(&mut server).await.0, 2);
}

#[tokio::test]
async fn where_too_many_wait_the_oldest_is_given_up() {
    let mut server = Server::start(&[Answer::Never]).await;
    let mut told = Told::by(vec![webhook(&server)]);
    for number in 1..=4 {
        told.tell(number, Occasion::Raised).await;
        assert_eq!(next(&mut server).await.0, number);
    }
    let waiting = u128::try_from(WAITING).unwrap();
    for number in 5..=5 + waiting {
        told.tell(number, Occasion::Raised).await;
    }
    let (alert, reason) = told.failure().await;
    assert_eq!(alert, Uuid::from_u128(5));
    assert_eq!(reason, "256 more wait already");
}

#[tokio::test]
async fn it_ends_with_the_engine_whatever_hangs() {
    let mut server = Server::start(&[Answer::Never]).await;
    let told = Told::by(vec![webhook(&server)]);
    told.tell(1, Occasion::Raised).await;
    next(&mut server).await;
    let Told { queue, task, .. } = told;
    drop(queue);
    task.await.unwrap();
}

#[tokio::test]
async fn other_ways_take_over_what_waits_and_one_that_is_gone_gives_it_up() {
    let mut hung = Server::start(&[Answer::Never]).await;
    let mut well = Server::start(&[Answer::Status(200)]).await;
    let mut told = Told::by(vec![webhook(&hung)]);
    told.tell(1, Occasion::Raised).await;
    assert_eq!(next(&mut hung).await.0, 1);
    // It is still being told of its beginning.
    told.tell(1, Occasion::Resolved).await;
    for number in 2..=4 {
        told.tell(number, Occasion::Raised).await;
        assert_eq!(next(&mut hung).await.0, number);
    }
    told.tell(5, Occasion::Raised).await;
    // It has come out of the queue.
    drop(told.queue.reserve().await.unwrap());
    // Those under way keep their places, so that one alert is told in order.
    told.new_ways.send(vec![webhook(&well)]).await.unwrap();
    told.new_ways.send(Vec::new()).await.unwrap();
    for expected in [1, 5] {
        let (alert, reason) = told.failure().await;
        assert_eq!(
            alert,
            Uuid::from_u128(expected),
            "what waited was taken over"
        );
        assert!(
            reason.contains("taken out of the configuration"),
            "{reason}"
        );
    }
    told.new_ways.send(vec![webhook(&well)]).await.unwrap();
    // It has been taken up.
    drop(told.new_ways.reserve().await.unwrap());
    told.tell(7, Occasion::Raised).await;
    assert_eq!(
        next(&mut well).await.0,
        7,
        "by the new way, and nothing else"
    );
}
