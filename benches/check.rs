//! Every rule on Dockerfiles in memory: many of them, and a long one. `cargo bench --bench check`

mod generate;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use hitrate::engine;
use hitrate::project::Project;
use hitrate::settings::Settings;

/// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

/// `files` Dockerfiles of about `lines` lines, none of them alike; the context of each is its own empty directory.
fn project(files: usize, lines: usize) -> (Project, BytesCount) {
    let named = |file| (format!("{file:05}/Dockerfile"), generate::dockerfile(lines + file % 7, file));
    let files: Vec<_> = (0..files).map(named).collect();
    let bytes = BytesCount::new(files.iter().map(|(_, text)| text.len()).sum::<usize>());
    (Project::in_memory(files), bytes)
}

/// All of them in all threads, as `hitrate check` does; the throughput is in files.
#[divan::bench(args = [100, 10_000], sample_count = 10)]
fn many_files(bencher: Bencher<'_, '_>, files: usize) {
    let (project, _) = project(files, 40);
    let settings = Settings::default();
    bencher
        .counter(ItemsCount::new(files))
        .bench_local(|| engine::analyze(black_box(&project), black_box(&settings)));
}

/// One file; the throughput is in bytes of it.
#[divan::bench(args = [20, 100, 500])]
fn one_file_of_lines(bencher: Bencher<'_, '_>, lines: usize) {
    let (project, bytes) = project(1, lines);
    let settings = Settings::default();
    bencher.counter(bytes).bench_local(|| engine::analyze(black_box(&project), black_box(&settings)));
}

/// The Dockerfile that `HITRATE_BENCH_FILE` names; without it the one of the example.
#[divan::bench]
#[allow(clippy::print_stderr)] // A bench has no other way to say so.
fn one_file_of_yours(bencher: Bencher<'_, '_>) {
    let example = || concat!(env!("CARGO_MANIFEST_DIR"), "/examples/shop/Dockerfile").to_owned();
    let path = std::env::var("HITRATE_BENCH_FILE").unwrap_or_else(|_| example());
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => return eprintln!("{path}: {error}"),
    };
    let bytes = BytesCount::new(text.len());
    let project = Project::in_memory(vec![("Dockerfile".to_owned(), text)]);
    let settings = Settings::default();
    bencher.counter(bytes).bench_local(|| engine::analyze(black_box(&project), black_box(&settings)));
}
