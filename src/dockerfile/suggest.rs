//! "did you mean …?", as BuildKit's `util/suggest` finds it.

/// The nearest of `options` to `word`, if it is less than three edits away.
pub(super) fn nearest<'o>(word: &str, options: impl Iterator<Item = &'o str>) -> Option<&'o str> {
    let near =
        options.map(|option| (distance(word, option), option)).min_by_key(|(distance, _)| *distance)?;
    (near.0 < 3).then_some(near.1)
}

/// The edit distance of two words, 3 for all that are that far from each other or farther.
fn distance(a: &str, b: &str) -> usize {
    if a.len().abs_diff(b.len()) >= 3 {
        return 3;
    }
    let mut short: [usize; 32] = std::array::from_fn(|at| at);
    let mut long = Vec::new();
    let row = match short.get_mut(..=b.len()) {
        Some(row) => row,
        None => {
            long.extend(0..=b.len());
            long.as_mut_slice()
        }
    };
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        let mut nearest = left;
        for (slot, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            let cost = diagonal + usize::from(x != y);
            diagonal = *slot;
            left = cost.min(*slot + 1).min(left + 1);
            *slot = left;
            nearest = nearest.min(left);
        }
        if nearest >= 3 {
            return 3;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0).min(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_at_most_two_edits_away() {
        assert_eq!(distance("form", "from"), 2);
        assert_eq!(distance("", "env"), 3);
        assert_eq!(nearest("wrkdir", ["user", "workdir"].into_iter()), Some("workdir"));
        assert_eq!(nearest("install", ["user", "workdir"].into_iter()), None);
    }
}
