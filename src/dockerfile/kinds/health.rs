//! HEALTHCHECK.

use super::{Args, Decoder};
use crate::dockerfile::flags::Takes;
use crate::dockerfile::{Command, Kind};

pub(super) const FLAGS: &[(&str, Takes)] = &[
    ("interval", Takes::Text),
    ("timeout", Takes::Text),
    ("start-period", Takes::Text),
    ("start-interval", Takes::Text),
    ("retries", Takes::Text),
];

impl<'a> Decoder<'_, 'a> {
    pub(super) fn healthcheck(&mut self) -> Kind<'a> {
        let text = self.args.text.as_ref();
        if text.is_empty() {
            self.refuse("HEALTHCHECK requires at least one argument");
            return Kind::Invalid;
        }
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (kind, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let start = text.len() - rest.trim_start().len();
        if kind.eq_ignore_ascii_case("NONE") {
            if start < text.len() {
                self.refuse("HEALTHCHECK NONE takes no arguments");
            }
            return Kind::Healthcheck(None);
        }
        if !kind.eq_ignore_ascii_case("CMD") {
            self.refuse(format!("Unknown type {:?} in HEALTHCHECK (try CMD)", kind.to_uppercase()));
            return Kind::Invalid;
        }
        let missing = "Missing command after HEALTHCHECK CMD";
        match self.json(start) {
            Args::Json(words) if words.is_empty() => self.refuse(missing),
            Args::Json(words) => return Kind::Healthcheck(Some(Command::Exec(words))),
            Args::Text if start == text.len() => self.refuse(missing),
            Args::Text => {
                let text = self.args.slice(self.context.source, start..text.len());
                return Kind::Healthcheck(Some(Command::Shell(text)));
            }
            Args::Refused => {}
        }
        Kind::Invalid
    }
}
