//! The expansions of all the languages in which builds are written, found in one pass.

/// A stretch of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Literal text.
    Text(&'a str),
    /// `$X`, `${X}`, `${X:-default}`, `${X-default}`.
    Var {
        /// As written.
        raw: &'a str,
        /// The name; `ARGS[@]` for an array.
        name: &'a str,
        /// What stands for it when it is not set.
        default: Option<&'a str>,
    },
    /// `${{ … }}` (GitHub), `$[[ … ]]` (GitLab inputs), `{{ … }}` (just, Task, Go templates), `<< … >>` (CircleCI).
    Expression {
        /// As written.
        raw: &'a str,
        /// What stands between the brackets.
        inner: &'a str,
    },
    /// `$( … )`, backticks; `$(NAME)` of Make and Azure Pipelines.
    Command {
        /// As written.
        raw: &'a str,
        /// What stands between the parentheses.
        inner: &'a str,
    },
    /// `${X:+then}`, `${X+then}`.
    Alternative {
        /// As written.
        raw: &'a str,
        /// The name.
        name: &'a str,
        /// What stands there when it is set.
        then: &'a str,
    },
    /// `${X#…}`, `${X/a/b}`, `$((…))` and the like.
    Opaque {
        /// As written.
        raw: &'a str,
    },
}

impl<'a> Piece<'a> {
    /// As written.
    pub(crate) fn raw(self) -> &'a str {
        match self {
            Self::Text(raw)
            | Self::Var { raw, .. }
            | Self::Expression { raw, .. }
            | Self::Command { raw, .. }
            | Self::Alternative { raw, .. }
            | Self::Opaque { raw } => raw,
        }
    }
}

/// The pieces of `text`, which concatenate to it.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let piece = match expansion(rest) {
            Some(piece) => piece,
            None => Piece::Text(literal(rest)),
        };
        at += piece.raw().len();
        Some(piece)
    })
}

/// The text up to the next expansion; at least one character.
fn literal(rest: &str) -> &str {
    let mut from = if rest.starts_with("$$") { 2 } else { rest.chars().next().map_or(0, char::len_utf8) };
    loop {
        let Some(tail) = rest.get(from..) else { return rest };
        let Some(found) = memchr::memchr3(b'$', b'`', b'{', tail.as_bytes()) else {
            return angle(rest, rest.len());
        };
        let start = from + found;
        let Some(tail) = rest.get(start..) else { return rest };
        if tail.starts_with("$$") {
            from = start + 2;
            continue;
        }
        if expansion(tail).is_some() {
            return angle(rest, start);
        }
        from = start + 1;
    }
}

/// The text up to `end` or to a `<< … >>` before it.
fn angle(rest: &str, end: usize) -> &str {
    let part = rest.get(..end).unwrap_or(rest);
    match part.get(1..).and_then(|tail| tail.find("<<")).map(|at| at + 1) {
        Some(at) if part.get(at..).is_some_and(|tail| angles(tail).is_some()) => {
            part.get(..at).unwrap_or(part)
        }
        _ => part,
    }
}

fn angles(rest: &str) -> Option<Piece<'_>> {
    let inner = rest.strip_prefix("<<")?;
    let end = find_near(inner, ">>")?;
    let inner = inner.get(..end)?;
    let named = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '.' | '_' | '-' | ' ');
    if !inner.chars().all(named) || !inner.contains('.') {
        return None;
    }
    Some(Piece::Expression { raw: rest.get(..end + 4)?, inner })
}

/// The expansion that `rest` starts with.
fn expansion(rest: &str) -> Option<Piece<'_>> {
    let bytes = rest.as_bytes();
    match bytes.first()? {
        b'`' => {
            let end = rest.get(1..)?.find('`')? + 1;
            Some(Piece::Command { raw: rest.get(..=end)?, inner: rest.get(1..end)? })
        }
        b'{' if bytes.get(1) == Some(&b'{') => {
            let end = find_near(rest, "}}")?;
            Some(Piece::Expression { raw: rest.get(..end + 2)?, inner: rest.get(2..end)? })
        }
        b'<' => angles(rest),
        b'$' => dollar(rest),
        _ => None,
    }
}

