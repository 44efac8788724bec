//! Every tool file is whole, and its own example does what it says.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test

mod tools_kit;

use hitrate::dockerfile::{self, Kind};
use hitrate::tools::{Catalog, Mount, Sharing, is_same};

/// `target` and `sharing` of the cache mounts in a Dockerfile.
fn mounts(text: &str) -> Vec<(String, String)> {
    let file = dockerfile::parse(text);
    let mut found = Vec::new();
    for instruction in file.instructions() {
        let Kind::Run(run) = &instruction.kind else { continue };
        for mount in &run.mounts {
            let option = |key: &str| {
                let own = mount.options.iter().find(|option| option.key == key)?;
                Some(own.value.as_ref()?.text.to_string())
            };
            if option("type").as_deref() == Some("cache") {
                found.push((
                    option("target").unwrap(),
                    option("sharing").unwrap_or_else(|| "shared".to_owned()),
                ));
            }
        }
    }
    found
}

#[test]
fn examples_are_recognised_and_mount_what_the_data_says() {
    for tool in Catalog::builtin().tools() {
        let Some(example) = &tool.example else { continue };
        let text = if example.contains("FROM") {
            example.trim_start().to_owned()
        } else {
            format!("FROM x\n{}", example.trim_start())
        };
        let walk = tools_kit::walk(&text, &[]);
        let uses: Vec<_> = walk.seen.iter().filter(|seen| seen.tool == tool.name).collect();
        assert!(!uses.is_empty(), "{}: {walk:?}", tool.name);
        for (target, sharing) in mounts(&text) {
            let at = |path: &Option<String>| path.as_deref().is_some_and(|path| is_same(path, &target));
            let mut caches = walk.seen.iter().flat_map(|seen| &seen.caches);
            let cache = caches.find(|cache| cache.mount != Mount::No && at(&cache.path));
            let cache = cache.unwrap_or_else(|| panic!("{}: {target} is none of {uses:?}", tool.name));
            let locked = cache.sharing == Sharing::Locked;
            assert_eq!(sharing, if locked { "locked" } else { "shared" }, "{}: {target}", tool.name);
        }
    }
}

#[test]
fn what_files_refer_to_exists() {
    let catalog = Catalog::builtin();
    for tool in catalog.tools() {
        let name = &tool.name;
        assert!(!tool.executables.is_empty() && !tool.commands.is_empty(), "{name}");
        assert!(tool.url.starts_with("https://"), "{name}");
        for cache in &tool.caches {
            match &cache.of {
                Some(of) => {
                    assert!(catalog.tool(of).is_some(), "{name}: {of}");
                    assert!(
                        cache.path.is_empty() && cache.needed_later.is_none(),
                        "{name}: `of` stands alone"
                    );
                }
                None => {
                    assert!(!cache.path.is_empty(), "{name}: a cache has a path");
                    assert!(!tool.sharing_reason.is_empty(), "{name}: the sharing has a reason");
                }
            }
        }
        for companion in &tool.companions {
            let ways = [&companion.env, &companion.flag, &companion.command];
            assert_eq!(
                ways.iter().filter(|way| way.is_some()).count(),
                1,
                "{name}: a companion is one thing"
            );
        }
        for spec in tool.defeats.env.iter().chain(&tool.defeats.settings) {
            assert!(spec.contains('='), "{name}: {spec}");
        }
        let files = [&tool.lockfiles, &tool.manifests, &tool.optional];
        for file in files.into_iter().flatten() {
            assert!(!file.contains([' ', '<', '$']), "{name}: {file}");
        }
    }
}
