//! The lines of `events`. Columns have a fixed width, so that what follows lines up with what
//! was there.

use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthStr;

use crate::output::colour::{BAD, DIM, paint};
use crate::output::json::events::EventView;
use crate::output::wrap::wrap;
use crate::output::{escape, human};

/// As wide as the longest kind, `notification_failed`.
const KIND: usize = 19;
const OBJECT: usize = 12;

/// An event with a line feed at its end; a message that is too long goes on below its beginning.
pub fn event(view: &EventView, zone: &TimeZone, width: Option<usize>) -> String {
    let at = view
        .at
        .map_or_else(|| "-".to_owned(), |at| human::clock(at, zone));
    let kind = format!("{:<KIND$}", escape::cell(&view.kind));
    let object = escape::cell(view.object.as_deref().unwrap_or("-"));
    let head = format!("{at:<19}  {kind}  {object:<OBJECT$}  ");
    let message = escape::plain(&view.message);
    let fits = width.is_none_or(|width| head.width() + message.width() <= width);
    let kind = if view.kind.contains("failed") {
        paint(BAD, kind)
    } else {
        kind
    };
    let head = format!(
        "{}  {kind}  {object:<OBJECT$}",
        paint(DIM, format_args!("{at:<19}"))
    );
    if fits && !message.contains('\n') {
        return format!("{head}  {message}\n");
    }
    let indent = " ".repeat(4);
    format!(
        "{}\n{}\n",
        head.trim_end(),
        wrap(&message, &indent, width).join("\n")
    )
}
