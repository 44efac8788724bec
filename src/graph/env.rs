//! The variables in force at a place, shared between the steps of a file: ten thousand ENVs with a RUN after each do not
//! make ten thousand lists of their own.

use super::state::{Origin, Variable};
use rustc_hash::FxHashMap;
use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Variables that a list holds for itself before it shares them.
const BLOCK: usize = 64;

/// Variables in the order in which BuildKit lists them for a RUN: a reassigned one moves to the end (facts §1.3). A copy
/// costs at most [`BLOCK`] variables, a look-up the logarithm of their number.
#[derive(Clone, Debug, Default)]
pub struct Env<'a> {
    /// The first variables, a multiple of [`BLOCK`].
    shared: Option<Arc<Layer<'a>>>,
    /// The rest.
    own: Vec<Variable<'a>>,
}

#[derive(Debug)]
struct Layer<'a> {
    older: Option<Arc<Layer<'a>>>,
    variables: Vec<Variable<'a>>,
    /// Where in `variables` a name is.
    places: FxHashMap<Cow<'a, str>, usize>,
    /// Stands for the names and values of all blocks up to here.
    print: [u64; 2],
}

impl<'a> Layer<'a> {
    /// Variables on top of what is shared. A layer below that is no larger becomes part of it, so that layers are few.
    fn on(older: Option<Arc<Self>>, variables: Vec<Variable<'a>>) -> Self {
        let print = variables.chunks(BLOCK).fold(older.as_ref().map_or([0; 2], |below| below.print), print);
        let (mut older, mut variables) = (older, variables);
        while let Some(below) = older.as_ref().filter(|below| below.variables.len() <= variables.len()) {
            let next = below.older.clone();
            variables.splice(0..0, below.variables.iter().cloned());
            older = next;
        }
        let places = variables.iter().enumerate().map(|(at, one)| (one.name.clone(), at)).collect();
        Self { older, variables, places, print }
    }
}

/// The print of the blocks before and one more.
fn print(before: [u64; 2], block: &[Variable<'_>]) -> [u64; 2] {
    [0u8, 1].map(|half| {
        let mut hasher = DefaultHasher::new();
        (half, before).hash(&mut hasher);
        for variable in block {
            (&variable.name, &variable.value).hash(&mut hasher);
        }
        hasher.finish()
    })
}

impl<'a> Env<'a> {
    /// Its names and values without repeating what it shares: numbers that stand for the shared ones, and the others. Equal
    /// for equal lists, however they came about.
    #[must_use]
    pub fn digested(&self) -> ([u64; 2], &[Variable<'a>]) {
        (self.shared.as_ref().map_or([0; 2], |layer| layer.print), &self.own)
    }

    /// The variable of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Variable<'a>> {
        self.own.iter().rev().find(|variable| variable.name == name).or_else(|| {
            self.layers()
                .find_map(|layer| layer.places.get(name).and_then(|place| layer.variables.get(*place)))
        })
    }

    /// Sets a variable: it moves to the end.
    pub fn set(&mut self, name: Cow<'a, str>, value: Cow<'a, str>, origin: Origin) {
        self.remove(&name);
        self.push(Variable { name, value, origin });
    }

    /// Sets a variable: one that is there keeps its place, as in an image's configuration (BuildKit: `addEnv`).
    pub fn replace(&mut self, variable: Variable<'a>) {
        if self.get(&variable.name).is_some_and(|there| *there == variable) {
            return;
        }
        if self.layers().any(|layer| layer.places.contains_key(&variable.name)) {
            self.unshare();
        }
        match self.own.iter_mut().find(|other| other.name == variable.name) {
            Some(other) => *other = variable,
            None => self.push(variable),
        }
        self.share();
    }

    /// Removes a variable.
    pub fn remove(&mut self, name: &str) {
        if self.layers().any(|layer| layer.places.contains_key(name)) {
            self.unshare();
        }
        self.own.retain(|variable| variable.name != name);
        self.share();
    }

    /// The variables in order.
    pub fn iter(&self) -> impl Iterator<Item = &Variable<'a>> {
        let mut layers: Vec<&Layer<'a>> = self.layers().collect();
        layers.reverse();
        layers.into_iter().flat_map(|layer| &layer.variables).chain(&self.own)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layers().map(|layer| layer.variables.len()).sum::<usize>() + self.own.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.own.is_empty() && self.shared.is_none()
    }

    fn layers(&self) -> impl Iterator<Item = &Layer<'a>> {
        std::iter::successors(self.shared.as_deref(), |layer| layer.older.as_deref())
    }

    fn push(&mut self, variable: Variable<'a>) {
        self.own.push(variable);
        self.share();
    }

    fn unshare(&mut self) {
        let all = self.iter().cloned().collect();
        (self.shared, self.own) = (None, all);
    }

    /// Shares what fills whole blocks, so that equal lists are made of equal blocks.
    fn share(&mut self) {
        let whole = self.own.len() / BLOCK * BLOCK;
        if whole > 0 {
            let rest = self.own.split_off(whole);
            let own = std::mem::replace(&mut self.own, rest);
            self.shared = Some(Arc::new(Layer::on(self.shared.take(), own)));
        }
    }
}

impl PartialEq for Env<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Env<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: usize, value: usize) -> Variable<'static> {
        Variable { name: format!("v{name}").into(), value: value.to_string().into(), origin: Origin::Base }
    }

    /// The same done with a plain list.
    fn plain(list: &mut Vec<Variable<'static>>, one: Variable<'static>, keeps_place: bool) {
        match list.iter().position(|other| other.name == one.name) {
            Some(at) if keeps_place => list[at] = one,
            Some(at) => {
                list.remove(at);
                list.push(one);
            }
            None => list.push(one),
        }
    }

    #[test]
    fn it_is_the_list_that_a_plain_one_would_be() {
        let (mut env, mut list) = (Env::default(), Vec::new());
        let mut kept: Vec<(Env<'_>, Vec<Variable<'_>>)> = Vec::new();
        let mut state = 7_usize;
        for round in 0..3000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let one = variable((state >> 33) % 700, round);
            let keeps_place = (state >> 60) & 1 == 0;
            plain(&mut list, one.clone(), keeps_place);
            if keeps_place {
                env.replace(one)
            } else {
                env.set(one.name, one.value, one.origin)
            }
            if round % 500 == 0 {
                kept.push((env.clone(), list.clone()));
            }
        }
        kept.push((env, list));
        for (env, list) in &kept {
            assert!(env.iter().eq(list));
            assert_eq!(env.len(), list.len());
            assert!(list.iter().all(|one| env.get(&one.name) == Some(one)));
            // Made another way, it is the same list.
            let mut again = Env::default();
            for one in list {
                again.set(one.name.clone(), one.value.clone(), one.origin);
            }
            assert_eq!(again.digested(), env.digested());
            assert_eq!(&again, env);
        }
    }
}