fn dollar(rest: &str) -> Option<Piece<'_>> {
    let after = rest.get(1..)?;
    match after.as_bytes().first()? {
        b'{' if after.starts_with("{{") => {
            let end = find_near(rest, "}}")?;
            Some(Piece::Expression { raw: rest.get(..end + 2)?, inner: rest.get(3..end)? })
        }
        b'[' if after.starts_with("[[") => {
            let end = find_near(rest, "]]")?;
            Some(Piece::Expression { raw: rest.get(..end + 2)?, inner: rest.get(3..end)? })
        }
        b'{' => {
            let end = closing(rest, 1, b'{', b'}')?;
            Some(braced(rest.get(..=end)?, rest.get(2..end)?))
        }
        b'(' if after.starts_with("((") => {
            let end = closing(rest, 1, b'(', b')')?;
            Some(Piece::Opaque { raw: rest.get(..=end)? })
        }
        b'(' => {
            let end = closing(rest, 1, b'(', b')')?;
            Some(Piece::Command { raw: rest.get(..=end)?, inner: rest.get(2..end)?.trim() })
        }
        b'0'..=b'9' | b'@' | b'*' | b'#' | b'?' | b'!' => {
            Some(Piece::Var { raw: rest.get(..2)?, name: rest.get(1..2)?, default: None })
        }
        // `$$` is an escaped dollar in Make, Compose, Cloud Build, and a process number in a shell: nothing is known.
        b'$' => None,
        _ => {
            let name = identifier(after);
            let raw = rest.get(..=name.len())?;
            (!name.is_empty()).then_some(Piece::Var { raw, name, default: None })
        }
    }
}

fn braced<'a>(raw: &'a str, inner: &'a str) -> Piece<'a> {
    let inner_name = inner.strip_prefix("env:").unwrap_or(inner);
    let mut name = identifier(inner_name);
    if name.is_empty() && inner.len() == 1 {
        name = inner;
    }
    let mut tail = inner_name.get(name.len()..).unwrap_or("");
    for array in ["[@]", "[*]"] {
        if let Some(rest) = tail.strip_prefix(array) {
            name = inner_name.get(..name.len() + array.len()).unwrap_or(name);
            tail = rest;
        }
    }
    // The name of a substitution of Cloud Build, of a bake variable, of a dotted name (`${project.version}`).
    let dotted =
        tail.starts_with('.') && inner.chars().all(|ch| ch.is_ascii_alphanumeric() || "._-".contains(ch));
    if dotted {
        return Piece::Var { raw, name: inner_name, default: None };
    }
    let default = tail.strip_prefix(":-").or_else(|| tail.strip_prefix('-'));
    let assigned = tail.strip_prefix(":=").or_else(|| tail.strip_prefix('='));
    let alternative = tail.strip_prefix(":+").or_else(|| tail.strip_prefix('+'));
    if let (Some(then), false) = (alternative, name.is_empty()) {
        // `${ARGS[@]+"${ARGS[@]}"}` guards an array against `set -u`.
        let itself = then.trim_matches('"');
        if name.ends_with(']') && itself.len() > 3 && itself.get(2..itself.len() - 1) == Some(name) {
            return Piece::Var { raw, name, default: None };
        }
        return Piece::Alternative { raw, name, then };
    }
    match default.or(assigned) {
        Some(default) if !name.is_empty() => {
            let default = default.trim_matches('"');
            Piece::Var { raw, name, default: Some(default) }
        }
        None if !name.is_empty() && (tail.is_empty() || tail.starts_with(":?") || tail.starts_with('?')) => {
            Piece::Var { raw, name, default: None }
        }
        _ => Piece::Opaque { raw },
    }
}

fn identifier(text: &str) -> &str {
    let end = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let name = text.get(..end).unwrap_or("");
    if name.starts_with(|ch: char| ch.is_ascii_digit()) { name.get(..1).unwrap_or("") } else { name }
}

/// How far the end of an expansion is looked for, so that many unclosed brackets stay linear.
const REACH: usize = 1024;

fn find_near(text: &str, needle: &str) -> Option<usize> {
    let near = text.as_bytes().get(..REACH.min(text.len()))?;
    near.windows(needle.len()).position(|window| window == needle.as_bytes())
}

/// The offset of the bracket that closes the one at `open`, quotes respected.
fn closing(text: &str, open: usize, left: u8, right: u8) -> Option<usize> {
    let mut depth = 0_u32;
    let mut quote = 0_u8;
    for (at, byte) in text.bytes().enumerate().skip(open).take(REACH) {
        match byte {
            b'\'' | b'"' if quote == 0 => quote = byte,
            byte if byte == quote => quote = 0,
            _ if quote == b'\'' => {}
            byte if byte == left => depth += 1,
            byte if byte == right => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// The text in one spelling of its expansions.
pub(super) fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Var { name, default: None, .. } => out.extend(["${", name, "}"]),
            Piece::Expression { raw, inner } => {
                let open = raw.len().saturating_sub(inner.len() + 2);
                out.push_str(raw.get(..open).unwrap_or(""));
                out.extend([" ", inner.trim(), " "]);
                out.push_str(raw.get(raw.len().saturating_sub(2)..).unwrap_or(""));
            }
            other => out.push_str(other.raw()),
        }
    }
    out
}
