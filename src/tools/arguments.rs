//! A command line, sorted into options and positional words by what a tool says of its options.

use crate::shell::Word;

/// The arguments of one tool.
#[derive(Clone, Debug, Default)]
pub(super) struct Arguments<'s> {
    /// Every argument in order.
    pub(super) all: &'s [Word<'s>],
    /// The positional words.
    pub(super) words: Vec<&'s Word<'s>>,
    /// Options in order.
    pub(super) flags: Vec<Flag<'s>>,
    /// Whether letters after one dash may be several options.
    pub(super) clusters: bool,
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag<'s> {
    /// Its place in [`Arguments::all`].
    index: usize,
    /// The argument.
    pub(super) word: &'s Word<'s>,
    /// Name with its dashes, without `=value`.
    pub(super) name: &'s str,
    /// What follows `=`, or the next word of an option that takes one.
    pub(super) value: Option<&'s str>,
    /// Whether the value is known.
    literal: bool,
}

impl<'s> Arguments<'s> {
    /// Sorts `args`. `valued` are the options that take the next word.
    pub(super) fn new(args: &'s [Word<'s>], valued: &[&[String]]) -> Self {
        let words = Vec::with_capacity(args.len());
        let mut found = Self { all: args, words, clusters: true, ..Self::default() };
        let takes = |name: &str| valued.iter().copied().flatten().any(|flag| flag == name);
        let mut rest = args.iter().enumerate();
        let mut ended = false;
        while let Some((index, word)) = rest.next() {
            let text: &'s str = &word.text;
            if ended || !text.starts_with(['-', '+']) || text.len() < 2 {
                found.words.push(word);
                continue;
            }
            if text == "--" {
                ended = true;
                continue;
            }
            let mut flag = Flag { index, word, name: text, value: None, literal: word.literal };
            if takes(text) {
                let value = rest.next();
                flag.value = value.map(|(_, value)| &*value.text);
                flag.literal = value.is_none_or(|(_, value)| value.literal);
            } else if let Some((name, value)) = text.split_once('=') {
                flag.name = name;
                flag.value = Some(value);
            } else if let Some(short) = text.get(..2).filter(|short| !text.starts_with("--") && takes(short))
            {
                flag.name = short;
                flag.value = text.get(2..);
            }
            found.flags.push(flag);
        }
        found
    }

    /// The same for a tool whose options are words after one dash, so that letters are never several.
    pub(super) fn unclustered(self) -> Self {
        Self { clusters: false, ..self }
    }

    /// Whether the option `wanted` is there: `--name`, `--name=value`, `-Dname=value`, a glob (`-S*`), or the letter of a
    /// cluster (`-y` in `-qy`).
    pub(super) fn option(&self, wanted: &str) -> bool {
        self.find(wanted).is_some()
    }

    /// The first option that [`Arguments::option`] finds.
    pub(super) fn find(&self, wanted: &str) -> Option<&Flag<'s>> {
        if !wanted.starts_with('-') {
            return None;
        }
        let letter = wanted.strip_prefix('-').filter(|letter| self.clusters && letter.len() == 1);
        self.flags.iter().find(|flag| {
            let exact = match wanted.split_once('=') {
                Some((name, value)) => {
                    flag.name == name && flag.value.is_some_and(|own| super::phrase::glob(value, own))
                }
                None => flag.name == wanted,
            };
            let glob = || wanted.contains('*') && super::phrase::glob(wanted, &flag.word.text);
            let cluster = || {
                let short = flag.name.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
                let letters = short.filter(|rest| flag.value.is_none() && is_cluster(rest));
                letter.is_some_and(|letter| letters.is_some_and(|letters| letters.contains(letter)))
            };
            exact || glob() || cluster()
        })
    }

    /// The value of the option that a path asks for: `--cache-dir`, `-Dmaven.repo.local`, or with the start of its value
    /// `-o Dir::Cache=`, `--setopt=cachedir=`.
    pub(super) fn value_of(&self, option: &str) -> Option<Result<&'s str, ()>> {
        let (name, prefix) = option.split_once([' ', '=']).unwrap_or((option, ""));
        self.value(name, prefix)
    }

    /// The value of the last option `name` whose value starts with `prefix`, without it; `Err` where it is not known.
    pub(super) fn value(&self, name: &str, prefix: &str) -> Option<Result<&'s str, ()>> {
        self.flags.iter().rev().filter(|flag| flag.name == name).find_map(|flag| {
            let (value, literal) = match flag.value {
                Some(value) => (value, flag.literal),
                // An option that the tool's data does not list as valued: the next word is its value.
                None => {
                    let next = self.all.get(flag.index + 1).filter(|next| !next.text.starts_with('-'))?;
                    (&*next.text, next.literal)
                }
            };
            let value = value.strip_prefix(prefix)?;
            Some(if literal { Ok(value) } else { Err(()) })
        })
    }
}

/// Letters that can be short options written together.
fn is_cluster(rest: &str) -> bool {
    rest.len() <= 6 && rest.bytes().all(|byte| byte.is_ascii_alphabetic())
}
