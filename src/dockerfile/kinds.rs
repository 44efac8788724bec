//! The typed views: what each instruction makes of its flags and arguments (`parser/line_parsers.go`,
//! `instructions/parse.go`).

mod copy;
mod health;
mod pairs;
mod run;

use super::flags::{self, Takes};
use super::instruction::{self, Context, problem, quote};
use super::json::{self, Array};
use super::words::{self, blank_separated};
use super::{Command, Flag, From, Keyword, Kind, Mount, Problem, Word};
use crate::source::{Joined, Span};
use std::borrow::Cow;
use std::ops::Range;

/// Reads the arguments of one instruction.
pub(super) struct Decoder<'d, 'a> {
    pub(super) context: Context<'a>,
    pub(super) keyword: Keyword,
    pub(super) args: &'d Joined<'a>,
    pub(super) flags: &'d [Flag<'a>],
    /// The mounts among the flags, if it is a RUN.
    pub(super) mounts: Vec<Mount<'a>>,
    /// Where a problem of the arguments is shown.
    pub(super) place: Span,
    pub(super) problems: &'d mut Vec<Problem>,
    /// The first problem that BuildKit's line parser has.
    pub(super) by_parser: &'d mut Option<Problem>,
    /// Whether there may be heredocs; set for what its keyword allows.
    pub(super) heredocs: &'d mut bool,
    /// The instruction is held by an ONBUILD.
    pub(super) trigger: bool,
}

/// Arguments that may be a JSON array.
enum Args<'a> {
    Json(Vec<Word<'a>>),
    Text,
    /// Refused; the problem is noted.
    Refused,
}

