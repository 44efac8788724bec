//! Whatever is in a file, it is read or refused; large and repetitive files in time.

use crate::system;
use hitrate::builds::{self, Build};
use proptest::prelude::*;

const PATHS: &[&str] = &[
    ".github/workflows/w.yml",
    "action.yml",
    ".gitlab-ci.yml",
    ".buildkite/pipeline.yml",
    "cloudbuild.yaml",
    ".circleci/config.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "Jenkinsfile",
    ".drone.yml",
    ".woodpecker.yml",
];

/// Every span lies in its text.
fn check(builds: &[Build], text: &str) {
    for build in builds {
        let specs = build.cache_from.iter().chain(&build.cache_to);
        let spans =
            specs.flat_map(|spec| spec.value.attrs.iter().map(|(_, value)| value.span).chain([spec.span]));
        let values = build.tags.iter().chain(&build.platforms).chain(&build.target).chain(&build.push);
        let args = build.args.iter().map(|(_, value)| value.span);
        let all =
            spans.chain(values.map(|value| value.span)).chain(args).chain([build.span, build.context.span]);
        for span in all {
            assert!(text.get(span.range()).is_some(), "{span:?} in {} of {text:?}", build.path);
        }
    }
}

fn read(path: &str, text: &str) {
    if let Ok(builds) = builds::read(system(path), path, text, &|_| None) {
        check(&builds, text);
    }
}

/// Pieces of real files, put together at random.
fn pieces() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "on: push\n",
        "jobs:\n",
        "  a:\n",
        "    runs-on: ubuntu-latest\n",
        "    steps:\n",
        "      - run: |\n",
        "          docker build -t ${{ matrix.x }} .\n",
        "      - uses: docker/build-push-action@v6\n",
        "        with:\n",
        "          cache-to: type=gha,scope=${{ a && 'b' || '' }},é\n",
        "${{",
        "}}",
        "strategy: {matrix: {x: [1, é]}}\n",
        "steps:\n",
        "- name: gcr.io/cloud-builders/docker\n",
        "  args: ['build', '-t', \"x\\ty\", '.']\n",
        "script:\n",
        "  - docker buildx build --cache-to type=inline .\n",
        "extends: .x\n",
        "!reference [.x, script]\n",
        "plugins:\n",
        "  - docker-compose#v4.1.0:\n",
        "      build: app\n",
        "      cache-from: app:r/a:b\n",
        "include: x.yml\n",
        "<< parameters.x >>",
        "$(x)",
        "sh \"docker build ${X} .\"\n",
        "docker.build('a', \"b\")\n",
        "image: plugins/docker\n",
        "settings: {repo: a, tags: [b]}\n",
        "{",
        "}",
        "[",
        "]",
        "'",
        "\"",
        "\n",
        "  ",
        "- ",
        ": ",
        "&a ",
        "*a",
        "|\n",
        ">\n",
        "\\",
        "é",
        "\u{1F600}",
        "\u{F0000}",
        "#",
        "---\n",
        "$$",
        "`",
        "stage('x') { dir('y') {\n",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn pieces_of_pipelines_are_survived(text in pieces(), path in prop::sample::select(PATHS.to_vec())) {
        read(path, &text);
    }
}

#[test]
fn cut_off_files_are_survived() {
    let workflow = "on: {push: {branches: [main]}, pull_request: {}}\nenv: {A: 'é${{ github.sha }}'}\njobs:\n  a:\n    strategy: {matrix: {x: [\"é b\", c], include: [{x: c, y: d}]}}\n    steps:\n      - id: m\n        run: |\n          echo \"v=${{ matrix.x }}\" >> $GITHUB_OUTPUT\n          docker build -t \"$A:${{ matrix.x }}\" \\\n            --cache-to ${{ github.event_name == 'push' && 'type=gha' || '' }} .\n      - uses: docker/build-push-action@v6\n        with: {tags: \"${{ steps.m.outputs.v }}\", cache-from: 'type=gha,scope=é'}\n";
    let jenkins = "stage('é') { dir(\"x\") { sh \"\"\"docker build -t ${env.é} \\\\\n -f \\$X . \"\"\" } }\ndef x = docker.build(\"a:$b\", '-f é .')\nx.push(\"é\")\n";
    let circle = "version: 2.1\ncommands:\n  c: {parameters: {p: {default: é}}, steps: [run: 'docker build -t << parameters.p >> .']}\njobs:\n  build: {machine: true, steps: [c: {p: x}, docker/build: {image: é, extra_build_args: '--target é'}]}\norbs: {docker: circleci/docker@1}\n";
    for (path, text) in [(PATHS[0], workflow), ("Jenkinsfile", jenkins), (".circleci/config.yml", circle)] {
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            read(path, &text[..end]);
        }
    }
}

