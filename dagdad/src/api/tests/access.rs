//! Every method there is, called over a real socket by callers of each role.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Buf, BufMut};
use hyper_util::rt::TokioIo;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use rstest::rstest;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use super::ports::Records;
use super::{Bench, bench, detail};
use crate::api::access::{Deed, Gate, verb_of};
use crate::api::caller::Callers;
use crate::api::{Api, serve};
use crate::domain::audit::{AuditEntry, AuditOutcome};
use crate::domain::caller::Role;
use crate::domain::catalogue::Entries;
use crate::engine::Message;
use crate::engine::event::Command;
use crate::engine::example::{footprint, pod, snapshot};

/// What each changing method takes. Whoever adds one adds it here.
const CHANGING: [(&str, Role); 13] = [
    ("Apply", Role::Admin),
    ("StartPod", Role::Operator),
    ("StopPod", Role::Operator),
    ("RestartPod", Role::Operator),
    ("RemovePod", Role::Admin),
    ("RunWorkflow", Role::Operator),
    ("StopWorkflow", Role::Operator),
    ("RemoveWorkflow", Role::Admin),
    ("SetPolicy", Role::Admin),
    ("AcknowledgeAlerts", Role::Operator),
    ("ResolveAlert", Role::Operator),
    ("Silence", Role::Operator),
    ("LiftSilence", Role::Operator),
];

fn takes(method: &str) -> Role {
    let changing = CHANGING.iter().find(|(name, _)| *name == method);
    changing.map_or(Role::Viewer, |(_, role)| *role)
}

/// `/dagda.v1.PodsService/StartPod`, for every method of every service.
fn paths() -> Vec<String> {
    let set = FileDescriptorSet::decode(dagda_proto::FILE_DESCRIPTOR_SET).unwrap();
    let ours = set.file.iter().filter(|file| file.package() == "dagda.v1");
    ours.flat_map(|file| &file.service)
        .flat_map(|service| {
            let methods = service.method.iter();
            methods.map(|method| format!("/dagda.v1.{}/{}", service.name(), method.name()))
        })
        .collect()
}

fn method(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// The smallest request that is one: all fields may be left out, save a policy (`auto`).
fn request(path: &str) -> Vec<u8> {
    match method(path) {
        "SetPolicy" => vec![0x08, 0x01],
        _ => Vec::new(),
    }
}

/// Bytes as they are; answers are dropped.
#[derive(Debug, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        buffer.advance(buffer.remaining());
        Ok(Some(()))
    }
}

/// What reached the engine: verbs of commands that are kept, and what is only put on record.
#[derive(Debug, Default)]
struct Reached {
    commands: Vec<String>,
    reads: Vec<Command>,
    audited: Vec<AuditEntry>,
}

/// A daemon's edge for callers of one role.
struct Served {
    channel: Channel,
    engine: JoinHandle<Reached>,
    ending: CancellationToken,
    server: JoinHandle<()>,
    _dir: tempfile::TempDir,
}

impl Served {
    async fn to(role: Option<Role>) -> Self {
        let Bench { api, mailbox, .. } = {
            let pods = vec![pod("llama", footprint(1, 1))];
            bench(snapshot(pods, vec![]), Records::default())
        };
        let api = Api {
            engine: Gate::new(api.engine.handle(), Callers::everyone_is(role)),
            parse: Arc::new(|_| {
                Ok(Entries {
                    pods: vec![],
                    workflows: vec![],
                })
            }),
            diagnose: Arc::new(|| Box::pin(std::future::ready(vec![]))),
            ..api
        };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("dagdad.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let ending = api.ending.clone();
        let server = tokio::spawn(serve(api, listener));
        let connect = move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        };
        let channel = Endpoint::from_static("http://dagdad")
            .connect_with_connector(tower::service_fn(connect))
            .await
            .unwrap();
        Self {
            channel,
            engine: tokio::spawn(engine(mailbox)),
            ending,
            server,
            _dir: dir,
        }
    }

    /// Calls a method. What it answers is not waited for, only whether it does.
    async fn call(&self, path: &str) -> Result<(), Status> {
        let mut client = tonic::client::Grpc::new(self.channel.clone());
        client.ready().await.unwrap();
        let request = Request::new(request(path));
        let path = path.parse().unwrap();
        let answer = client.server_streaming(request, path, Raw).await;
        answer.map(drop)
    }

    async fn end(self) -> Reached {
        let Self {
            channel,
            engine,
            ending,
            server,
            _dir,
        } = self;
        drop(channel);
        ending.cancel();
        server.await.unwrap();
        engine.await.unwrap()
    }
}

