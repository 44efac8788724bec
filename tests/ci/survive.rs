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
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: ProptestConfig::default().cases.max(400), ..ProptestConfig::default() })]

    #[test]
    fn pieces_of_pipelines_are_survived(text in pieces(), path in prop::sample::select(PATHS.to_vec())) {
        read(path, &text);
    }
}

/// Files that use what their systems have.
const FILES: &[(&str, &str)] = &[
    (
        ".github/workflows/w.yml",
        "on: {push: {branches: [main]}, pull_request: {}, workflow_call: {inputs: {x: {default: é}}}}\nenv: {A: 'é${{ github.sha }}'}\njobs:\n  a:\n    runs-on: ubuntu-latest\n    strategy: {matrix: {x: [1, \"é\"], include: [{x: 1, y: d}], exclude: [{x: 2}]}}\n    steps:\n      - uses: docker/setup-buildx-action@v3\n        with: {driver-opts: 'image=moby/buildkit:v0.1'}\n      - run: |\n          echo \"v=${{ matrix.x }}\" >> $GITHUB_OUTPUT\n          docker buildx build --cache-to ${{ github.event_name == 'push' && 'type=gha' || '' }} . <<EOF\n          FROM x\n          EOF\n      - uses: docker/bake-action@v5\n        with: {set: \"*.cache-to=type=gha,scope=${{ matrix.y }}\"}\n  b: {uses: ./.github/workflows/w.yml, with: {x: 1}}\n",
    ),
    (
        ".gitlab-ci.yml",
        "include: [{local: /a.yml, inputs: {x: 1}}]\ndefault: {services: [docker:24-dind]}\n.a: &a\n  variables: {T: é}\n  script: [&l 'docker build -t $T .', !reference [.b, script]]\n.b: {script: [docker pull x]}\nj:\n  extends: [.a, .b]\n  <<: *a\n  parallel: {matrix: [{P: [1, 2]}]}\n  rules: [{if: '$CI_COMMIT_BRANCH == \"main\"', variables: {T: y}}]\n  cache: {paths: [c]}\n",
    ),
    (
        ".buildkite/pipeline.yml",
        "env: {R: r/é}\nsteps:\n- group: g\n  steps:\n  - label: '{{matrix.x}}'\n    matrix: {setup: {x: [a, b]}, adjustments: [{with: {x: b}, skip: true}]}\n    command: [cd d, 'docker build -t $R:{{matrix.x}} .']\n- plugins:\n  - docker-compose#v5.0.0: {build: app, cache-from: 'app:type=registry,ref=é', cache-to: 'app:r/a:b', builder: {use: true}}\n",
    ),
    (
        ".circleci/config.yml",
        "version: 2.1\ncommands:\n  c: {parameters: {p: {default: é}}, steps: [run: 'docker build -t << parameters.p >> .']}\njobs:\n  build: {machine: {docker_layer_caching: true}, working_directory: ~/p/x, steps: [checkout: {path: ~/p}, c: {p: x}, when: {condition: << pipeline.parameters.y >>, steps: [c]}]}\nworkflows: {w: {jobs: [build: {matrix: {parameters: {q: [1, 2]}}}]}}\n",
    ),
    (
        "azure-pipelines.yml",
        "parameters: [{name: x, default: [1, é]}]\nvariables: {A: '$(Build.BuildId)'}\njobs:\n- ${{ each a in parameters.x }}:\n  - job: j\n    strategy: {matrix: {l: {V: '1'}}}\n    steps:\n    - task: Docker@2\n      inputs: {command: build, Dockerfile: '**/Dockerfile', arguments: '--target $(V) --cache-from é'}\n    - ${{ if eq(parameters.x, 'y') }}:\n      - script: docker build -t ${{ a }} .\n",
    ),
    (
        "Jenkinsfile",
        "def n = 'é'\npipeline { environment { A = \"x${n}\" }\n stage('é') { dir(\"x\") { sh \"\"\"docker build -t ${env.A} \\\\\n -f \\$X . \"\"\" } }\n def x = docker.build(\"a:$n\", '-f é .')\n x.push(\"é\") }\n",
    ),
    (
        ".drone.yml",
        "kind: pipeline\nsteps:\n- &s\n  image: plugins/docker\n  settings: {repo: é, tags: [a, '${DRONE_TAG##v}'], cache_from: [x], build_args: [A=1]}\n- {<<: *s, name: z}\n- {image: plugins/kaniko, settings: {repo: x, enable_cache: true}}\n",
    ),
    (
        "cloudbuild.yaml",
        "substitutions: {_A: é}\nsteps:\n- {name: gcr.io/cloud-builders/docker, args: [build, -t, 'x:$_A', --cache-from, \"y\\tz\", .], dir: d}\n- {name: gcr.io/kaniko-project/executor, args: [--cache=true, --destination=é]}\nimages: ['x:${_A}']\n",
    ),
    (
        "docker-bake.hcl",
        "variable \"V\" { default = \"é\" }\nfunction \"f\" {\n  params = [a]\n  result = \"${a}-${V}\"\n}\ngroup \"default\" { targets = [\"t\"] }\ntarget \"b\" { cache-from = [\"type=gha,scope=${f(V)}\"] }\ntarget \"t\" {\n  name = \"t-${x}\"\n  matrix = { x = [\"1\", \"2\"] }\n  inherits = [\"b\"]\n  cache-to = [join(\",\", [\"type=registry\", \"ref=${x}\"])]\n}\n",
    ),
    (
        "compose.yaml",
        "x-b: &b {context: ., cache_from: [é]}\nservices:\n  a: {build: *b, image: 'x:${T:-é}'}\n  b:\n    extends: {service: a}\n    build: {target: t, args: [A=1, B], x-bake: {cache-to: [type=inline]}}\n",
    ),
    (
        "Makefile",
        "T ?= é\nI := $(shell echo x):$(T)\ndefine run\ndocker build -t $(I) $(1)\nendef\nimage-%: %.x\n\t@cd d && \\\n\tdocker buildx build --cache-to type=registry,ref=$(I),mode=max -f $*/Dockerfile .\nifeq ($(T),é)\nall: image-a\n\t$(call run,.)\nendif\n",
    ),
    (
        "build.sh",
        "#!/bin/bash\nset -e\nA=(--cache-from \"é\")\nif [ -n \"$X\" ]; then A+=(--no-cache); fi\nf() { docker build \"${A[@]}\" -t \"$1\" - <<'EOF'\nFROM é\nEOF\n}\nfor i in a b; do f \"x:$i\"; done\ncd \"$(dirname \"$0\")/..\" && docker buildx bake --set '*.cache-to=type=inline'\n",
    ),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: ProptestConfig::default().cases.max(1000), ..ProptestConfig::default() })]

    /// A stretch taken out, doubled, or put somewhere else, up to four times.
    #[test]
    fn mutated_files_are_survived(
        file in prop::sample::select(FILES.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, any::<prop::sample::Index>(), 0_u8..4), 1..5),
    ) {
        let (path, text) = file;
        let mut text: Vec<char> = text.chars().collect();
        for (from, length, to, kind) in changes {
            let from = from.index(text.len() + 1);
            let end = (from + length).min(text.len());
            let piece: Vec<char> = text[from..end].to_vec();
            if kind < 2 {
                text.drain(from..end);
            }
            if kind > 0 {
                let to = to.index(text.len() + 1);
                text.splice(to..to, piece);
            }
        }
        let text: String = text.into_iter().collect();
        if let Ok(builds) = builds::read(system(path), path, &text, &|_| None) {
            check(&builds, &text);
            prop_assert!(builds.len() < 1_000);
        }
    }
}

#[test]
fn files_as_they_are_are_read() {
    for (path, text) in FILES {
        let builds = builds::read(system(path), path, text, &|_| None).unwrap();
        assert!(!builds.is_empty(), "{path}");
    }
}

#[test]
fn a_quoted_text_that_goes_on_in_the_next_line_keeps_its_places() {
    let text = "steps:\n- task: Docker@2\n  inputs: {command: build, arguments: '--target x\n $(V) --cache-from é'}\n";
    let builds = builds::read(system("azure-pipelines.yml"), "azure-pipelines.yml", text, &|_| None).unwrap();
    check(&builds, text);
    assert_eq!(builds[0].cache_from[0].span.of(text), "é");
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
