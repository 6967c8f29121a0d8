//! The wire between `dagdactl` and `dagdad`: the messages and services of `dagda/v1/*.proto`
//! as Rust types, and nothing else. The daemon turns them into its own types at its edge.

/// Version 1 of the API.
// Generated; the .proto files carry the docs. An update is sent and dropped, never stored by
// the thousand, so its size does not matter.
#[allow(missing_docs, clippy::pedantic, clippy::large_enum_variant)]
pub mod v1 {
    tonic::include_proto!("dagda.v1");
}

/// The compiled descriptors of all services, for gRPC server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/dagda.bin"));

/// Metadata key under which dagdad sends a failed call's [`v1::ErrorDetail`], in protobuf.
/// The status message stays readable for tools that know nothing of it.
pub const ERROR_DETAIL_KEY: &str = "dagda-error-bin";
