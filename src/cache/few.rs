//! A set that nearly always holds at most one value: nothing is allocated for it then.

use rustc_hash::FxHashSet;
use std::hash::Hash;

/// A set of values, in no order.
#[derive(Clone, Debug)]
pub(super) struct Few<T> {
    first: Option<T>,
    others: FxHashSet<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self { first: None, others: FxHashSet::default() }
    }
}

impl<T: Copy + Eq + Hash> Few<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    pub(super) fn contains(&self, value: &T) -> bool {
        self.first.as_ref() == Some(value) || (!self.others.is_empty() && self.others.contains(value))
    }

    /// Adds a value; false where it was there.
    pub(super) fn insert(&mut self, value: T) -> bool {
        match self.first {
            None => {
                self.first = Some(value);
                true
            }
            Some(first) if first == value => false,
            Some(_) => self.others.insert(value),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = T> {
        self.first.into_iter().chain(self.others.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::Few;

    #[test]
    fn it_is_a_set() {
        let mut few = Few::default();
        assert!(few.is_empty() && !few.contains(&1));
        assert_eq!(
            [1, 1, 2, 1, 2, 3].map(|value| few.insert(value)),
            [true, false, true, false, false, true]
        );
        let mut values: Vec<i32> = few.iter().collect();
        values.sort_unstable();
        assert_eq!((values, few.len()), (vec![1, 2, 3], 3));
        assert!([1, 2, 3].iter().all(|value| few.contains(value)) && !few.contains(&4));
    }
}
