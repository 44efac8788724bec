//! COPY and ADD.

use super::{Args, Decoder};
use crate::dockerfile::flags::{self, Takes};
use crate::dockerfile::instruction::problem;
use crate::dockerfile::{Copy, Keyword, Kind, heredoc};

pub(super) const COPY_FLAGS: &[(&str, Takes)] = &[
    ("chown", Takes::Text),
    ("from", Takes::Text),
    ("chmod", Takes::Text),
    ("link", Takes::Bool),
    ("exclude", Takes::Texts),
    ("parents", Takes::Bool),
];

pub(super) const ADD_FLAGS: &[(&str, Takes)] = &[
    ("chown", Takes::Text),
    ("chmod", Takes::Text),
    ("link", Takes::Bool),
    ("keep-git-dir", Takes::Bool),
    ("checksum", Takes::Text),
    ("unpack", Takes::Bool),
    ("exclude", Takes::Texts),
];

impl<'a> Decoder<'_, 'a> {
    pub(super) fn copy(&mut self) -> Kind<'a> {
        let (mut words, json) = match self.json(0) {
            Args::Json(words) => (words, true),
            Args::Text => (self.fields(), false),
            Args::Refused => return Kind::Invalid,
        };
        let name = self.keyword.name();
        if words.len() < 2 {
            self.refuse(format!(
                "{name} requires at least two arguments, but only one was provided. Destination could not be determined"
            ));
            return Kind::Invalid;
        }
        let dest = words.pop().unwrap_or_default();
        let is_heredoc = |text: &str| matches!(heredoc::marker(text), Ok(Some(_)));
        if is_heredoc(&dest.text) {
            self.problems
                .push(problem(dest.span, format!("{name} cannot accept a heredoc as a destination")));
        }
        words.retain(|word| !is_heredoc(&word.text));
        let copy = self.keyword == Keyword::Copy;
        let flags = self.flags;
        Kind::Copy(Copy {
            sources: words,
            dest,
            json,
            from: flags::text(flags, "from").filter(|_| copy),
            chown: flags::text(flags, "chown"),
            chmod: flags::text(flags, "chmod"),
            link: flags::boolean(flags, "link").unwrap_or(false),
            parents: copy && flags::boolean(flags, "parents").unwrap_or(false),
            exclude: flags::texts(flags, "exclude").collect(),
            checksum: flags::text(flags, "checksum").filter(|_| !copy),
            keep_git_dir: flags::boolean(flags, "keep-git-dir").filter(|_| !copy),
            unpack: flags::boolean(flags, "unpack").filter(|_| !copy),
        })
    }
}
