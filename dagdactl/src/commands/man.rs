//! `dagdactl man`.

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use super::{Outcome, Session};
use crate::cli::{Cli, ManArgs};
use crate::error::Error;

/// A manual page.
#[derive(Debug)]
struct Page {
    /// `dagdactl-pods-start.1`.
    file: String,
    /// In roff.
    text: Vec<u8>,
}

/// Prints dagdactl(1), or writes every page into a folder.
pub fn run(args: &ManArgs, session: &mut Session) -> Result<Outcome, Error> {
    let pages = pages().map_err(Error::Output)?;
    if let Some(folder) = &args.out {
        write(&pages, folder).map_err(|error| {
            Error::File(format!(
                "cannot write the manual pages to {}: {error}",
                folder.display()
            ))
        })?;
    } else if let Some(first) = pages.first() {
        session.output.verbatim(&first.text)?;
    }
    Ok(Outcome::Done)
}

fn write(pages: &[Page], folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    pages
        .iter()
        .try_for_each(|page| std::fs::write(folder.join(&page.file), &page.text))
}

/// dagdactl(1) and a page for each verb below it.
fn pages() -> io::Result<Vec<Page>> {
    let mut tree = Cli::command();
    // Hands the global options down to the verbs.
    tree.build();
    let mut pages = Vec::new();
    add(&tree, &mut pages)?;
    Ok(pages)
}

fn add(command: &Command, pages: &mut Vec<Page>) -> io::Result<()> {
    let man = Man::new(command.clone())
        .source(concat!("Dagda ", env!("CARGO_PKG_VERSION")))
        .manual("Dagda manual");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    if let Some(more) = command.get_after_help() {
        sections(&more.to_string()).to_writer(&mut text)?;
    }
    pages.push(Page {
        file: man.get_filename(),
        text,
    });
    command
        .get_subcommands()
        .try_for_each(|verb| add(verb, pages))
}

/// What stands below the help as sections of a page: a line that ends with a colon begins one,
/// and its lines stay as they are.
fn sections(after_help: &str) -> Roff {
    let mut roff = Roff::new();
    for section in after_help.split("\n\n") {
        let (heading, lines) = section.split_once(":\n").unwrap_or(("Notes", section));
        roff.control("SH", [heading.to_uppercase().as_str()]);
        roff.control("nf", []);
        roff.text(
            lines
                .lines()
                .map(|line| roman(format!("{line}\n")))
                .collect::<Vec<_>>(),
        );
        roff.control("fi", []);
    }
    roff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_and_every_flag_is_in_the_manual() {
        fn check(command: &Command, pages: &[Page]) {
            let file = format!(
                "{}.1",
                command.get_display_name().unwrap_or(command.get_name())
            );
            let page = pages.iter().find(|page| page.file == file);
            let text = String::from_utf8(page.expect(&file).text.clone()).unwrap();
            for flag in command.get_arguments().filter_map(clap::Arg::get_long) {
                let written = format!("\\-\\-{}", flag.replace('-', "\\-"));
                assert!(text.contains(&written), "--{flag} is missing in {file}");
            }
            for verb in command.get_subcommands() {
                let name = verb.get_display_name().unwrap_or(verb.get_name());
                assert!(
                    text.contains(&name.replace('-', "\\-")),
                    "{name} is missing in {file}"
                );
                check(verb, pages);
            }
        }
        let mut tree = Cli::command();
        tree.build();
        check(&tree, &pages().unwrap());
    }

    #[test]
    fn examples_and_exit_codes_have_sections_of_their_own() {
        let pages = pages().unwrap();
        let text = String::from_utf8(pages[0].text.clone()).unwrap();
        assert!(
            text.contains(".SH EXAMPLES\n.nf\n") && text.contains(".SH \"EXIT CODES\""),
            "{text}"
        );
    }
}
