//! Reading options off a command line the way pflag does.

mod programs;

pub(crate) use programs::*;

use crate::builds::{Arg, Placed};
use crate::source::Span;

/// What a program's options look like.
pub(crate) struct Flags {
    /// Long names of options that take a value, `name` or `name/s` with a short form.
    pub valued: &'static [&'static str],
    /// Long names of options that take none (`--x=false` is possible).
    pub bools: &'static [&'static str],
    /// Whether an option that is not listed takes the next word, if that does not begin with a dash.
    pub greedy: bool,
    /// Whether long options may have one dash (kaniko, Go's own `flag`).
    pub single_dash: bool,
}

/// An option as given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// Long name without dashes.
    pub name: String,
    /// Its value; `None` for a bare boolean.
    pub value: Option<Arg>,
    /// The option and its value, as far as they are written in one place.
    pub span: Span,
    /// Whether it is there only sometimes.
    pub conditional: bool,
}

impl Given {
    /// Whether a boolean option is on: given without a value, or with one that is not `false`.
    pub(crate) fn on(&self) -> bool {
        self.value.as_ref().is_none_or(|value| !matches!(value.text.text.as_str(), "false" | "0" | "f"))
    }
}

/// A command line taken apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parsed {
    /// Options in order.
    pub options: Vec<Given>,
    /// Everything else in order.
    pub positional: Vec<Arg>,
}

impl Parsed {
    /// The last option of this name: what pflag keeps of one that is given twice.
    pub(crate) fn last(&self, name: &str) -> Option<&Given> {
        self.options.iter().rev().find(|given| given.name == name)
    }

    /// All options of this name.
    pub(crate) fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p Given> {
        self.options.iter().filter(move |given| given.name == name)
    }

    /// The value of the last option of this name.
    pub(crate) fn value(&self, name: &str) -> Option<&Arg> {
        self.last(name)?.value.as_ref()
    }
}

impl Flags {
    /// Takes `args` apart. With `stop` everything from the first positional on is positional (a subcommand follows).
    pub(crate) fn parse(&self, args: &[Arg], stop: bool) -> Parsed {
        let mut parsed = Parsed::default();
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let text = arg.text.text.as_str();
            if text == "--" {
                parsed.positional.extend(rest.cloned());
                break;
            }
            if text.len() < 2 || !text.starts_with('-') {
                parsed.positional.push(arg.clone());
                if stop {
                    parsed.positional.extend(rest.cloned());
                    break;
                }
                continue;
            }
            if text.starts_with("--") || (self.single_dash && text.len() > 2) {
                let dashes = if text.starts_with("--") { 2 } else { 1 };
                let mut next = || rest.next();
                parsed.options.push(self.long(arg, dashes, &mut next));
            } else {
                self.short(arg, &mut rest, &mut parsed.options);
            }
        }
        parsed
    }

    fn long<'r>(&self, arg: &Arg, dashes: usize, next: &mut dyn FnMut() -> Option<&'r Arg>) -> Given {
        let text = arg.text.text.as_str();
        let (name, value) = match text.find('=') {
            Some(at) => (text.get(dashes..at).unwrap_or(""), Some(slice(arg, at + 1..text.len()))),
            None => (text.get(dashes..).unwrap_or(""), None),
        };
        // A one-letter option behind one dash.
        let name = self.long_name(name).unwrap_or(name).to_owned();
        let takes = value.is_none() && self.takes(&name);
        let value = if takes { next().cloned() } else { value };
        given(name, arg, value)
    }

    /// `-t x`, `-tx`, `-t=x`, `-qt x`.
    fn short<'r>(&self, arg: &Arg, rest: &mut impl Iterator<Item = &'r Arg>, out: &mut Vec<Given>) {
        let text = arg.text.text.as_str();
        for (at, letter) in text.char_indices().skip(1) {
            let after = at + letter.len_utf8();
            let long = self.valued.iter().find_map(|entry| match entry.split_once('/') {
                Some((long, short)) if short.starts_with(letter) => Some(long),
                _ => None,
            });
            if let Some(long) = long {
                let tail = text.get(after..).unwrap_or("");
                let value = match tail.strip_prefix('=') {
                    Some(_) => Some(slice(arg, after + 1..text.len())),
                    None if !tail.is_empty() => Some(slice(arg, after..text.len())),
                    None => rest.next().cloned(),
                };
                out.push(given(long.to_owned(), arg, value));
                return;
            }
            let long = self.bools.iter().find_map(|entry| match entry.split_once('/') {
                Some((long, short)) if short.starts_with(letter) => Some(long),
                _ => None,
            });
            let Some(long) = long else { return };
            out.push(given(long.to_owned(), arg, None));
        }
    }

    fn long_name(&self, name: &str) -> Option<&'static str> {
        if name.len() != 1 {
            return None;
        }
        self.valued.iter().chain(self.bools).find_map(|entry| match entry.split_once('/') {
            Some((long, short)) if short == name => Some(long),
            _ => None,
        })
    }

    fn takes(&self, name: &str) -> bool {
        let listed = |list: &[&str]| list.iter().any(|entry| entry.split('/').next() == Some(name));
        listed(self.valued) || (self.greedy && !listed(self.bools))
    }
}

