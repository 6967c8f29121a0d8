//! Pressure stall information.
//!
//! Format (<https://docs.kernel.org/accounting/psi.html>), percentages of time:
//! ```text
//! some avg10=0.44 avg60=0.79 avg300=0.80 total=21646359
//! full avg10=0.00 avg60=0.00 avg300=0.00 total=0
//! ```

use std::fs::File;
use std::path::Path;

use crate::domain::sample::PressureSample;

use super::fields::named;
use super::reread::reread;

/// The files under `/proc/pressure`.
pub struct PressureFiles {
    cpu: File,
    memory: File,
    io: File,
}

impl PressureFiles {
    /// `None` where the kernel has no PSI (built without, or off by `psi=0`: then the files
    /// are there but opening or reading them fails).
    pub fn open(proc_root: &Path) -> Option<Self> {
        let open = |name| File::open(proc_root.join("pressure").join(name)).ok();
        Some(Self {
            cpu: open("cpu")?,
            memory: open("memory")?,
            io: open("io")?,
        })
    }

    /// The pressure of the last ten seconds; `None` where it cannot be read.
    pub fn sample(&self, buffer: &mut Vec<u8>) -> Option<PressureSample> {
        let mut avg10 = |file: &File, line: Line| avg10(reread(file, buffer).ok()?, line);
        Some(PressureSample {
            cpu_some_avg10: avg10(&self.cpu, Line::Some)?,
            memory_some_avg10: avg10(&self.memory, Line::Some)?,
            memory_full_avg10: avg10(&self.memory, Line::Full)?,
            io_some_avg10: avg10(&self.io, Line::Some)?,
        })
    }
}

/// Which of a file's two lines.
#[derive(Debug, Clone, Copy)]
pub enum Line {
    /// At least one task waited.
    Some,
    /// All non-idle tasks waited at once.
    Full,
}

/// The `avg10` of one line in percent.
pub fn avg10(text: &[u8], line: Line) -> Option<f64> {
    let wanted: &[u8] = match line {
        Line::Some => b"some",
        Line::Full => b"full",
    };
    let (_, averages) = named(text, b' ').find(|(name, _)| *name == wanted)?;
    let value = averages
        .split(|&byte| byte == b' ')
        .find_map(|field| field.strip_prefix(b"avg10="))?;
    // The kernel writes no sign, and what reads a float takes one.
    let value = value.first()?.is_ascii_digit().then_some(value)?;
    let percent: f64 = std::str::from_utf8(value).ok()?.parse().ok()?;
    (0.0..=100.0).contains(&percent).then_some(percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn no_pressure_is_below_zero() {
        let percent = avg10(b"some avg10=-0.00 avg60=0.00\n", Line::Some);
        assert_eq!(percent.map(f64::is_sign_negative), None);
    }

    #[test]
    fn reads_all_three_files() {
        let proc = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::create_dir_all(proc.path().join("pressure")).unwrap();
            std::fs::write(proc.path().join("pressure").join(name), text).unwrap();
        };
        let two = |some: &str, full: &str| {
            format!(
                "some avg10={some} avg60=9.00 avg300=9.00 total=1\nfull avg10={full} avg60=9.00 avg300=9.00 total=1\n"
            )
        };
        // Before Linux 5.13 the CPU has no `full` line.
        write("cpu", "some avg10=1.25 avg60=9.00 avg300=9.00 total=1\n");
        write("memory", &two("20.50", "10.00"));
        assert!(PressureFiles::open(proc.path()).is_none(), "io is missing");
        write("io", &two("3.00", "2.00"));
        assert_eq!(
            PressureFiles::open(proc.path())
                .unwrap()
                .sample(&mut Vec::new()),
            Some(PressureSample {
                cpu_some_avg10: 1.25,
                memory_some_avg10: 20.5,
                memory_full_avg10: 10.0,
                io_some_avg10: 3.0,
            })
        );
        write("memory", "");
        assert_eq!(
            PressureFiles::open(proc.path())
                .unwrap()
                .sample(&mut Vec::new()),
            None
        );
    }

    proptest! {
        #[test]
        fn any_percentage_is_read_back(hundredths in 0_u32..=10_000) {
            let percent = f64::from(hundredths) / 100.0;
            let text = format!("some avg10={percent:.2} avg60=0.00 avg300=0.00 total=0\n");
            prop_assert_eq!(avg10(text.as_bytes(), Line::Some), Some(percent));
            prop_assert_eq!(avg10(text.as_bytes(), Line::Full), None);
        }

        #[test]
        fn no_bytes_make_it_panic_or_absurd(tail: Vec<u8>) {
            let text = [b"some avg10=".as_slice(), &tail].concat();
            if let Some(percent) = avg10(&text, Line::Some) {
                prop_assert!((0.0..=100.0).contains(&percent));
            }
        }
    }
}
