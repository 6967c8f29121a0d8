//! Ids as people read and type them.

/// So many characters of a UUIDv7 hold the millisecond it was made in: fewer would do among a few
/// of them, but not among all.
const SHORT: usize = 13;

/// As much of an id as tells it from the others of the list.
pub fn short<'i, 'o>(id: &'i str, all: &(impl Iterator<Item = &'o str> + Clone)) -> &'i str {
    (SHORT..id.len())
        .filter_map(|length| id.get(..length))
        .find(|short| {
            let mut others = all.clone().filter(|other| *other != id);
            !others.any(|other| other.starts_with(short))
        })
        .unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_as_short_as_is_clear() {
        let ids = [
            "01939d5c-0000-7000-8000-000000000001",
            "01939d5c-0000-7000-8000-000000000002",
            "01939d5c-0001-7000-8000-000000000003",
        ];
        let short = |id| short(id, &ids.iter().copied());
        assert_eq!(short(ids[0]), ids[0]);
        assert_eq!(short(ids[2]), "01939d5c-0001");
        assert_eq!(short("short"), "short");
    }
}
