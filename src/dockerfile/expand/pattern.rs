//! The shell patterns of `${v#p}`, `${v%p}` and `${v/p/r}`: `?` one character, `*` any number, neither a newline.
//!
//! BuildKit turns a pattern into a regular expression; what that finds (leftmost, then the longest or the shortest) is
//! found here by looking for the stretches between the stars, in linear time.

use super::ExpandError;

/// Characters of value times pattern beyond which a match is refused.
const MAX_WORK: usize = 1 << 22;

/// A character of a pattern, or any one but a newline.
#[derive(Clone, Copy, PartialEq, Eq)]
enum One {
    Char(char),
    Any,
}

impl One {
    fn takes(self, c: char) -> bool {
        match self {
            Self::Char(own) => own == c,
            Self::Any => c != '\n',
        }
    }
}

/// A pattern: stretches with a star between each two.
struct Pattern {
    stretches: Vec<Vec<One>>,
    greedy: bool,
}

impl Pattern {
    fn new(text: &str, greedy: bool) -> Result<Self, ExpandError> {
        let mut stretches = vec![Vec::new()];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let one = match c {
                '*' => {
                    stretches.push(Vec::new());
                    continue;
                }
                '?' => One::Any,
                // `\}` and `\/` are escaped for the sake of `${…}`, the pattern holds the bare character.
                '\\' if matches!(chars.peek(), Some('}' | '/')) => continue,
                '\\' => match chars.next() {
                    Some(c @ ('*' | '?' | '\\')) => One::Char(c),
                    c => {
                        let reason =
                            format!("invalid escape '\\{}'", c.unwrap_or(char::REPLACEMENT_CHARACTER));
                        return Err(ExpandError::Pattern { pattern: text.to_owned(), reason });
                    }
                },
                c => One::Char(c),
            };
            if let Some(last) = stretches.last_mut() {
                last.push(one);
            }
        }
        Ok(Self { stretches, greedy })
    }

    fn check_work(&self, value: &[char]) -> Result<(), ExpandError> {
        let len: usize = self.stretches.iter().map(|stretch| stretch.len() + 1).sum();
        if len.saturating_mul(value.len()) > MAX_WORK { Err(ExpandError::TooLong) } else { Ok(()) }
    }

    /// Where a match that begins at `start` ends. `Err` is the place up to which no other start can match either.
    fn end_of_match(&self, value: &[char], start: usize) -> Result<usize, usize> {
        let Some((first, rest)) = self.stretches.split_first() else { return Ok(start) };
        if !starts_with(value, start, first) {
            return Err(start);
        }
        let mut at = start + first.len();
        for (index, stretch) in rest.iter().enumerate() {
            let line_end = line_end(value, at);
            let starts = at..=line_end;
            let last = index + 1 == rest.len();
            let found = if last && self.greedy {
                starts.rev().find(|start| starts_with(value, *start, stretch))
            } else {
                starts.into_iter().find(|start| starts_with(value, *start, stretch))
            };
            at = found.ok_or(line_end)? + stretch.len();
        }
        Ok(at)
    }

    /// The leftmost match at or after `from`.
    fn find(&self, value: &[char], from: usize) -> Option<(usize, usize)> {
        let mut start = from;
        while start <= value.len() {
            match self.end_of_match(value, start) {
                Ok(end) => return Some((start, end)),
                Err(until) => start = until.max(start) + 1,
            }
        }
        None
    }
}

fn starts_with(value: &[char], at: usize, stretch: &[One]) -> bool {
    let window = value.get(at..at.saturating_add(stretch.len()));
    window.is_some_and(|window| window.iter().zip(stretch).all(|(c, one)| one.takes(*c)))
}

fn line_end(value: &[char], from: usize) -> usize {
    let newline = value.get(from..).and_then(|rest| rest.iter().position(|c| *c == '\n'));
    newline.map_or(value.len(), |len| from + len)
}

/// `${v#p}` (`greedy`: `${v##p}`).
pub(super) fn trim_prefix(pattern: &str, value: &str, greedy: bool) -> Result<String, ExpandError> {
    let pattern = Pattern::new(pattern, greedy)?;
    let value: Vec<char> = value.chars().collect();
    pattern.check_work(&value)?;
    let start = pattern.end_of_match(&value, 0).unwrap_or(0);
    Ok(value.iter().skip(start).collect())
}

/// `${v%p}` (`greedy`: `${v%%p}`): a prefix of the reversed value.
pub(super) fn trim_suffix(pattern: &str, value: &str, greedy: bool) -> Result<String, ExpandError> {
    let pattern = Pattern::new(&reverse(pattern), greedy)?;
    let value: Vec<char> = value.chars().rev().collect();
    pattern.check_work(&value)?;
    let start = pattern.end_of_match(&value, 0).unwrap_or(0);
    Ok(value.iter().skip(start).rev().collect())
}

/// `pattern` reversed, escapes staying before what they escape (`reversePattern`).
fn reverse(pattern: &str) -> String {
    let mut reversed = Vec::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            reversed.extend(chars.next());
        }
        reversed.push(c);
    }
    reversed.iter().rev().collect()
}

/// `${v/p/r}` (`all`: `${v//p/r}`).
pub(super) fn replace(
    pattern: &str,
    value: &str,
    replacement: &str,
    all: bool,
) -> Result<String, ExpandError> {
    let pattern = Pattern::new(pattern, true)?;
    let chars: Vec<char> = value.chars().collect();
    pattern.check_work(&chars)?;
    let text = |from: usize, to: usize| chars.get(from..to).unwrap_or(&[]).iter();
    let mut result = String::with_capacity(value.len());
    let mut copied = 0;
    let mut from = 0;
    // The loop of Go's `Regexp.replaceAll`: an empty match right after another match is not replaced.
    while let Some((start, end)) = pattern.find(&chars, from) {
        result.extend(text(copied, start));
        if !all {
            result.push_str(replacement);
            copied = end;
            break;
        }
        if end > copied || start == 0 {
            let matched: String = text(start, end).collect();
            push_template(&mut result, replacement, &matched);
        }
        copied = end;
        from = end.max(from + 1);
        if result.len() > value.len() + super::MAX_GROWTH {
            return Err(ExpandError::TooLong);
        }
    }
    result.extend(text(copied, chars.len()));
    Ok(result)
}

/// Go's `Regexp.Expand` for an expression without groups: `$0` is the match, `$$` a dollar, other names are empty.
fn push_template(result: &mut String, template: &str, matched: &str) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            result.push('$');
            rest = after;
            continue;
        }
        let braced = rest.strip_prefix('{');
        let name_on = braced.unwrap_or(rest);
        let len = name_on.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name_on.len());
        let (name, mut after) = name_on.split_at_checked(len).unwrap_or(("", name_on));
        if braced.is_some() {
            match after.strip_prefix('}') {
                Some(closed) => after = closed,
                None => {
                    result.push('$');
                    continue;
                }
            }
        }
        if name.is_empty() {
            result.push('$');
            continue;
        }
        if name == "0" {
            result.push_str(matched);
        }
        rest = after;
    }
    result.push_str(rest);
}