#[test]
fn large_files_end() {
    let many = |head: &str, line: &str, count: usize| format!("{head}{}", line.repeat(count));
    read(
        PATHS[0],
        &many(
            "on: push\njobs:\n  a:\n    steps:\n",
            "      - run: docker build -t ${{ github.sha }} .\n",
            4_000,
        ),
    );
    let axes: Vec<String> = (0..20).map(|i| format!("a{i}: [1, 2, 3]")).collect();
    read(
        PATHS[0],
        &format!(
            "on: [push, pull_request, release]\njobs:\n  a:\n    strategy: {{matrix: {{{}}}}}\n    steps:\n{}",
            axes.join(", "),
            "      - run: docker build .\n".repeat(20)
        ),
    );
    read(".gitlab-ci.yml", &many(".a: &a {script: [docker build .]}\n", "", 0));
    let jobs: String = (0..1_000)
        .map(|i| format!("j{i}:\n  extends: [.b, .b, .b]\n  script: [docker build -t {i} .]\n"))
        .collect();
    read(".gitlab-ci.yml", &format!(".b: {{extends: [.b, .c]}}\n.c: {{extends: [.b]}}\n{jobs}"));
    let chain: String = (0..200)
        .map(|i| {
            format!(
                ".s{i}:\n  script: [!reference [.s{}, script], !reference [.s{}, script], docker build .]\n",
                i + 1,
                i + 1
            )
        })
        .collect();
    read(".gitlab-ci.yml", &format!("{chain}job:\n  script: [!reference [.s0, script]]\n"));
    let nested: String = (0..50)
        .map(|i| format!("  c{i}:\n    steps: [c{}, c{}, run: docker build .]\n", i + 1, i + 1))
        .collect();
    read(
        ".circleci/config.yml",
        &format!("version: 2.1\ncommands:\n{nested}jobs:\n  build:\n    machine: true\n    steps: [c0]\n"),
    );
    let template = "parameters: [{name: x, default: [1, 2, 3]}]\nsteps:\n- ${{ each a in parameters.x }}:\n  - ${{ each b in parameters.x }}:\n    - template: azure-pipelines.yml\n- script: docker build .\n";
    let lookup = |_: &str| Some(template);
    builds::read(system("azure-pipelines.yml"), "azure-pipelines.yml", template, &lookup).unwrap();
    let workflow = "on: {push: , workflow_call: }\njobs:\n  a:\n    strategy: {matrix: {x: [1, 2, 3, 4]}}\n    uses: ./.github/workflows/w.yml\n  b:\n    steps: [{run: docker build .}]\n";
    let lookup = |_: &str| Some(workflow);
    // A workflow that calls itself does so in vain.
    assert_eq!(builds::read(system(PATHS[0]), PATHS[0], workflow, &lookup).unwrap().len(), 1);
    read(
        "Jenkinsfile",
        &many(
            "",
            "x = docker.build(\"a${b}\", \"-f ${c} .\")\nx.push('t')\nsh \"docker build ${d} .\"\n",
            1_000,
        ),
    );
    read(
        ".buildkite/pipeline.yml",
        &many(
            "steps:\n",
            "- {command: 'docker build $$X .', plugins: [docker-compose#v5: {build: a, cache-from: 'a:x'}]}\n",
            1_000,
        ),
    );
}