/// Answers no command, as an engine that has ended.
async fn engine(mut mailbox: mpsc::Receiver<Message>) -> Reached {
    let mut reached = Reached::default();
    while let Some(message) = mailbox.recv().await {
        match message {
            Message::Command { command, asked, .. } => match asked {
                Some(entry) => {
                    assert_eq!(entry.outcome, AuditOutcome::Asked);
                    assert_eq!(entry.verb, Deed::of(&command).verb);
                    reached.commands.push(entry.verb);
                }
                None => reached.reads.push(command),
            },
            Message::Audit(entry) => reached.audited.push(*entry),
            Message::Event(_) | Message::Perform(_) => panic!("neither is a caller's"),
        }
    }
    reached
}

/// Whoever has no role may call nothing; each refusal says so and is on record.
#[tokio::test]
async fn nothing_is_for_those_without_a_role() {
    let served = Served::to(None).await;
    let paths = paths();
    for path in &paths {
        let status = served.call(path).await.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{path}: {status}");
        assert_eq!(detail(&status).code, "permission_denied");
        let uid = rustix::process::geteuid().as_raw();
        let expected = format!("anna (uid {uid}) may not do `{}`", verb_of(path));
        assert!(status.message().starts_with(&expected), "{status}");
    }
    let reached = served.end().await;
    assert_eq!(reached.commands, [""; 0]);
    assert_eq!(reached.reads, []);
    let denied: Vec<&str> = reached.audited.iter().map(|entry| &*entry.verb).collect();
    let expected: Vec<&str> = paths.iter().map(|path| verb_of(path)).collect();
    assert_eq!(denied, expected);
    for entry in &reached.audited {
        assert_eq!(entry.outcome, AuditOutcome::Denied);
        assert_eq!(entry.user.as_deref(), Some("anna"));
        assert_eq!(entry.pid.map(i32::unsigned_abs), Some(std::process::id()));
    }
}

/// A caller of a role is denied just what takes more, and just what changes something and is
/// theirs to change reaches the engine as a command on record.
#[rstest]
#[tokio::test]
async fn each_role_may_do_what_it_may(
    #[values(Role::Viewer, Role::Operator, Role::Admin)] role: Role,
) {
    let served = Served::to(Some(role)).await;
    let mut expected = BTreeMap::new();
    let mut denied = BTreeMap::new();
    for path in paths() {
        let answer = served.call(&path).await;
        let is_denied = matches!(&answer, Err(status) if status.code() == Code::PermissionDenied);
        expected.insert(path.clone(), takes(method(&path)) > role);
        denied.insert(path, is_denied);
    }
    assert_eq!(denied, expected);
    let reached = served.end().await;
    assert_eq!(reached.reads, []);
    let verbs = |of: &dyn Fn(Role) -> bool| {
        let mut verbs: Vec<&str> = (CHANGING.iter().filter(|(_, takes)| of(*takes)))
            .map(|(method, _)| verb_of(method))
            .collect();
        verbs.sort_unstable();
        verbs
    };
    let mut commands: Vec<&str> = reached.commands.iter().map(String::as_str).collect();
    commands.sort_unstable();
    assert_eq!(commands, verbs(&|takes| takes <= role));
    let mut refused: Vec<&str> = reached.audited.iter().map(|entry| &*entry.verb).collect();
    refused.sort_unstable();
    assert_eq!(refused, verbs(&|takes| takes > role));
}

/// Generic tools find out what there is, and whether dagdad is up, without a role.
#[tokio::test]
async fn health_and_reflection_are_for_everyone() {
    let served = Served::to(None).await;
    served.call("/grpc.health.v1.Health/Check").await.unwrap();
    let reflection = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    served.call(reflection).await.unwrap();
    let reached = served.end().await;
    assert_eq!(reached.audited, []);
}

/// Every method is called by a verb that people know.
#[test]
fn every_method_has_a_verb() {
    let paths = paths();
    assert!(paths.len() > 30, "{paths:?}");
    for path in &paths {
        assert_ne!(verb_of(path), method(path), "{path} has no verb");
    }
    for (name, _) in CHANGING {
        let known = paths.iter().any(|path| method(path) == name);
        assert!(known, "there is no method {name}");
    }
}

/// To look at what `apply` would do changes nothing, leaves no trace and takes no more than
/// looking does.
#[test]
fn a_dry_run_is_a_look() {
    let apply = |dry_run| {
        Deed::of(&Command::Apply {
            entries: Entries {
                pods: vec![],
                workflows: vec![],
            },
            dry_run,
        })
    };
    assert_eq!(apply(true).role, Role::Viewer);
    assert_eq!(apply(false).role, Role::Admin);
}
