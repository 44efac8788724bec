//! The cache model: from a parsed Dockerfile to the verdicts of a build, in Dockerfiles of 20, 100 and 500 lines.
//! `cargo bench --bench simulate`

mod generate;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use hitrate::cache::{Build, Change, Definition, Model, NoCache, Store};
use hitrate::dockerfile::{self, Dockerfile};
use hitrate::graph::{Graph, Options};

const LINES: [usize; 3] = [20, 100, 500];

fn main() {
    divan::main();
}

/// The throughput is in steps.
fn steps(syntax: &Dockerfile<'_>) -> ItemsCount {
    ItemsCount::new(Graph::new(syntax, &Options::default()).steps.len())
}

#[divan::bench(args = LINES)]
fn graph(bencher: Bencher<'_, '_>, lines: usize) {
    let text = generate::dockerfile(lines, 0);
    let syntax = dockerfile::parse(&text);
    let options = Options::default();
    bencher.counter(steps(&syntax)).bench_local(|| Graph::new(black_box(&syntax), &options));
}

#[divan::bench(args = LINES)]
fn definition(bencher: Bencher<'_, '_>, lines: usize) {
    let text = generate::dockerfile(lines, 0);
    let syntax = dockerfile::parse(&text);
    let options = Options::default();
    let graph = Graph::new(&syntax, &options);
    bencher
        .counter(steps(&syntax))
        .bench_local(|| Definition::new(black_box(&graph), &options, &NoCache::Never));
}

#[divan::bench(args = LINES)]
fn cold_build(bencher: Bencher<'_, '_>, lines: usize) {
    let text = generate::dockerfile(lines, 0);
    let syntax = dockerfile::parse(&text);
    let options = Options::default();
    let graph = Graph::new(&syntax, &options);
    let definition = Definition::new(&graph, &options, &NoCache::Never);
    bencher.counter(steps(&syntax)).bench_local(|| {
        let mut store = Store::new();
        let outcome = store.simulate(&Build::new(black_box(&definition), "builder"));
        (store, outcome)
    });
}

/// One question to a model that was asked before.
fn ask(bencher: Bencher<'_, '_>, lines: usize, change: Change) {
    let text = generate::dockerfile(lines, 0);
    let syntax = dockerfile::parse(&text);
    let model = Model::new(&syntax, Options::default(), None);
    bencher
        .counter(steps(&syntax))
        .bench_local(|| black_box(&model).after(std::slice::from_ref(&change)).reruns().count());
}

#[divan::bench(args = LINES)]
fn edit(bencher: Bencher<'_, '_>, lines: usize) {
    ask(bencher, lines, Change::Edit(vec!["web0/index.js".into()]));
}

#[divan::bench(args = LINES)]
fn build_arg(bencher: Bencher<'_, '_>, lines: usize) {
    ask(bencher, lines, Change::Arg("VERSION".into(), None));
}

#[divan::bench(args = LINES)]
fn new_base(bencher: Bencher<'_, '_>, lines: usize) {
    ask(bencher, lines, Change::Base(None));
}
