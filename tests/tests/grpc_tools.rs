//! Standard gRPC tools work: health, reflection, typed errors, many clients at once.

use std::collections::BTreeSet;

use dagda_proto::v1;
use dagda_tests::manifest::Pod;
use dagda_tests::{TestHost, wire};
use prost::Message as _;
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

const SERVICES: [&str; 8] = [
    "dagda.v1.AlertsService",
    "dagda.v1.CatalogueService",
    "dagda.v1.DiagnosticsService",
    "dagda.v1.EventsService",
    "dagda.v1.PodsService",
    "dagda.v1.ResourcesService",
    "dagda.v1.StatusService",
    "dagda.v1.WorkflowsService",
];

/// One question to the reflection service.
fn reflect(host: &TestHost, question: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(question),
    };
    let mut client = ServerReflectionClient::new(host.any_channel());
    let answer = host.block_on(async move {
        let asked = client
            .server_reflection_info(tokio_stream::once(request))
            .await?;
        asked.into_inner().next().await.transpose()
    });
    let Ok(Some(ServerReflectionResponse {
        message_response: Some(response),
        ..
    })) = answer
    else {
        panic!("no answer by reflection: {answer:?}")
    };
    response
}

#[test]
fn the_server_and_each_service_are_healthy() {
    let host = TestHost::ready();
    let mut client = HealthClient::new(host.any_channel());
    for service in SERVICES.into_iter().chain([""]) {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        let health = host.block_on(client.check(request)).unwrap().into_inner();
        assert_eq!(health.status(), ServingStatus::Serving, "{service}");
    }
    let request = HealthCheckRequest {
        service: "dagda.v1.NoSuchService".to_owned(),
    };
    assert_eq!(
        host.block_on(client.check(request)).unwrap_err().code(),
        Code::NotFound
    );
}

#[test]
fn reflection_lists_and_describes_every_service() {
    let host = TestHost::ready();
    let MessageResponse::ListServicesResponse(list) =
        reflect(&host, MessageRequest::ListServices(String::new()))
    else {
        panic!("not a list of services");
    };
    let listed: BTreeSet<_> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    for service in SERVICES {
        assert!(listed.contains(service), "{service} is not in {listed:?}");
        let question = MessageRequest::FileContainingSymbol(service.to_owned());
        let MessageResponse::FileDescriptorResponse(files) = reflect(&host, question) else {
            panic!("no descriptor of {service}");
        };
        let described = files.file_descriptor_proto.iter().any(|file| {
            let file = prost_types::FileDescriptorProto::decode(file.as_slice()).unwrap();
            file.service
                .iter()
                .any(|it| format!("{}.{}", file.package(), it.name()) == service)
        });
        assert!(described, "{service}");
    }
}

#[test]
fn errors_carry_their_code_for_programs() {
    let host = TestHost::ready();
    let request = v1::GetPodRequest {
        name: "nobody".to_owned(),
    };
    let status = host
        .block_on(host.pods_client().get_pod(request))
        .unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let detail = wire::detail(&status);
    assert_eq!(detail.code, "not_found");
    assert_eq!(
        detail.message,
        status.message(),
        "readable by tools that know nothing of the detail"
    );

    let files = vec![v1::ManifestFile {
        name: "a.yml".to_owned(),
        text: "kind: [".to_owned(),
    }];
    let request = v1::ApplyRequest {
        files,
        dry_run: false,
    };
    let status = host
        .block_on(host.catalogue_client().apply(request))
        .unwrap_err();
    assert_eq!(
        (status.code(), wire::detail(&status).code.as_str()),
        (Code::InvalidArgument, "invalid")
    );
}

#[test]
fn two_watchers_of_one_operation_see_one_operation() {
    let host = TestHost::ready();
    host.apply(&Pod::waiting("a"));
    let (first, second) = host.block_on(async {
        let start = || async {
            let request = v1::StartPodRequest {
                name: "a".to_owned(),
                ..v1::StartPodRequest::default()
            };
            let stream = host
                .pods_client()
                .start_pod(request)
                .await
                .unwrap()
                .into_inner();
            wire::outcome(stream).await
        };
        tokio::join!(start(), start())
    });
    first.unwrap();
    second.unwrap();
    assert_eq!(host.podman.pods(), [("a".to_owned(), "running".to_owned())]);
}

#[test]
fn an_operation_goes_on_when_its_caller_hangs_up() {
    let host = TestHost::ready();
    host.apply(&Pod::waiting("a"));
    host.block_on(async {
        let request = v1::StartPodRequest {
            name: "a".to_owned(),
            ..v1::StartPodRequest::default()
        };
        let mut stream = host
            .pods_client()
            .start_pod(request)
            .await
            .unwrap()
            .into_inner();
        let _ = stream.message().await.unwrap();
    });
    host.await_pod("a", "a runs", |pod| pod.ready);
}

#[test]
fn diagnostics_name_every_part() {
    let host = TestHost::ready();
    let mut client =
        v1::diagnostics_service_client::DiagnosticsServiceClient::new(host.any_channel());
    let checks = host
        .block_on(client.diagnose(v1::DiagnoseRequest {}))
        .unwrap()
        .into_inner()
        .checks;
    let named: BTreeSet<_> = checks.iter().map(|check| check.name.as_str()).collect();
    for part in ["podman", "mariadb", "cgroups", "pressure"] {
        assert!(named.contains(part), "{part} is not in {named:?}");
    }
    for check in &checks {
        assert!(!check.finding.is_empty(), "{check:?}");
        let works = matches!(check.verdict(), v1::Verdict::Ok | v1::Verdict::Warning);
        assert!(works, "{check:?}");
    }
}
