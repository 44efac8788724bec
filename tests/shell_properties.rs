//! The splitter takes any text: no panic, spans inside the text, plain words as they stand.

use hitrate::shell::{self, Dialect, Options, Script};
use hitrate::source::{Joined, Segment, Span};
use proptest::prelude::*;

fn spans(script: &Script<'_>) -> Vec<Span> {
    let mut spans = script.opaque.clone();
    for command in &script.commands {
        spans.push(command.span);
        spans.extend(command.argv.iter().map(|word| word.span));
        spans.extend(command.env.iter().map(|set| set.value.span));
        spans.extend(command.wrappers.iter().map(|wrapper| wrapper.span));
        spans.extend(
            command
                .redirects
                .iter()
                .flat_map(|redirect| [Some(redirect.target.span), redirect.body])
                .flatten(),
        );
    }
    spans
}

fn check(text: &str, dialect: Dialect) {
    let script = shell::parse_str(text, 7, &Options { dialect, ..Options::default() });
    for span in spans(&script) {
        assert!(span.start >= 7 && span.end as usize <= text.len() + 7, "{span:?} in {text:?}");
        assert!(
            span.start <= span.end && text.get(span.start as usize - 7..span.end as usize - 7).is_some(),
            "{text:?}"
        );
    }
    for word in script.commands.iter().flat_map(|command| &command.argv) {
        let raw = &text[word.span.start as usize - 7..word.span.end as usize - 7];
        if word.literal && !word.quoted && !raw.contains(['\\', '$', '\'', '"', '`']) {
            assert_eq!(raw, word.text, "{text:?}");
        }
    }
    assert_eq!(script, shell::parse_str(text, 7, &Options { dialect, ..Options::default() }));
}

/// Texts made of the pieces that matter to a shell.
fn shellish() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "npm",
        " ",
        " ",
        "ci",
        "\n",
        ";",
        "&&",
        "||",
        "|",
        "&",
        "(",
        ")",
        "((",
        "))",
        "{ ",
        "; }",
        "'",
        "\"",
        "`",
        "$",
        "$(",
        "${",
        "}",
        "$((",
        "$'",
        "\\",
        "\\\n",
        "#",
        "<<EOF",
        "\nEOF\n",
        "<<<",
        "<",
        ">",
        "2>&1",
        "if ",
        "; then ",
        "; fi",
        "for x in a b; do ",
        "; done",
        "while ",
        "case x in a) ",
        ";; esac",
        "[[ ",
        " ]]",
        "f() ",
        "sh -c ",
        "bash <<'EOF'\n",
        "sudo -u ",
        "env A=1 ",
        "find . -exec ",
        "\\;",
        "A=",
        "export B=",
        "cd ",
        "cd -",
        "eval ",
        "xargs ",
        "su - ",
        "-c ",
        "é",
        "𝄞",
        "\r\n",
        "~",
        "*",
        "=",
        "--",
        ":-",
        "$X",
        "${{ ",
        " }}",
        "function ",
        "! ",
        "time ",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        check(&text, Dialect::Posix);
    }

    #[test]
    fn shell_like_text_is_survived(text in shellish()) {
        check(&text, Dialect::Posix);
        check(&text, Dialect::Make);
    }

    #[test]
    fn joined_texts_point_into_their_pieces(pieces in prop::collection::vec(shellish(), 1..5)) {
        let (mut text, mut segments) = (String::new(), Vec::new());
        let mut source = 0_usize;
        for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
            source += 3;
            segments.push(Segment { joined: text.len() as u32, source: source as u32 });
            text.push_str(piece);
            source += piece.len();
        }
        let joined = Joined::decoded(text.into(), segments, source as u32);
        for span in spans(&shell::parse(&joined, &Options::default())) {
            prop_assert!(span.start <= span.end && span.end as usize <= source);
        }
    }
}
