//! What `runs-on` says about the machine.

use crate::builds::expr::Val;

/// Labels of machines that are new for every job: GitHub's own and those of vendors that rent them. (Those of Namespace build on
/// machines that stay.)
const FRESH: &[&str] = &[
    "ubuntu-",
    "macos-",
    "windows-",
    "blacksmith-",
    "depot-",
    "buildjet-",
    "warp-",
    "ubicloud",
    "runs-on",
    "cirun-",
    "github-hosted",
];

/// Whether what a job leaves on its machine is there for the next job: `Some(false)` on machines that are new for every
/// job, `None` on self-hosted ones (which may or may not be thrown away).
pub(super) fn persistent(runs_on: &Val) -> Option<bool> {
    let labels = match runs_on {
        Val::Array(labels) => labels.as_slice(),
        Val::Object(members) => {
            let labels = members.iter().find(|(key, _)| key == "labels").map(|(_, value)| value)?;
            return persistent(labels);
        }
        Val::Sym(sym) if !sym.options.is_empty() => sym.options.as_slice(),
        single => std::slice::from_ref(single),
    };
    let fresh = |label: &Val| {
        let text = label.to_text().to_ascii_lowercase();
        FRESH.iter().any(|start| text.starts_with(start)).then_some(false)
    };
    if labels.iter().any(|label| label.to_text().eq_ignore_ascii_case("self-hosted")) {
        return None;
    }
    let symbolic = matches!(runs_on, Val::Sym(_));
    match (labels, symbolic) {
        // Labels all hold at once; options are one or the other.
        ([], _) => None,
        (options, true) => options.iter().all(|label| fresh(label).is_some()).then_some(false),
        (labels, false) => labels.iter().find_map(fresh),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosted_machines_are_new_for_every_job() {
        let text = |label: &str| Val::Str(label.to_owned());
        assert_eq!(persistent(&text("ubuntu-latest")), Some(false));
        assert_eq!(persistent(&text("ubuntu-24.04-arm")), Some(false));
        assert_eq!(persistent(&text("depot-ubuntu-22.04-8")), Some(false));
        assert_eq!(persistent(&text("my-machine")), None);
        assert_eq!(persistent(&Val::Array(vec![text("self-hosted"), text("ubuntu-22.04")])), None);
        let group =
            Val::Object(vec![("group".into(), text("big")), ("labels".into(), text("ubuntu-24.04-16core"))]);
        assert_eq!(persistent(&group), Some(false));
    }
}
