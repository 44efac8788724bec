//! Any text is read without loss: the items are contiguous, cover it, and hold what is said to be in them.
#![no_main]

use hitrate::dockerfile::{ItemKind, heredoc, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    let file = parse(source);
    let mut at = 0;
    for item in &file.items {
        assert_eq!(item.span.start, at);
        assert!(item.span.end > at);
        at = item.span.end;
        if let ItemKind::Instruction(it) = &item.kind {
            assert!(item.span.contains(it.span) && it.span.contains(it.keyword_span));
            for (offset, c) in it.args.text.char_indices() {
                let span = it.args.span(offset, offset + c.len_utf8());
                assert_eq!(span.of(source).chars().next(), Some(c));
            }
            for doc in &it.heredocs {
                assert!(item.span.contains(doc.body) && item.span.contains(doc.marker));
                let _ = heredoc::content(source, doc);
            }
            let _ = heredoc::script(source, it);
        }
    }
    assert_eq!(at as usize, source.len());
    for problem in file.problems() {
        assert!(source.get(problem.span.range()).is_some());
    }
});
