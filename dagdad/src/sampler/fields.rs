//! The few text shapes in which the kernel writes numbers, parsed without allocation.

/// A decimal number with white space around it, such as the whole of `memory.current`.
#[must_use]
pub fn number(text: &[u8]) -> Option<u64> {
    let digits = text.trim_ascii();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// An amount as `/proc/meminfo` writes it (`  24684092 kB`, meaning KiB), in bytes.
#[must_use]
pub fn kibibytes(text: &[u8]) -> Option<u64> {
    number(text.trim_ascii().strip_suffix(b"kB")?)?.checked_mul(1024)
}

/// Lines of a name and what follows the first `separator`; lines without one are left out.
/// `b' '` for `memory.stat` and `cpu.stat`, `b':'` for `/proc/meminfo`.
pub fn named(text: &[u8], separator: u8) -> impl Iterator<Item = (&[u8], &[u8])> {
    text.split(|&byte| byte == b'\n').filter_map(move |line| {
        let at = line.iter().position(|&byte| byte == separator)?;
        Some((&line[..at], &line[at + 1..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rejects_what_is_no_number() {
        for text in ["", " ", "-1", "+1", "1 2", "0x1", "18446744073709551616"] {
            assert_eq!(number(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(kibibytes(b"18014398509481984 kB"), None, "overflow");
        assert_eq!(kibibytes(b"5 MB"), None);
    }

    proptest! {
        #[test]
        fn numbers_survive_the_round_trip(value: u64) {
            prop_assert_eq!(number(format!(" {value}\n").as_bytes()), Some(value));
        }

        #[test]
        fn names_and_values_survive_the_round_trip(lines in prop::collection::vec(("[a-z_()]{1,20}", any::<u64>()), 0..50)) {
            let text = lines.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("\n");
            let back: Vec<_> = named(text.as_bytes(), b' ')
                .map(|(name, value)| (String::from_utf8(name.to_vec()).unwrap(), number(value).unwrap()))
                .collect();
            prop_assert_eq!(back, lines);
        }

        #[test]
        fn no_bytes_make_it_panic(text: Vec<u8>, separator: u8) {
            for (_, value) in named(&text, separator) {
                let _ = (number(value), kibibytes(value));
            }
        }
    }
}
