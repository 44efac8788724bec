//! A fix never leaves an index of packages in a cache mount where the install does not find it: however the refresh and
//! the install are parted, whatever fixes are applied.
#![allow(clippy::unwrap_used)]

use hitrate::engine;
use hitrate::fix::{self, Safety};
use hitrate::project::Project;
use hitrate::settings::Settings;
use std::sync::Arc;

/// Refreshes and installs that are parted in every way that people part them, and whether fixes join them; the others are
/// left to people.
const PARTED: &[(&str, bool)] = &[
    ("RUN apt-get update\nRUN apt-get install -y gcc\n", true),
    ("RUN apt-get update && apt-get install -y curl\nRUN apt-get install -y gcc\n", true),
    ("RUN rm -f /etc/apt/apt.conf.d/docker-clean\nRUN apt-get update\nRUN apt-get install -y gcc\n", true),
    (
        "RUN rm -f /etc/apt/apt.conf.d/docker-clean && apt-get update\nRUN apt-get install -y gcc\nRUN apt-get install -y git\n",
        false,
    ),
    (
        "RUN apt-get update\nRUN --mount=type=cache,target=/var/cache/apt,sharing=locked apt-get install -y gcc\n",
        true,
    ),
    (
        "RUN --mount=type=cache,target=/var/lib/apt/lists,sharing=locked apt-get update\nRUN apt-get install -y gcc\n",
        true,
    ),
    (
        "RUN apt-get update\nRUN --mount=type=cache,target=/var/lib/apt,sharing=locked apt-get install -y gcc\n",
        true,
    ),
    ("RUN apt-get update && echo done\nRUN apt-get install -y gcc && rm -rf /var/lib/apt/lists/*\n", false),
    ("RUN apt-get update\nRUN ./prepare.sh\nRUN apt-get install -y gcc\n", false),
    (
        "RUN apt-get update\nFROM base AS other\nRUN apt-get install -y gcc\nFROM base\nCOPY --from=other /usr/bin/gcc /usr/bin/\nRUN apt-get install -y git\n",
        true,
    ),
    ("RUN set -eux; apt-get update\nRUN set -eux; apt-get install -y gcc; gcc --version\n", true),
];

fn fixed(text: &str, allow: Safety) -> String {
    let settings = Arc::new(Settings::default());
    let outcome = fix::run(
        |path| (path == "Dockerfile").then(|| text.to_owned()),
        allow,
        |changed| {
            let now = changed.get("Dockerfile").map_or(text, String::as_str);
            let project = Project::in_memory([("Dockerfile".to_owned(), now.to_owned())]);
            engine::analyze(&project, &settings)
                .findings
                .into_iter()
                .filter_map(|finding| finding.fix)
                .collect()
        },
    );
    assert!(outcome.converged, "{text}");
    outcome.changed.get("Dockerfile").cloned().unwrap_or_else(|| text.to_owned())
}

/// The RUNs of a file, each as one line.
fn runs(text: &str) -> Vec<String> {
    let joined = text.replace("\\\n", " ");
    joined.lines().filter(|line| line.starts_with("RUN")).map(str::to_owned).collect()
}

fn mounts_lists(run: &str) -> bool {
    run.contains("target=/var/lib/apt")
}

fn refreshes(run: &str) -> bool {
    run.contains("apt-get update")
}

fn installs(run: &str) -> bool {
    run.contains("apt-get install")
}

#[test]
fn no_fix_parts_an_index_in_a_mount_from_its_install() {
    for (parted, _) in PARTED {
        let text = format!("FROM debian:12 AS base\n{parted}");
        let had: Vec<String> = runs(&text).into_iter().filter(|run| mounts_lists(run)).collect();
        for allow in [Safety::Safe, Safety::Unsafe] {
            let after = fixed(&text, allow);
            for run in runs(&after) {
                // What had the mount before and no fix could join is the user's.
                let own = had.contains(&run);
                let whole = refreshes(&run) && installs(&run);
                assert!(own || !mounts_lists(&run) || whole, "{allow:?} fixes of\n{text}\ngave\n{after}");
            }
        }
    }
}

#[test]
fn every_refresh_that_stands_alone_is_joined() {
    for (parted, joined) in PARTED {
        let text = format!("FROM debian:12 AS base\n{parted}");
        let after = fixed(&text, Safety::Unsafe);
        let stale = runs(&after).iter().any(|run| installs(run) && !refreshes(run));
        assert_eq!(!stale, *joined, "{text}\ngave\n{after}");
    }
}
