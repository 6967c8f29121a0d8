//! Standard output and standard error, and who may write what to them: data on stdout, all
//! else on stderr, and on stderr nothing with `--json` unless it is a terminal.

pub mod colour;
pub mod escape;
pub mod human;
pub mod json;
pub mod progress;
#[cfg(test)]
pub mod sample;
pub mod screen;
pub mod table;
pub mod wrap;

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

use self::human::Clock;
use self::json::ErrorDocument;
use self::json::admission::DenialView;
use self::table::admission;
use crate::error::Error;

/// Where a command's results go.
#[derive(Debug)]
pub struct Output {
    stdout: BufWriter<Stdout>,
    json: bool,
    terminal: bool,
    colour: bool,
}

impl Output {
    /// The process's own output, in JSON or for people.
    pub fn detect(json: bool) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let colour = AutoStream::choice(&stdout) != ColorChoice::Never;
        Self {
            stdout: BufWriter::new(stdout),
            json,
            terminal,
            colour,
        }
    }

    /// Whether `--json` was given.
    pub const fn json(&self) -> bool {
        self.json
    }

    /// Columns of the terminal; `None` where stdout is none and lines may be as long as they like.
    pub fn width(&self) -> Option<usize> {
        self.terminal.then(|| screen::size(io::stdout()).0)
    }

    /// Prints a JSON document on a line of its own.
    ///
    /// # Errors
    /// Those of [`Self::flush`].
    pub fn document(&mut self, view: &impl Serialize) -> Result<(), Error> {
        let mut line = serde_json::to_vec(view).map_err(|error| Error::Output(error.into()))?;
        line.push(b'\n');
        self.write(&line)?;
        self.flush()
    }

    /// Prints text of our own making, which may carry our colours; what came from elsewhere
    /// must have gone through [`escape`] before.
    ///
    /// # Errors
    /// Those of [`Self::flush`].
    pub fn text(&mut self, text: &str) -> Result<(), Error> {
        if self.colour {
            self.write(text.as_bytes())?;
        } else {
            self.write(anstream::adapter::strip_str(text).to_string().as_bytes())?;
        }
        self.flush()
    }

    /// Prints that something ended well: bare into a pipe, with a mark and the time it took on a
    /// terminal.
    ///
    /// # Errors
    /// Those of [`Self::flush`].
    pub fn success(&mut self, message: &str, took: Option<&str>) -> Result<(), Error> {
        let message = escape::cell(message);
        let Some(width) = self.width() else {
            return self.text(&format!("{message}\n"));
        };
        let mark = colour::paint(colour::GOOD, "✓");
        let lines = wrap::wrap(&message, "  ", Some(width)).join("\n");
        let took = took.map(|took| format!(" {took}")).unwrap_or_default();
        self.text(&format!("{mark} {}{took}\n", lines.trim_start()))
    }

    /// Prints generated text that is no prose: scripts and manual pages.
    ///
    /// # Errors
    /// Those of [`Self::flush`].
    pub fn verbatim(&mut self, text: &[u8]) -> Result<(), Error> {
        self.write(text)?;
        self.flush()
    }

    /// Shows the next picture of something that is watched: on a terminal in place of the last
    /// one, else below it after an empty line.
    ///
    /// # Errors
    /// Those of [`Self::flush`].
    pub fn picture(&mut self, picture: &str, first: bool) -> Result<(), Error> {
        if self.terminal {
            let plain;
            let picture = if self.colour {
                picture
            } else {
                plain = anstream::adapter::strip_str(picture).to_string();
                &plain
            };
            self.write(screen::redraw(picture, screen::size(io::stdout()).1, first).as_bytes())?;
            return self.flush();
        }
        if !first {
            self.write(b"\n")?;
        }
        self.text(picture)
    }

    /// Prints text from elsewhere (log lines, manifests): as it is into a pipe or a file, made
    /// harmless on a terminal. Does not flush.
    ///
    /// # Errors
    /// Those of [`Self::flush`].
    pub fn foreign(&mut self, text: &str) -> Result<(), Error> {
        if self.terminal {
            self.write(escape::plain(text).as_bytes())
        } else {
            self.write(text.as_bytes())
        }
    }

    /// Hands everything to the system.
    ///
    /// # Errors
    /// [`Error::ClosedPipe`] where the reader has gone, [`Error::Output`] otherwise.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.stdout.flush().map_err(write_failed)
    }

    /// Says something on stderr that is neither data nor a failure.
    pub fn note(&self, text: &str) {
        if !self.json {
            say(text);
        }
    }

    /// Tells of a failure: as a JSON document on stdout, or in words on stderr.
    pub fn failure(&mut self, error: &Error) {
        if !self.json {
            self.complaint(error);
        } else if self.document(&ErrorDocument::from(error)).is_err() {
            // Nowhere left to say it but stderr; the exit code says it too.
            say(&format!("error: {error}"));
        }
    }

    /// Tells of a failure in words on stderr; nothing with `--json`, where the document that
    /// the command prints carries it.
    pub fn complaint(&self, error: &Error) {
        if self.json {
            return;
        }
        let stderr = io::stderr();
        let width = stderr.is_terminal().then(|| screen::size(&stderr).0);
        let label = "error: ";
        let denial = error.denial().cloned().map(DenialView::from);
        // The numbers stand in the table below, so the sentence need not hold them all.
        let text = denial
            .as_ref()
            .map_or_else(|| error.to_string(), admission::headline);
        let text = escape::plain(&text);
        let lines = wrap::wrap(&text, &" ".repeat(label.len()), width).join("\n");
        say(&format!(
            "{}{}",
            colour::paint(colour::BAD, label),
            lines.trim_start()
        ));
        if let Some(denial) = denial {
            let text = admission::explanation(&denial, &Clock::system(), width);
            say(&format!("\n{}", text.trim_end()));
        }
        if !error.log().is_empty() {
            say("  its last lines:");
            for line in error.log() {
                say(&format!(
                    "  {} {}",
                    colour::paint(colour::DIM, "|"),
                    escape::plain(line)
                ));
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.stdout.write_all(bytes).map_err(write_failed)
    }
}

/// Writes a line to stderr. That stderr is closed is no reason to stop.
fn say(line: &str) {
    let _ = writeln!(anstream::stderr(), "{line}");
}

fn write_failed(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Error::ClosedPipe,
        _ => Error::Output(error),
    }
}
