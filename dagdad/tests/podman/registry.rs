//! A registry of the test's own: one image, served over HTTP on a loopback port, and a record of
//! what was asked for.
//! Source: <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sha2::{Digest, Sha256};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// Serves until the test ends.
pub struct Registry {
    address: String,
    served: Arc<Mutex<Served>>,
}

#[derive(Default)]
struct Served {
    /// Type and bytes, by digest; the manifest list stands under `latest` too.
    content: HashMap<String, (&'static str, Vec<u8>)>,
    asked: Vec<String>,
}

impl Registry {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let served: Arc<Mutex<Served>> = Arc::default();
        let shared = Arc::clone(&served);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let served = Arc::clone(&shared);
                // Who hangs up early misses the answer.
                std::thread::spawn(move || answer(&connection, &served));
            }
        });
        Self { address, served }
    }

    /// `HOST:PORT`, with which the names of its images begin.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// From now on there is an image that holds one file of `mib` MiB full of `byte`, for the
    /// platform that asks. Returns its name.
    pub fn publish(&self, mib: usize, byte: u8) -> String {
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let layer = tar("file", &vec![byte; mib << 20]);
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {"Cmd": ["/file"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        })
        .to_string()
        .into_bytes();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "size": config.len(), "digest": digest(&config)},
            "layers": [{"mediaType": LAYER, "size": layer.len(), "digest": digest(&layer)}],
        })
        .to_string()
        .into_bytes();
        let list = json!({
            "schemaVersion": 2, "mediaType": LIST,
            "manifests": [{
                "mediaType": MANIFEST, "size": manifest.len(), "digest": digest(&manifest),
                "platform": {"architecture": architecture, "os": "linux"},
            }],
        })
        .to_string()
        .into_bytes();
        let mut served = self.served.lock().unwrap();
        served.content.insert("latest".to_owned(), (LIST, list));
        for (kind, bytes) in [(MANIFEST, manifest), (CONFIG, config), (LAYER, layer)] {
            served.content.insert(digest(&bytes), (kind, bytes));
        }
        format!("{}/image:latest", self.address)
    }

    /// Whether a layer or a configuration was asked for since this was asked last.
    pub fn gave_content(&self) -> bool {
        let asked = std::mem::take(&mut self.served.lock().unwrap().asked);
        asked.iter().any(|path| path.contains("/blobs/"))
    }
}

fn answer(mut connection: &TcpStream, served: &Mutex<Served>) -> Option<()> {
    let mut reader = BufReader::new(connection);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace();
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let mut header = String::new();
        while reader.read_line(&mut header).ok()? > 2 {
            header.clear();
        }
        let reference = path.rsplit('/').next()?;
        let found = {
            let mut served = served.lock().unwrap();
            served.asked.push(path.clone());
            served.content.get(reference).cloned()
        };
        let (status, kind, body) = match found {
            Some((kind, body)) => ("200 OK", kind, body),
            None if path == "/v2/" => ("200 OK", "application/json", b"{}".to_vec()),
            None => ("404 Not Found", "application/json", b"{}".to_vec()),
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nDocker-Content-Digest: {}\r\n\r\n",
            body.len(),
            digest(&body)
        );
        connection.write_all(head.as_bytes()).ok()?;
        if method == "GET" {
            connection.write_all(&body).ok()?;
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    let digits = Sha256::digest(bytes)
        .into_iter()
        .map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", digits.collect::<Vec<_>>().concat())
}

/// An archive of one file. Format:
/// <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06>
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{:011o}", content.len()));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    put(263, "00");
    let sum: u32 = header.iter().copied().map(u32::from).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut archive = header.to_vec();
    archive.extend(content);
    archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
    archive
}