impl<'a> Decoder<'_, 'a> {
    pub(super) fn decode(mut self) -> Kind<'a> {
        match self.keyword {
            Keyword::From => self.check_flags(&[("platform", Takes::Text)]),
            Keyword::Run => self.check_flags(run::FLAGS),
            Keyword::Copy => self.check_flags(copy::COPY_FLAGS),
            Keyword::Add => self.check_flags(copy::ADD_FLAGS),
            // BuildKit does not look at the flags of ARG, STOPSIGNAL and HEALTHCHECK NONE.
            Keyword::Arg | Keyword::Stopsignal | Keyword::Healthcheck => {}
            _ => self.check_flags(&[]),
        }
        match self.keyword {
            Keyword::From => self.from(),
            Keyword::Run => self.run(),
            Keyword::Add | Keyword::Copy => self.copy(),
            Keyword::Env => self.pairs().map_or(Kind::Invalid, Kind::Env),
            Keyword::Label => self.pairs().map_or(Kind::Invalid, Kind::Label),
            Keyword::Arg => self.arg(),
            Keyword::Workdir => self.text().map_or(Kind::Invalid, Kind::Workdir),
            Keyword::User => self.text().map_or(Kind::Invalid, Kind::User),
            Keyword::Stopsignal => self.text().map_or(Kind::Invalid, Kind::Stopsignal),
            Keyword::Maintainer => self.text().map_or(Kind::Invalid, Kind::Maintainer),
            Keyword::Shell => self.shell(),
            Keyword::Cmd => self.command().map_or(Kind::Invalid, Kind::Cmd),
            Keyword::Entrypoint => self.command().map_or(Kind::Invalid, Kind::Entrypoint),
            Keyword::Expose => {
                self.at_least_one(|decoder| Args::Json(decoder.fields())).map_or(Kind::Invalid, Kind::Expose)
            }
            Keyword::Volume => self.volume(),
            Keyword::Healthcheck => self.healthcheck(),
            Keyword::Onbuild => self.onbuild(),
        }
    }

    fn refuse(&mut self, message: impl Into<Cow<'static, str>>) {
        self.problems.push(problem(self.place, message));
    }

    /// Notes what BuildKit's line parser refuses.
    fn refuse_line(&mut self, span: Span, message: impl Into<Cow<'static, str>>) {
        let problem = problem(span, message);
        self.by_parser.get_or_insert_with(|| problem.clone());
        self.problems.push(problem);
    }

    /// Checks the flags against what the instruction takes.
    fn check_flags(&mut self, known: &[(&str, Takes)]) {
        if !self.flags.is_empty() {
            flags::check(self.flags, known, self.problems);
        }
    }

    fn word(&self, range: Range<usize>) -> Word<'a> {
        let span = self.args.span(range.start, range.end);
        Word { text: self.args.part(self.context.source, range), span }
    }

    /// The arguments, split at blanks.
    fn fields(&self) -> Vec<Word<'a>> {
        blank_separated(&self.args.text).map(|range| self.word(range)).collect()
    }

    /// The part of the arguments from byte `from` on, as a JSON array if it is one.
    fn json(&mut self, from: usize) -> Args<'a> {
        let array = json::array(self.args.text.get(from..).unwrap_or(""));
        *self.heredocs &= matches!(array, Array::No);
        match array {
            Array::Strings(strings) => Args::Json(
                strings
                    .into_iter()
                    .map(|string| {
                        let mut word = self.word(string.content.start + from..string.content.end + from);
                        if let Some(decoded) = string.decoded {
                            word.text = Cow::Owned(decoded);
                        }
                        word
                    })
                    .collect(),
            ),
            Array::Mixed => {
                self.refuse_line(
                    self.place,
                    "when using JSON array syntax, arrays must be comprised of strings only",
                );
                Args::Refused
            }
            Array::No => Args::Text,
        }
    }

    /// RUN, CMD, ENTRYPOINT: a JSON array or a text for the shell.
    fn command(&mut self) -> Option<Command<'a>> {
        match self.json(0) {
            Args::Json(words) => Some(Command::Exec(words)),
            Args::Text => Some(Command::Shell(self.args.clone())),
            Args::Refused => None,
        }
    }

    /// The whole arguments as one word.
    fn text(&mut self) -> Option<Word<'a>> {
        if self.args.text.is_empty() {
            self.refuse(format!("{} requires exactly one argument", self.keyword.name()));
            return None;
        }
        Some(self.word(0..self.args.text.len()))
    }

    fn at_least_one(&mut self, read: impl FnOnce(&mut Self) -> Args<'a>) -> Option<Vec<Word<'a>>> {
        match read(self) {
            Args::Json(words) if words.is_empty() => {
                self.refuse(format!("{} requires at least one argument", self.keyword.name()));
                None
            }
            Args::Json(words) => Some(words),
            Args::Text => Some(self.fields()),
            Args::Refused => None,
        }
    }

    fn from(&mut self) -> Kind<'a> {
        let mut fields = self.fields().into_iter();
        let Some(image) = fields.next() else {
            self.refuse("FROM requires either one or three arguments");
            return Kind::Invalid;
        };
        let keyword = fields.next();
        let named = keyword.as_ref().is_some_and(|word| word.text.eq_ignore_ascii_case("as"));
        let name = fields.next().filter(|_| named);
        if (keyword.is_some() && name.is_none()) || fields.next().is_some() {
            self.refuse("FROM requires either one or three arguments");
        } else if let Some(name) = name.as_ref().filter(|name| !is_stage_name(&name.text)) {
            let message = format!(
                "invalid name for build stage: {}, name can't start with a number or contain symbols",
                quote(&name.text)
            );
            self.problems.push(problem(name.span, message));
        }
        Kind::From(From { image, name, platform: flags::text(self.flags, "platform") })
    }

    fn shell(&mut self) -> Kind<'a> {
        match self.json(0) {
            Args::Json(words) if !words.is_empty() => return Kind::Shell(words),
            Args::Text if !self.args.text.is_empty() => {
                self.refuse("SHELL requires the arguments to be in JSON form")
            }
            Args::Refused => {}
            Args::Json(_) | Args::Text => self.refuse("SHELL requires at least one argument"),
        }
        Kind::Invalid
    }

    fn volume(&mut self) -> Kind<'a> {
        let read = |decoder: &mut Self| match decoder.json(0) {
            Args::Text => Args::Json(decoder.fields()),
            args => args,
        };
        let Some(words) = self.at_least_one(read) else { return Kind::Invalid };
        for word in &words {
            if word.text.trim().is_empty() {
                self.problems.push(problem(word.span, "VOLUME specified can not be an empty string"));
            }
        }
        Kind::Volume(words)
    }

    fn onbuild(&mut self) -> Kind<'a> {
        if self.args.text.is_empty() {
            self.refuse("ONBUILD requires at least one argument");
            return Kind::Invalid;
        }
        let (end, _) = words::cut(&self.args.text, 0);
        let trigger = self.word(0..end);
        let keyword = Keyword::read(&trigger.text);
        if self.trigger || keyword == Some(Keyword::Onbuild) {
            self.refuse("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
            return Kind::Invalid;
        }
        if let Some(Keyword::Maintainer | Keyword::From) = keyword {
            self.refuse(format!("{} isn't allowed as an ONBUILD trigger", trigger.text.to_ascii_uppercase()));
        }
        // BuildKit reads the trigger when a child is built; only what its line parser refuses is refused here too. The
        // problems that a child will have stay with the trigger.
        match instruction::read(self.context, self.args.clone(), true) {
            Ok(read) => {
                self.problems.extend(read.by_parser);
                *self.heredocs = read.announced.is_some();
                Kind::Onbuild(read.instruction)
            }
            Err(_) => Kind::Invalid,
        }
    }
}

/// `^[a-z][a-z0-9-_.]*$` on the name in lower case.
fn is_stage_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}
