//! The same Dockerfile written otherwise.

use hitrate::dockerfile;

/// With CRLF line ends.
pub(crate) fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// With a backtick as the escape character, in one more line at the top; `None` where that cannot be done by turning
/// the backslashes at line ends: where the text has a directive already, heredocs, or backslashes and backticks elsewhere.
pub(crate) fn backtick(text: &str) -> Option<String> {
    let parsed = dockerfile::parse(text);
    let heredocs = parsed.instructions().any(|instruction| !instruction.heredocs.is_empty());
    if heredocs || text.contains('`') || !parsed.directives.is_empty() {
        return None;
    }
    let mut out = String::from("# escape=`\n");
    for line in text.split_inclusive('\n') {
        let (body, end) = line.split_at(line.trim_end_matches(['\r', '\n']).len());
        match body.strip_suffix('\\') {
            Some(before) if !before.contains('\\') => {
                out.push_str(before);
                out.push('`');
            }
            None if !body.contains('\\') => out.push_str(body),
            _ => return None,
        }
        out.push_str(end);
    }
    Some(out)
}