fn slice(arg: &Arg, range: std::ops::Range<usize>) -> Arg {
    let text = if range.is_empty() { Placed::whole("", arg.text.full_span()) } else { arg.text.slice(range) };
    Arg { text, literal: arg.literal, conditional: arg.conditional }
}

fn given(name: String, arg: &Arg, value: Option<Arg>) -> Given {
    let own = arg.text.full_span();
    let span = match &value {
        Some(value) if value.text.full_span().start >= own.start => own.cover(value.text.full_span()),
        _ => own,
    };
    let conditional = arg.conditional || value.as_ref().is_some_and(|value| value.conditional);
    Given { name, value, span, conditional }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builds::Vars;

    fn parse(flags: &Flags, line: &str, stop: bool) -> (Vec<String>, Vec<String>) {
        let parsed = flags.parse(&Vars::default().words(&Placed::exact(line, 0)), stop);
        let option = |given: &Given| match &given.value {
            Some(value) => format!("{}={} @{}", given.name, value.text.text, given.span.of(line)),
            None => format!("{} @{}", given.name, given.span.of(line)),
        };
        let texts = parsed.positional.iter().map(|arg| arg.text.text.clone());
        (parsed.options.iter().map(option).collect(), texts.collect())
    }

    #[test]
    fn every_way_to_give_a_value() {
        let line = "-qt a --tag=b -tc -t=d --push=false --no-cache -f 'x y' . -- --z";
        let (options, positional) = parse(&BUILD, line, false);
        let expected = [
            "quiet @-qt",
            "tag=a @-qt a",
            "tag=b @--tag=b",
            "tag=c @-tc",
            "tag=d @-t=d",
            "push=false @--push=false",
            "no-cache @--no-cache",
            "file=x y @-f 'x y",
        ];
        assert_eq!(options, expected);
        assert_eq!(positional, [".", "--z"]);
    }

    #[test]
    fn a_subcommand_ends_the_options_before_it() {
        let (options, positional) = parse(&DOCKER, "-c ctx --debug buildx build -t x .", true);
        assert_eq!(options, ["context=ctx @-c ctx", "debug @--debug"]);
        assert_eq!(positional, ["buildx", "build", "-t", "x", "."]);
    }

    #[test]
    fn kaniko_takes_one_dash_and_bare_booleans() {
        let (options, positional) =
            parse(&KANIKO, "-context . --cache=true --no-push -d r --new-flag v", false);
        let expected = [
            "context=. @-context .",
            "cache=true @--cache=true",
            "no-push @--no-push",
            "destination=r @-d r",
            "new-flag=v @--new-flag v",
        ];
        assert_eq!(options, expected);
        assert!(positional.is_empty());
    }
}
