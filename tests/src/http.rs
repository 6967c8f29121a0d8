//! One HTTP request, to see a pod from outside.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

/// The whole answer to `GET /` on 127.0.0.1:`port`, head included.
///
/// # Errors
/// Nothing listens there, or it hangs up.
pub fn get(port: u16) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(crate::PATIENCE))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
