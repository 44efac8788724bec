//! Edits of whole instructions: comments, line ends and everything else in the file stay as they are.

use super::Fix;
use crate::dockerfile::{Dockerfile, ItemKind};
use crate::source::Span;
use std::sync::Arc;

/// The line end that a text uses: that of its first line.
#[must_use]
pub fn line_end(text: &str) -> &'static str {
    match text.split_once('\n') {
        Some((line, _)) if line.ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// The lines of the instruction that starts at `start`, with their ends.
#[must_use]
pub fn lines(dockerfile: &Dockerfile<'_>, start: u32) -> Option<Span> {
    let index = position(dockerfile, start)?;
    dockerfile.items.get(index).map(|item| item.span)
}

/// [`lines`] with the comment lines that stand directly above: they tell about the instruction and go where it goes.
#[must_use]
pub fn block(dockerfile: &Dockerfile<'_>, start: u32) -> Option<Span> {
    let index = position(dockerfile, start)?;
    let own = dockerfile.items.get(index)?.span;
    let above = dockerfile.items.get(..index)?.iter().rev();
    let comments = above.take_while(|item| matches!(item.kind, ItemKind::Comment));
    Some(comments.fold(own, |block, item| block.cover(item.span)))
}

fn position(dockerfile: &Dockerfile<'_>, start: u32) -> Option<usize> {
    let index = dockerfile.items.partition_point(|item| item.span.end <= start);
    let item = dockerfile.items.get(index)?;
    (matches!(item.kind, ItemKind::Instruction(_)) && item.span.start <= start).then_some(index)
}

/// The text of `span` as whole lines: the last line of a file may lack its end.
#[must_use]
pub fn whole_lines(text: &str, span: Span) -> String {
    let mut lines = span.of(text).to_owned();
    if !lines.ends_with('\n') {
        lines.push_str(line_end(text));
    }
    lines
}

/// Where the blank lines begin that end at `at`, the start of a line.
fn blank_before(text: &str, at: u32) -> u32 {
    let head = text.get(..at as usize).unwrap_or("");
    let last = head.trim_end().len();
    let line = head.get(last..).and_then(|blank| blank.find('\n'));
    // Nothing but blanks above: they are no gap between two.
    if last == 0 { at } else { line.map_or(at, |end| Span::at(last + end + 1).start) }
}

/// Where the blank lines end that begin at `at`, the start of a line.
fn blank_after(text: &str, at: u32) -> u32 {
    let rest = text.get(at as usize..).unwrap_or("");
    let blank = rest.len() - rest.trim_start().len();
    let lines = rest.get(..blank).and_then(|blank| blank.rfind('\n'));
    lines.map_or(at, |end| Span::at(at as usize + end + 1).start)
}

/// Whether blank lines, or the end of the file, are on both sides.
fn stands_alone(text: &str, block: Span) -> bool {
    let ends =
        blank_after(text, block.end) > block.end || text.get(block.end as usize..).is_none_or(str::is_empty);
    blank_before(text, block.start) < block.start && ends
}

/// What is taken away with a block so that one gap is left where it stood: the blank lines below it, or at the end of the
/// file those above it.
fn with_gap(text: &str, block: Span) -> Span {
    if !stands_alone(text, block) {
        return block;
    }
    let end = blank_after(text, block.end);
    let start = if end as usize == text.len() { blank_before(text, block.start) } else { block.start };
    Span { start, end }
}

impl Fix {
    /// With the instructions that start at `moved` taken from where they are, comments above them included, and put
    /// above the one that starts at `before`, in the order given. `None` where one of them is no instruction of the file.
    #[must_use]
    pub fn move_up_to(
        self,
        path: &Arc<str>,
        dockerfile: &Dockerfile<'_>,
        moved: &[u32],
        before: u32,
    ) -> Option<Self> {
        let at = block(dockerfile, before)?.start;
        self.put(path, dockerfile, moved, at)
    }

    /// As [`Fix::move_up_to`], but they are put below the instruction that starts at `after`.
    #[must_use]
    pub fn move_below(
        self,
        path: &Arc<str>,
        dockerfile: &Dockerfile<'_>,
        moved: &[u32],
        after: u32,
    ) -> Option<Self> {
        let at = lines(dockerfile, after)?.end;
        self.put(path, dockerfile, moved, at)
    }

    fn put(mut self, path: &Arc<str>, dockerfile: &Dockerfile<'_>, moved: &[u32], at: u32) -> Option<Self> {
        let source = dockerfile.source;
        let blocks: Vec<Span> = moved.iter().map(|start| block(dockerfile, *start)).collect::<Option<_>>()?;
        let mut text = String::new();
        let before = source.get(..at as usize)?;
        if !before.is_empty() && !before.ends_with('\n') {
            text.push_str(line_end(source));
        }
        // What stands in paragraphs of its own is put between others as such.
        let above = blank_before(source, at) < at;
        let between = (above || blank_after(source, at) > at)
            && blocks.iter().all(|block| stands_alone(source, *block));
        for block in &blocks {
            if between && !above {
                text.push_str(line_end(source));
            }
            text.push_str(&whole_lines(source, *block));
            if between && above {
                text.push_str(line_end(source));
            }
        }
        // At the end of a file whose last line has no end, none is added.
        if at as usize == source.len() && !source.ends_with('\n') {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        self = self.insert(path, at, text);
        for block in blocks {
            self = self.delete(path, with_gap(source, block));
        }
        Some(self)
    }

    /// With the instruction that starts at `start` removed; comments above it stay.
    #[must_use]
    pub fn remove(self, path: &Arc<str>, dockerfile: &Dockerfile<'_>, start: u32) -> Option<Self> {
        Some(self.delete(path, lines(dockerfile, start)?))
    }
}

#[cfg(test)]
mod tests {
    use crate::dockerfile::parse;
    use crate::fix::{Fix, Safety, apply, select};
    use std::sync::Arc;

    fn edited(
        text: &str,
        edit: impl FnOnce(Fix, &Arc<str>, &crate::dockerfile::Dockerfile<'_>) -> Option<Fix>,
    ) -> String {
        let path: Arc<str> = Arc::from("Dockerfile");
        let fix = edit(Fix::safe("x"), &path, &parse(text)).unwrap();
        let selection = select([&fix], Safety::Safe);
        apply(text, &selection.edits["Dockerfile"])
    }

    fn start(text: &str, line: &str) -> u32 {
        u32::try_from(text.find(line).unwrap()).unwrap()
    }

    #[test]
    fn an_instruction_moves_with_the_comment_above_it() {
        let text = "FROM a\n# the commit\nARG C\nRUN x\n\n# why\nRUN y";
        let (c, x, y) = (start(text, "ARG C"), start(text, "RUN x"), start(text, "RUN y"));
        assert_eq!(
            edited(text, |fix, path, file| fix.move_up_to(path, file, &[c], y)),
            "FROM a\nRUN x\n\n# the commit\nARG C\n# why\nRUN y"
        );
        assert_eq!(
            edited(text, |fix, path, file| fix.move_below(path, file, &[c], y)),
            "FROM a\nRUN x\n\n# why\nRUN y\n# the commit\nARG C"
        );
        assert_eq!(
            edited(text, |fix, path, file| fix.move_up_to(path, file, &[y, x], c)),
            "FROM a\n# why\nRUN y\nRUN x\n# the commit\nARG C\n"
        );
    }

    #[test]
    fn one_gap_is_left_where_a_paragraph_stood() {
        let text = "FROM a\n\n# all\nCOPY . .\n\n# c\nRUN c\n\n\nRUN d\n\nCMD e\n";
        let of = |line| start(text, line);
        let (copy, c, d, cmd) = (of("COPY"), of("RUN c"), of("RUN d"), of("CMD"));
        assert_eq!(
            edited(text, |fix, path, file| fix.move_up_to(path, file, &[c], copy)),
            "FROM a\n\n# c\nRUN c\n\n# all\nCOPY . .\n\nRUN d\n\nCMD e\n"
        );
        assert_eq!(
            edited(text, |fix, path, file| fix.move_up_to(path, file, &[c, d], copy)),
            "FROM a\n\n# c\nRUN c\n\nRUN d\n\n# all\nCOPY . .\n\nCMD e\n"
        );
        assert_eq!(
            edited(text, |fix, path, file| fix.move_below(path, file, &[copy], d)),
            "FROM a\n\n# c\nRUN c\n\n\nRUN d\n\n# all\nCOPY . .\n\nCMD e\n"
        );
        assert_eq!(
            edited(text, |fix, path, file| fix.move_up_to(path, file, &[cmd], c)),
            "FROM a\n\n# all\nCOPY . .\n\nCMD e\n\n# c\nRUN c\n\n\nRUN d\n"
        );
        let dense = "FROM a\nCOPY . .\n\nRUN c\n";
        assert_eq!(
            edited(dense, |fix, path, file| fix.move_up_to(
                path,
                file,
                &[start(dense, "RUN")],
                start(dense, "COPY")
            )),
            "FROM a\nRUN c\nCOPY . .\n"
        );
        let crlf = "FROM a\r\n\r\nCOPY . .\r\n\r\nRUN c\r\n\r\nCMD e\r\n";
        assert_eq!(
            edited(crlf, |fix, path, file| fix.move_up_to(
                path,
                file,
                &[start(crlf, "RUN")],
                start(crlf, "COPY")
            )),
            "FROM a\r\n\r\nRUN c\r\n\r\nCOPY . .\r\n\r\nCMD e\r\n"
        );
    }

    #[test]
    fn line_ends_stay() {
        let text = "FROM a\r\nARG C\r\nRUN x \\\r\n  y";
        let (c, x) = (start(text, "ARG C"), start(text, "RUN x"));
        assert_eq!(
            edited(text, |fix, path, file| fix.move_below(path, file, &[c], x)),
            "FROM a\r\nRUN x \\\r\n  y\r\nARG C"
        );
        assert_eq!(edited(text, |fix, path, file| fix.remove(path, file, c)), "FROM a\r\nRUN x \\\r\n  y");
    }
}
