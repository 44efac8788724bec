//! A repository on disk, from finding its files to the findings, as `hitrate check` does it. `cargo bench --bench tree`

mod generate;

use divan::Bencher;
use divan::counter::ItemsCount;
use hitrate::engine;
use hitrate::project::{discover, load};
use hitrate::settings::Settings;
use std::fs;
use std::path::Path;

fn main() {
    divan::main();
}

/// Writes a repository of about `files` files: sources, twenty images, and everything that builds them.
fn write(root: &Path, files: usize) -> std::io::Result<()> {
    let put = |path: &str, text: &str| {
        let path = root.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text)
    };
    put(".git/HEAD", "ref: refs/heads/main\n")?;
    put(".gitignore", "target/\nnode_modules/\n")?;
    for image in 0..20 {
        put(&format!("services/s{image:02}/Dockerfile"), &generate::dockerfile(40, image))?;
        put(&format!("services/s{image:02}/build.sh"), SCRIPT)?;
        put(
            &format!(".github/workflows/s{image:02}.yml"),
            &WORKFLOW.replace("NAME", &format!("s{image:02}")),
        )?;
        put(&format!("deploy/s{image:02}.yaml"), "kind: Deployment\nspec: {replicas: 2}\n")?;
    }
    put(".gitlab-ci.yml", GITLAB)?;
    put("docker-bake.hcl", BAKE)?;
    put("compose.yaml", COMPOSE)?;
    put("Makefile", MAKEFILE)?;
    for file in 0..files.saturating_sub(86) {
        let text = format!("export const value{file} = {file};\n").repeat(40);
        put(&format!("services/s{:02}/src/m{:02}/file{file}.ts", file % 20, file % 13), &text)?;
    }
    Ok(())
}

const SCRIPT: &str = "#!/bin/bash\nset -e\nTAG=${1:-dev}\ndocker buildx build --cache-from type=registry,ref=r/app:c --cache-to type=registry,ref=r/app:c,mode=max -t \"r/app:$TAG\" .\n";
const WORKFLOW: &str = "on: {push: {branches: [main]}, pull_request: {}}\njobs:\n  image:\n    runs-on: ubuntu-latest\n    strategy: {matrix: {platform: [linux/amd64, linux/arm64], variant: [a, b]}}\n    steps:\n      - uses: actions/checkout@v4\n      - uses: docker/setup-buildx-action@v3\n      - id: meta\n        uses: docker/metadata-action@v5\n        with: {images: r/NAME, tags: 'type=sha'}\n      - uses: docker/build-push-action@v6\n        with:\n          context: services/NAME\n          platforms: ${{ matrix.platform }}\n          push: ${{ github.event_name != 'pull_request' }}\n          tags: ${{ steps.meta.outputs.tags }}\n          build-args: VARIANT=${{ matrix.variant }}\n          cache-from: type=gha,scope=NAME-${{ matrix.variant }}\n          cache-to: type=gha,mode=max,scope=NAME-${{ matrix.variant }}\n      - run: services/NAME/build.sh ${{ github.sha }}\n";
const GITLAB: &str = ".build:\n  image: docker:28\n  services: [docker:28-dind]\n  script: ['docker build --cache-from $CI_REGISTRY_IMAGE/$NAME:latest -t $CI_REGISTRY_IMAGE/$NAME services/$NAME']\nimages:\n  extends: .build\n  parallel: {matrix: [{NAME: [s00, s01, s02, s03, s04, s05, s06, s07, s08, s09]}]}\n";
const BAKE: &str = "group \"default\" { targets = [\"app\"] }\ntarget \"app\" {\n  name = \"app-${n}\"\n  matrix = { n = [\"s00\", \"s01\", \"s02\", \"s03\"] }\n  context = \"services/${n}\"\n  cache-to = [\"type=registry,ref=r/cache:${n},mode=max\"]\n}\n";
const COMPOSE: &str =
    "services:\n  a: {build: {context: services/s00, cache_from: [r/a]}}\n  b: {build: services/s01}\n";
const MAKEFILE: &str =
    "TAG ?= dev\nimages: $(addprefix image-,s00 s01)\nimage-%:\n\tdocker build -t r/$*:$(TAG) services/$*\n";

/// The throughput is in files.
#[divan::bench(args = [2_000, 20_000], sample_count = 10)]
fn check(bencher: Bencher<'_, '_>, files: usize) {
    let Ok(directory) = tempfile::tempdir() else { return };
    let root = directory.path();
    if write(root, files).is_err() {
        return;
    }
    let settings = Settings::default();
    bencher.counter(ItemsCount::new(files)).bench_local(|| {
        let found = discover(root, &[root.to_path_buf()]);
        engine::analyze(&load(root, found), &settings)
    });
}
