//! Simple commands: assignments, words and redirections.

use super::expand::Arg;
use super::lex::{Context, Mode, Parser, Pending, Raw, Stop};
use super::run::Run;
use super::{Assignment, Link, Redirect, Word, heredoc};
use std::borrow::Cow;

impl<'a> Parser<'_, 'a, '_> {
    /// Reads one simple command, or the head of a function.
    pub(super) fn simple(&mut self, link: Link, context: Context) -> Result<(), Stop> {
        let start = self.pos;
        self.words(link, context).map_err(|Stop(at)| Stop(at.min(start)))
    }

    fn words(&mut self, link: Link, context: Context) -> Result<(), Stop> {
        let start = self.pos;
        let mut run = Run::new(link, context);
        run.args = std::mem::take(&mut self.state.spare);
        let mut end = start;
        loop {
            self.blanks();
            if self.redirect(&mut run, context)? {
                end = self.pos;
                continue;
            }
            let Some(raw) = self.word(context, Mode::Command)? else { break };
            end = self.pos;
            let bracket = self.byte() == Some(b'(');
            let assigned = if run.args.is_empty() || bracket { self.assignment(&raw) } else { None };
            if bracket {
                if assigned.is_some() && raw.end == self.pos {
                    end = self.array(context)?;
                } else if run.args.is_empty() && run.env.is_empty() && !raw.quoted {
                    return self.head(&raw, context);
                } else {
                    return Err(Stop(start));
                }
            }
            match assigned {
                Some((name, value)) if run.args.is_empty() => {
                    let name = self.slice(raw.start, name);
                    let array = end != raw.end;
                    let appends = self.bytes.get(value.wrapping_sub(2)) == Some(&b'+');
                    let mut value = self.whole(self.tail(raw, value)).word;
                    if array || appends {
                        value.literal = false;
                    }
                    run.env.push(Assignment { name, value, persistent: false });
                }
                _ => {
                    if run.args.is_empty() && self.function_follows() {
                        return self.head(&raw, context);
                    }
                    self.fields(raw, &mut run.args);
                }
            }
        }
        if end == start {
            return Err(Stop(start));
        }
        run.span = self.span(start, end);
        self.run(run);
        Ok(())
    }

    /// Whether `()` follows after blanks.
    fn function_follows(&self) -> bool {
        let rest = self.rest().trim_ascii_start();
        rest.strip_prefix(b"(").is_some_and(|rest| rest.trim_ascii_start().starts_with(b")"))
    }

    /// The rest of a function's head, `()`, and its body.
    fn head(&mut self, name: &Raw<'a>, context: Context) -> Result<(), Stop> {
        self.blanks();
        if self.byte() != Some(b'(') {
            return Err(Stop(name.start));
        }
        self.pos += 1;
        self.blanks();
        if self.byte() != Some(b')') {
            return Err(Stop(name.start));
        }
        self.pos += 1;
        self.function(name, context)
    }

    /// For `NAME=…` and `NAME+=…` where the name ends and where the value starts.
    fn assignment(&self, raw: &Raw<'a>) -> Option<(usize, usize)> {
        let text = self.bytes.get(raw.start..raw.end)?;
        let length = text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        if length == 0 || text.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        let equals = match text.get(length..)? {
            [b'=', ..] => length,
            [b'+', b'=', ..] => length + 1,
            _ => return None,
        };
        Some((raw.start + length, raw.start + equals + 1))
    }

