//! What libyaml and Go's parser take, many files have, and YAML 1.2 forbids: lines of a flow collection or of a quoted
//! scalar that are indented less than their parent (a `]` under the key that it closes), and `[-]`.

/// The text without what is wrong at character `at` on the 1-based `line`, as `message` says it. Character by character it
/// is as long as before. `None` where nothing of it is known.
pub(super) fn repaired(text: &str, message: &str, line: usize, at: usize) -> Option<String> {
    match message {
        // The marker is where the scalar starts; the line after it is the one that stands too far left.
        "invalid indentation in quoted scalar" => joined(text, line + 1, false),
        "invalid indentation" | "invalid indentation in flow construct" => joined(text, line, true),
        "plain scalar cannot start with '-' followed by ,[]{}" => {
            Some(text.chars().enumerate().map(|(index, ch)| if index == at { '_' } else { ch }).collect())
        }
        _ => None,
    }
}

/// The text with the end of the line before `line` (1-based) taken away, a comment there (where there can be one) blanked:
/// inside a flow collection that changes nothing but the indentation. Character by character it is as long as before. `None`
/// where there is nothing to do.
fn joined(text: &str, line: usize, comments: bool) -> Option<String> {
    let mut start = 0;
    for _ in 1..line {
        start += memchr::memchr(b'\n', text.as_bytes().get(start..)?)? + 1;
    }
    let before = text.get(..start.checked_sub(1)?)?;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let previous = before.get(line_start..)?;
    // The parser takes a carriage return for a line's end as well.
    let ended = previous.strip_suffix('\r').unwrap_or(previous).len();
    let keep = comments.then(|| comment(previous)).flatten().unwrap_or(ended);
    let blanks = previous.get(keep..)?.chars().map(|_| ' ');
    let mut out = String::with_capacity(text.len());
    out.push_str(text.get(..line_start + keep)?);
    out.extend(blanks);
    out.push(' ');
    out.push_str(text.get(start..)?);
    Some(out)
}

/// Where the comment of a line starts.
fn comment(line: &str) -> Option<usize> {
    let mut quote = None;
    let mut blank = true;
    for (at, ch) in line.char_indices() {
        match (quote, ch) {
            (None, '#') if blank => return Some(at),
            (None, '"' | '\'') => quote = Some(ch),
            (Some(open), ch) if open == ch => quote = None,
            _ => {}
        }
        blank = ch.is_whitespace();
    }
    None
}
