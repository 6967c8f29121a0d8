//! What travels in a call: a request that must arrive in time, an answer that counts as a call
//! in flight until it is sent.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Sleep;
use tonic::Status;

/// How long a request may take to arrive, from its headers to its last byte. Every call of dagdad
/// has one message as its request, so this limits no work and no answer.
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);

/// A request's body.
#[derive(Debug)]
pub struct Arriving {
    body: Incoming,
    deadline: Pin<Box<Sleep>>,
    late: bool,
}

impl Arriving {
    /// From now on it has to arrive.
    pub fn new(body: Incoming) -> Self {
        Self {
            body,
            deadline: Box::pin(tokio::time::sleep(ARRIVES_WITHIN)),
            late: false,
        }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = tonic::codegen::StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.late {
            return Poll::Ready(None);
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.deadline.as_mut().poll(context));
        self.late = true;
        let late = Status::deadline_exceeded(format!(
            "the request did not arrive whole within {} s",
            ARRIVES_WITHIN.as_secs()
        ));
        Poll::Ready(Some(Err(late.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.late || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer's body, with what is to be held until it is sent or given up.
#[derive(Debug)]
pub struct Held<H> {
    body: tonic::body::Body,
    _until_sent: H,
}

impl<H> Held<H> {
    /// Holds `until_sent`.
    pub fn new(body: tonic::body::Body, until_sent: H) -> Self {
        Self {
            body,
            _until_sent: until_sent,
        }
    }
}

impl<H: Unpin> Body for Held<H> {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// How long the caller waits for the answer, as he says in `grpc-timeout`: at most eight digits
/// and a unit. Source: <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>
pub fn patience(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_hours(count)),
        "M" => Some(Duration::from_mins(count)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use rstest::rstest;

    #[rstest]
    #[case("1H", Some(Duration::from_hours(1)))]
    #[case("2M", Some(Duration::from_mins(2)))]
    #[case("30S", Some(Duration::from_secs(30)))]
    #[case("99999999H", Some(Duration::from_hours(99_999_999)))]
    #[case("250m", Some(Duration::from_millis(250)))]
    #[case("7u", Some(Duration::from_micros(7)))]
    #[case("0n", Some(Duration::ZERO))]
    #[case("100000000S", None)]
    #[case("-1S", None)]
    #[case("+1S", None)]
    #[case("1", None)]
    #[case("S", None)]
    #[case("", None)]
    #[case("1s", None)]
    #[case("é", None)]
    fn a_timeout_is_digits_and_a_unit(#[case] value: &str, #[case] means: Option<Duration>) {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", HeaderValue::from_str(value).unwrap());
        assert_eq!(patience(&headers), means);
    }
}
