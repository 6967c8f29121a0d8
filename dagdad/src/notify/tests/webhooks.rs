//! The webhook, with a server that answers or does not.

use std::time::Duration;

use rstest::rstest;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::rustls::RootCertStore;

use super::super::webhook::WebhookError;
use super::super::{Webhook, payload};
use super::server::{Answer, SECRET, Server, believers};
use super::told;
use crate::domain::notification::Occasion;

const PLENTY: Duration = Duration::from_mins(5);
const OK: Answer = Answer::Status(200);

fn document() -> Vec<u8> {
    payload::document(&told(1, Occasion::Raised))
}

fn webhook(server: &Server, deadline: Duration) -> Webhook {
    Webhook::hasty(server.endpoint(), deadline, believers)
}

/// What is said of a failure: never the URL, but for its host.
fn said(error: &WebhookError) -> String {
    let all = format!("{error} {error:?} {error:#?}");
    assert!(!all.contains(SECRET), "{all}");
    error.to_string()
}

#[tokio::test]
async fn it_is_posted() {
    let mut server = Server::start(&[Answer::Status(204)]).await;
    webhook(&server, PLENTY).tell(document()).await.unwrap();
    let [(head, body)] = server.come_in().try_into().unwrap();
    assert_eq!((head.method.as_str(), head.uri.path()), ("POST", "/s3cret"));
    assert_eq!(head.uri.query(), Some("token=s3cret"));
    let header = |name: &str| head.headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("host"), format!("localhost:{}", server.port));
    assert_eq!(body, document());
}

#[tokio::test]
async fn it_is_tried_again_where_that_may_help() {
    let mut server = Server::start(&[500, 429, 503, 200].map(Answer::Status)).await;
    webhook(&server, PLENTY).tell(document()).await.unwrap();
    let bodies: Vec<_> = server.come_in().into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies, vec![document(); 4]);
}

#[rstest]
#[case::not_found(
    404,
    1,
    "answered 404 Not Found; see whether `alerts.webhook` is right"
)]
#[case::moved(
    301,
    1,
    "answered 301 Moved Permanently; no redirection is followed: give `alerts.webhook` the address that it leads to"
)]
#[case::busy(429, 5, "answered 429 Too Many Requests")]
#[case::broken(502, 5, "answered 502 Bad Gateway")]
#[tokio::test]
async fn it_is_given_up(#[case] status: u16, #[case] tries: usize, #[case] why: &str) {
    let mut server = Server::start(&[Answer::Status(status)]).await;
    let error = webhook(&server, PLENTY).tell(document()).await.unwrap_err();
    assert_eq!(said(&error), format!("webhook at localhost {why}"));
    assert_eq!(server.come_in().len(), tries);
}

#[tokio::test]
async fn one_that_hangs_is_not_waited_for() {
    let mut server = Server::start(&[Answer::Never, OK]).await;
    let webhook = webhook(&server, Duration::from_secs(1));
    webhook.tell(document()).await.unwrap();
    assert_eq!(server.come_in().len(), 2);
}

#[tokio::test]
async fn one_that_hangs_for_ever_is_given_up() {
    let server = Server::start(&[Answer::Never]).await;
    let webhook = webhook(&server, Duration::from_millis(20));
    let error = webhook.tell(document()).await.unwrap_err();
    assert_eq!(
        said(&error),
        "webhook at localhost did not answer within 20ms"
    );
}

#[tokio::test]
async fn one_that_is_not_there_is_given_up() {
    let mut server = Server::start(&[OK]).await;
    // Nobody else's, and nobody listens.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
    server.port = closed.local_addr().unwrap().port();
    let error = webhook(&server, PLENTY).tell(document()).await.unwrap_err();
    assert!(said(&error).contains("Connection refused"), "{error}");
}

#[tokio::test]
async fn one_that_talks_nonsense_is_given_up() {
    let mut server = Server::start(&[OK]).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    server.port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            // The other side may have heard enough.
            let _ = stream.write_all(b"220 mail ready\r\n").await;
        }
    });
    let error = webhook(&server, PLENTY).tell(document()).await.unwrap_err();
    assert!(matches!(error, WebhookError::NoSense { .. }), "{error}");
    said(&error);
}

#[tokio::test]
async fn it_is_encrypted() {
    let mut server = Server::encrypted(&[OK]).await;
    webhook(&server, PLENTY).tell(document()).await.unwrap();
    assert_eq!(server.come_in().len(), 1);
}

#[tokio::test]
async fn it_is_told_to_nobody_who_cannot_prove_who_they_are() {
    let mut server = Server::encrypted(&[OK]).await;
    let doubtful = [
        Webhook::hasty(server.endpoint(), PLENTY, RootCertStore::empty),
        {
            let mut elsewhere = server.endpoint();
            elsewhere.host = "127.0.0.1".to_owned();
            Webhook::hasty(elsewhere, PLENTY, believers)
        },
    ];
    for webhook in doubtful {
        let error = webhook.tell(document()).await.unwrap_err();
        assert!(said(&error).contains("certificate"), "{error}");
    }
    assert!(server.come_in().is_empty());
}

#[tokio::test]
async fn it_is_tried_for_some_minutes() {
    let server = Server::start(&[OK]).await;
    let webhook = Webhook::at(server.endpoint());
    assert_eq!(webhook.pauses(), [5, 15, 45, 135].map(Duration::from_secs));
    assert!(!format!("{webhook:?}").contains(SECRET));
}