    /// The part of a word from `at` on, where its first stretch is unquoted up to there.
    fn tail(&self, mut raw: Raw<'a>, at: usize) -> Raw<'a> {
        use super::lex::Part;
        raw.start = at;
        if let Some(Part::Literal { start, end, .. }) = raw.parts.first_mut() {
            *start = at.min(*end);
            if start == end {
                raw.parts.remove(0);
                if raw.parts.is_empty() {
                    raw.parts.push(Part::Literal { start: at, end: at, quoted: raw.quoted });
                }
            }
        }
        raw
    }

    /// `(a b c)` of an array; `pos` is at the bracket. Gives its end.
    fn array(&mut self, context: Context) -> Result<usize, Stop> {
        let start = self.pos;
        self.pos += 1;
        loop {
            self.blanks();
            match self.byte() {
                Some(b'\n') => self.pos += 1,
                Some(b')') => {
                    self.pos += 1;
                    return Ok(self.pos);
                }
                _ => {
                    self.word(context, Mode::Command)?.ok_or(Stop(start))?;
                }
            }
        }
    }

    /// Reads what may follow a compound command; its targets are not recorded.
    pub(super) fn redirects_only(&mut self, context: Context) -> Result<(), Stop> {
        let mut run = Run::new(Link::Then, context);
        loop {
            self.blanks();
            if !self.redirect(&mut run, context)? {
                self.pending.extend(run.heredocs.into_iter().map(|(_, pending)| pending));
                return Ok(());
            }
        }
    }

    /// Reads one redirection, if one stands here. Before most words none can.
    fn redirect(&mut self, run: &mut Run<'a>, context: Context) -> Result<bool, Stop> {
        let may_begin = matches!(self.byte(), Some(b'&' | b'<' | b'>' | b'0'..=b'9'));
        Ok(may_begin && self.redirection(run, context)?)
    }

    fn redirection(&mut self, run: &mut Run<'a>, context: Context) -> Result<bool, Stop> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = self.rest().get(digits..).unwrap_or(&[]);
        if matches!(rest, [b'<' | b'>', b'(', ..]) || digits > 0 && rest.first() == Some(&b'&') {
            return Ok(false);
        }
        let Some(operator) = operator(rest) else { return Ok(false) };
        let start = self.pos;
        self.pos += digits + operator.len();
        let after = self.pos;
        self.blanks();
        let raw = self.word(context, Mode::Command)?.ok_or(Stop(start))?;
        let heredoc = matches!(operator, b"<<" | b"<<-");
        let mut redirect =
            Redirect { operator: self.slice(start, after), target: Word::default(), body: None };
        if !heredoc {
            let arg = self.whole(raw);
            redirect.target = arg.word.clone();
            if operator == b"<<<" {
                run.string = Some(Box::new(arg));
            }
            run.redirects.push(redirect);
            return Ok(true);
        }
        let (expand, end) = (!raw.quoted, raw.end);
        let text = super::text::inner(self.options.source, self.text, &raw.parts).text.text;
        let text = if raw.parts.is_empty() { self.slice(raw.start, raw.end) } else { text };
        redirect.target = Word {
            text: text.clone(),
            span: self.span(raw.start, end),
            literal: true,
            glob: false,
            quoted: !expand,
        };
        if let Some(found) = heredoc::at(self.heredocs, self.span(start, end)) {
            redirect.body = Some(found.body);
        } else {
            let chomp = operator == b"<<-";
            let pending = Pending { delimiter: text, chomp, expand, place: None, script: None };
            run.heredocs.push((run.redirects.len(), pending));
        }
        run.redirects.push(redirect);
        Ok(true)
    }

    /// Records words that are a command of their own kind (`[[ ]]`, `(( ))`).
    pub(super) fn bare_words(&mut self, words: Vec<Raw<'a>>, link: Link, context: Context) {
        let mut run = Run::new(link, context);
        let start = words.first().map_or(self.pos, |raw| raw.start);
        run.span = self.span(start, words.last().map_or(start, |raw| raw.end));
        run.args = words.into_iter().map(|raw| self.whole(raw)).collect();
        self.record(run, None);
    }

    pub(super) fn bare(&mut self, raw: Raw<'a>, link: Link, context: Context) {
        let span = self.span(raw.start, raw.end);
        let text: Cow<'a, str> = self.slice(raw.start, raw.end);
        let mut run = Run::new(link, context);
        run.span = span;
        run.args.push(Arg { word: Word { text, span, ..Word::default() }, ..Arg::default() });
        self.record(run, None);
    }
}

/// The redirection that a text begins with, without its descriptor.
fn operator(text: &[u8]) -> Option<&[u8]> {
    let length = match text {
        [b'&', b'>', b'>', ..] | [b'<', b'<', b'<' | b'-', ..] => 3,
        [b'&', b'>', ..] | [b'<', b'<' | b'&' | b'>', ..] | [b'>', b'>' | b'|' | b'&', ..] => 2,
        [b'<' | b'>', ..] => 1,
        _ => return None,
    };
    text.get(..length)
}
