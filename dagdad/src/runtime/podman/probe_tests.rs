use rstest::rstest;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;

fn published(host_ip: Option<&str>) -> PublishedPort {
    PublishedPort {
        host_ip: host_ip.map(|ip| ip.parse().unwrap()),
        host_port: 8080,
        container_port: 80,
        protocol: Protocol::Tcp,
    }
}

#[rstest]
#[case(None, "127.0.0.1")]
#[case(Some("0.0.0.0"), "127.0.0.1")]
#[case(Some("::"), "::1")]
#[case(Some("192.0.2.7"), "192.0.2.7")]
fn a_published_port_is_asked_where_it_listens(#[case] host_ip: Option<&str>, #[case] at: &str) {
    assert_eq!(local(&published(host_ip)), at.parse::<IpAddr>().unwrap());
}

#[test]
fn a_pods_address_is_that_of_any_of_its_networks() {
    let detail: wire::ContainerDetail = serde_json::from_str(
        r#"{"State":{},"NetworkSettings":{"IPAddress":"","Networks":{"n":{"IPAddress":"10.89.0.2"}}}}"#,
    )
    .unwrap();
    assert_eq!(
        address(&detail.network_settings),
        Some("10.89.0.2".parse().unwrap())
    );
    let detail: wire::ContainerDetail =
        serde_json::from_str(r#"{"State":{},"NetworkSettings":{"Networks":null}}"#).unwrap();
    assert_eq!(address(&detail.network_settings), None);
}

/// A server that answers one connection with `answer` and closes it.
async fn answering(answer: &'static [u8]) -> Target {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 1024];
        if !answer.is_empty() {
            let _ = stream.read(&mut request).await;
            stream.write_all(answer).await.unwrap();
        }
    });
    Target {
        host: "127.0.0.1".to_owned(),
        port,
    }
}

#[rstest]
#[case(b"HTTP/1.1 200 OK\r\n\r\n", true)]
#[case(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", true)]
#[case(b"HTTP/1.0 399 Odd\r\n\r\n", true)]
#[case(b"HTTP/1.1 400 Bad\r\n\r\n", false)]
#[case(b"HTTP/1.1 503 Busy\r\n\r\n", false)]
#[case(b"220 smtp.example ESMTP\r\n", false)]
#[case(b"", false)]
#[tokio::test]
async fn http_is_judged_by_its_status(#[case] answer: &'static [u8], #[case] ready: bool) {
    let target = answering(answer).await;
    let outcome = http_get(&target, "/health", &[]).await;
    assert_eq!(outcome.is_ok(), ready, "{outcome:?}");
}

#[tokio::test]
async fn a_connection_closed_at_once_is_not_accepted() {
    let target = answering(b"").await;
    let address = (Ipv4Addr::LOCALHOST.into(), target.port);
    let ProbeFailure(why) = accepts(address).await.unwrap_err();
    assert!(why.contains("closed as soon as it was opened"), "{why}");
}

#[tokio::test]
async fn a_connection_that_stays_is_accepted() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(accepts((address.ip(), address.port())).await, Ok(()));
}
