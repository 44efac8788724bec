#![allow(clippy::unwrap_used)] // helpers of tests
//! The shell splitter on the forms that real RUNs, CI scripts and recipes use.

use hitrate::dockerfile::Kind;
use hitrate::shell::{self, Command, Cwd, Dialect, GuardKind, Link, Opaque, Options, Script};
use hitrate::source::Span;
use std::borrow::Cow;

fn parse(text: &str) -> Script<'_> {
    shell::parse_str(text, 0, &Options { source: text, ..Options::default() })
}

/// `argv` as one line, words with blanks in brackets.
fn line(command: &Command<'_>) -> String {
    let word = |text: &str| {
        if text.is_empty() || text.contains(' ') { format!("[{text}]") } else { text.to_owned() }
    };
    command.argv.iter().map(|part| word(&part.text)).collect::<Vec<_>>().join(" ")
}

fn lines(text: &str) -> Vec<String> {
    let script = parse(text);
    assert_eq!(script.opaque, [], "{text}");
    script.commands.iter().map(line).collect()
}

fn check(text: &str, expect: &[&str]) {
    assert_eq!(lines(text), expect, "{text}");
}

fn find<'s, 'a>(script: &'s Script<'a>, program: &str) -> &'s Command<'a> {
    script.commands.iter().find(|command| command.program() == Some(program)).unwrap()
}

fn cwd(text: &str, program: &str) -> String {
    match &find(&parse(text), program).cwd {
        Cwd::Start => "start".to_owned(),
        Cwd::Path(path) => path.to_string(),
        Cwd::Each(paths) => paths.join(" and "),
        Cwd::Unknown => "unknown".to_owned(),
    }
}

#[test]
fn lists_are_split_at_operators_outside_quotes() {
    check(
        "set -eux; apt-get update; apt-get install -y --no-install-recommends gcc; rm -rf /var/lib/apt/lists/*",
        &[
            "set -eux",
            "apt-get update",
            "apt-get install -y --no-install-recommends gcc",
            "rm -rf /var/lib/apt/lists/*",
        ],
    );
    check("a && b || c | d & e\nf", &["a", "b", "c", "d", "e", "f"]);
    check("echo 'a && b' \"c; d\" e\\;f", &["echo [a && b] [c; d] e;f"]);
    check("a |& b 2>&1 >/dev/null", &["a", "b"]);
    check("echo \"run npm ci to install\"", &["echo [run npm ci to install]"]);
    check("a # not && b", &["a"]);
    check("a \\\n  b && \\\n  c", &["a b", "c"]);
    let links: Vec<_> =
        parse("a && b || c | d & e ; f").commands.iter().map(|command| command.link).collect();
    assert_eq!(links, [Link::Then, Link::And, Link::Or, Link::Pipe, Link::Background, Link::Then]);
}

#[test]
fn compounds_are_walked_through() {
    check("(a; b) && { c; d; }", &["a", "b", "c", "d"]);
    check("if [ -f x ]; then a; elif b; then c; else d; fi; e", &["[ -f x ]", "a", "b", "c", "d", "e"]);
    check("for d in a b; do (cd $d && npm ci); done", &["cd $d", "npm ci"]);
    check("while read x; do a; done < list; until b; do c; done", &["read x", "a", "b", "c"]);
    check("case $X in a|b) c d;; (e) f ;; *) g; esac && h", &["c d", "f", "g", "h"]);
    check("f() { npm ci; }; function g { a; }; f", &["npm ci", "a", "f"]);
    check("[[ -f x && $y =~ ^(a|b)$ ]] && c", &["[[ -f x && $y =~ ^(a|b)$ ]]", "c"]);
    check("(( i++ )) || a; for ((i=0; i<3; i++)); do b; done", &["[(( i++ ))]", "a", "b"]);
    check("! a; time b; { c; } 2>&1 | tee log", &["a", "b", "c", "tee log"]);
    check("X=(a b) c; declare -a Y=(d e)\nf", &["c", "declare -a Y=", "f"]);
}

#[test]
fn substitutions_stand_before_their_command() {
    check(
        "echo $(npm config get cache) `date`",
        &["npm config get cache", "date", "echo [$(npm config get cache)] `date`"],
    );
    check(
        "apt-get install \"linux-headers-$(uname -r)\"",
        &["uname -r", "apt-get install [linux-headers-$(uname -r)]"],
    );
    check("echo $((1 + 2)) ${X:-$(a)}", &["a", "echo [$((1 + 2))] ${X:-$(a)}"]);
    check("diff <(a) <(b)", &["a", "b", "diff <(a) <(b)"]);
    check("echo `a \\`b\\``", &["b", "a `b`", "echo [`a \\`b\\``]"]);
    let script = parse("x $(y) z");
    assert!(find(&script, "y").substitution && !find(&script, "x").substitution);
    check(
        "$(command -v pip3 || command -v pip) install x",
        &["command -v pip3", "command -v pip", "pip3 install x"],
    );
}

#[test]
fn wrappers_come_off() {
    for (text, expect) in [
        ("sudo -E env FOO=1 timeout 600 pnpm install", "pnpm install"),
        ("sudo -Hu app npm ci", "npm ci"),
        ("env -i PATH=/bin npm ci", "npm ci"),
        ("nice -n 10 ionice -c3 make all", "make all"),
        ("timeout -k 5 --signal=KILL 10m npm ci", "npm ci"),
        ("gosu app:app npm ci", "npm ci"),
        ("su-exec node yarn", "yarn"),
        ("setpriv --reuid=1000 --clear-groups npm ci", "npm ci"),
        ("runuser -u app -- npm ci", "npm ci"),
        ("xargs -a packages.txt apt-get install -y", "apt-get install -y"),
        ("xargs apk add --no-cache < packages.txt", "apk add --no-cache"),
        ("tini -- npm ci", "npm ci"),
        ("stdbuf -oL npm ci", "npm ci"),
        ("exec npm ci", "npm ci"),
        ("command npm ci", "npm ci"),
        ("time -p make", "make"),
        ("retry 5 npm ci", "npm ci"),
        ("retry -t 3 -d 5 -- npm ci", "npm ci"),
        ("flock /tmp/lock npm ci", "npm ci"),
        ("eatmydata apt-get update", "apt-get update"),
        ("parallel gem install ::: a b", "gem install"),
        ("scl enable devtoolset-7 -- make", "make"),
        ("busybox wget x", "wget x"),
    ] {
        check(text, &[expect]);
        assert!(!parse(text).commands[0].wrappers.is_empty(), "{text}");
    }
    check("command -v npm; exec > log; sudo -v; env", &["command -v npm", "exec", "sudo -v", "env"]);
}

#[test]
fn wrappers_tell_user_environment_and_words() {
    let wrapped = |text: &'static str| parse(text).commands[0].clone();
    let command = wrapped("CI=1 sudo -u app FOO=2 npm ci");
    let env: Vec<_> =
        command.env.iter().map(|set| format!("{}={} {}", set.name, set.value.text, set.persistent)).collect();
    assert_eq!(env, ["CI=1 false", "FOO=2 false"]);
    assert_eq!(command.wrappers[0].user.as_deref(), Some("app"));
    assert_eq!(wrapped("sudo npm ci").wrappers[0].user.as_deref(), Some("root"));
    assert_eq!(wrapped("su - node -c 'npm ci'").wrappers[0].user.as_deref(), Some("node"));
    assert!(wrapped("su - node -c 'npm ci'").wrappers[0].login);
    assert!(!wrapped("su node -c 'npm ci'").wrappers[0].login);
    assert_eq!(wrapped("gosu app:staff npm ci").wrappers[0].user.as_deref(), Some("app"));
    let xargs = wrapped("xargs -a packages.txt apt-get install");
    assert_eq!(
        xargs.wrappers[0].args.iter().map(|word| &*word.text).collect::<Vec<_>>(),
        ["-a", "packages.txt"]
    );
    assert_eq!(xargs.wrappers[0].span, Span::new(0, 21));
    assert_eq!(cwd("env -C web npm ci", "npm"), "web");
    assert_eq!(cwd("chroot /mnt npm ci", "npm"), "unknown");
}

#[test]
fn scripts_in_words_are_read() {
    check("bash -lc \"nvm use 20 && npm ci\"", &["nvm use 20", "npm ci"]);
    check("su - node -c 'npm ci'", &["npm ci"]);
    check("su -s /bin/sh -c 'a; b' www-data", &["a", "b"]);
    check("bash -exo pipefail -c 'a | b'", &["a", "b"]);
    check("bash -o pipefail -c 'a' x y", &["a"]);
    check("eval 'a && b' c", &["a", "b c"]);
    check("scl enable devtoolset-7 'make all'", &["make all"]);
    check("sudo sh -c \"echo \\\"\\$X\\\" > f; sh -c 'c d'\"", &["echo $X", "c d"]);
    check(
        "find . -name p -exec sh -c 'cd $1 && npm ci' _ {} \\;",
        &["find . -name p -exec sh -c [cd $1 && npm ci] _ {} ;", "cd $1", "npm ci"],
    );
    check("bash <<< 'a && b'", &["a", "b"]);
    let text = "RUN bash -c \"a 'b' && cd \\\"x\\\" && npm ci\"";
    let script = shell::parse_str(&text[4..], 4, &Options::default());
    assert_eq!(find(&script, "npm").span.of(text), "npm ci");
    assert_eq!(find(&script, "npm").argv[1].span.of(text), "ci");
    assert_eq!(find(&script, "npm").wrappers[0].name, "bash");
    assert_eq!(find(&script, "npm").cwd, Cwd::Path("x".into()));
    // What the outer shell has run is not run again by the inner one.
    check("sh -c \"echo $(a)\"", &["a", "echo $(a)"]);
}

#[test]
fn what_cannot_be_known_is_opaque() {
    let opaque = |text: &'static str| parse(text).commands.last().unwrap().opaque;
    assert_eq!(opaque("$UNKNOWN install"), Some(Opaque::Name));
    assert_eq!(opaque("sh ./setup.sh"), Some(Opaque::Script));
    assert_eq!(opaque("curl -fsSL https://x | bash -s -- -y"), Some(Opaque::Script));
    assert_eq!(opaque("curl https://x | sudo sh"), Some(Opaque::Script));
    assert_eq!(opaque(". /opt/venv/bin/activate"), Some(Opaque::Script));
    assert_eq!(opaque("eval \"$(x)\""), Some(Opaque::Script));
    assert_eq!(opaque("bash <(curl x)"), Some(Opaque::Script));
    assert_eq!(opaque("$VENV/bin/pip install x"), None);
    assert_eq!(opaque("./configure"), None);
    for text in ["echo 'a", "echo \"a", "a && fi", "a )", "echo $(b", "echo ${b", "if a; then b"] {
        assert!(!parse(text).opaque.is_empty(), "{text}");
    }
    let script = parse("a; b 'c");
    assert_eq!(line(&script.commands[0]), "a");
    assert_eq!(script.opaque, [Span::new(3, 7)]);
    let windows = Options { dialect: Dialect::of_shell(["powershell", "-Command"]), ..Options::default() };
    assert!(shell::parse_str("npm ci", 0, &windows).commands.is_empty());
    assert_eq!(Dialect::of_shell(["cmd", "/S", "/C"]), Dialect::Opaque);
    assert_eq!(Dialect::of_shell(["/bin/bash", "-eo", "pipefail", "-c"]), Dialect::Posix);
    assert_eq!(Dialect::of_shell(["/usr/bin/env", "-S", "bash"]), Dialect::Posix);
}

#[test]
fn certainty_follows_branches_and_tests() {
    let certain = |text: &'static str, program: &str| find(&parse(text), program).certain;
    assert!(certain("a && npm ci", "npm"));
    assert!(!certain("a || npm ci", "npm"));
    assert!(certain("a || b && npm ci", "npm"));
    assert!(!certain("[ -f x ] && npm ci", "npm"));
    assert!(!certain("command -v npm && yarn", "yarn") && !certain("test -d x && a && npm ci", "npm"));
    assert!(!certain("if a; then npm ci; fi", "npm"));
    assert!(certain("if npm ci; then a; fi", "npm"));
    assert!(!certain("case $x in a) npm ci;; esac", "npm"));
    assert!(certain("for d in a b; do npm ci; done", "npm"));
    assert!(!certain("for d in $X; do npm ci; done", "npm"));
    assert!(!certain("f() { npm ci; }", "npm"));
    assert!(certain("f() { npm ci; }; f", "npm"));
    assert!(!certain("f() { npm ci; }; a || f", "npm"));
    assert!(certain("g() { npm ci; }; f() { g; }; f", "npm"));
}

#[test]
fn guards_say_what_branches_depend_on() {
    let guards = |text: &'static str, program: &str| {
        let script = parse(text);
        script.guards(find(&script, program)).map(|guard| guard.kind).collect::<Vec<_>>()
    };
    let text = "if [ -f a ]; then x; elif ! [ -f b ]; then y; else z; fi";
    assert_eq!(guards(text, "x"), [GuardKind::Succeeds(0)]);
    assert_eq!(guards(text, "y"), [GuardKind::Fails(2), GuardKind::Fails(0)]);
    assert_eq!(guards(text, "z"), [GuardKind::Succeeds(2), GuardKind::Fails(0)]);
    assert_eq!(guards("[ -f a ] && x && y", "y"), [GuardKind::Succeeds(0)]);
    assert_eq!(guards("a || x", "x"), [GuardKind::Fails(0)]);
    assert_eq!(guards("a && b || x", "x"), [GuardKind::Unknown]);
    assert_eq!(guards("if a; b; then x; fi", "x"), [GuardKind::Unknown]);
    assert_eq!(guards("case $a in b) x;; esac", "x"), [GuardKind::Unknown]);
    assert_eq!(guards("f() { x; }", "x"), [GuardKind::Unknown]);
    assert_eq!(guards("f() { x; }; f", "x"), [GuardKind::Met]);
    assert_eq!(guards("a && x", "x"), []);
}

#[test]
fn directories_are_followed() {
    assert_eq!(cwd("cd web && npm ci", "npm"), "web");
    assert_eq!(cwd("(cd web && a) && npm ci", "npm"), "start");
    assert_eq!(cwd("cd web && cd ../api && npm ci", "npm"), "api");
    assert_eq!(cwd("cd /srv/x/ ; npm ci", "npm"), "/srv/x");
    assert_eq!(cwd("pushd web && a && popd && npm ci", "npm"), "start");
    assert_eq!(cwd("cd web && cd - && npm ci", "npm"), "start");
    assert_eq!(cwd("cd \"$X\" && npm ci", "npm"), "unknown");
    assert_eq!(cwd("X=web; cd \"$X\" && npm ci", "npm"), "web");
    assert_eq!(cwd("cd ~/x && npm ci", "npm"), "~/x");
    assert_eq!(cwd("cd $HOME && npm ci", "npm"), "~");
    assert_eq!(cwd("for d in a b; do (cd $d && npm ci); done", "npm"), "a and b");
    assert_eq!(cwd("if a; then cd x; fi; npm ci", "npm"), "unknown");
    assert_eq!(cwd("[ -d x ] && cd x; npm ci", "npm"), "unknown");
    assert_eq!(cwd("cd a || exit 1; npm ci", "npm"), "a");
    assert_eq!(cwd("cd x | y; npm ci", "npm"), "start");
    assert_eq!(cwd("f() { npm ci; }; cd web; f", "npm"), "web");
    assert_eq!(cwd("bash -c 'cd x'; npm ci", "npm"), "start");
}

#[test]
fn variables_of_the_text_and_of_the_environment_are_resolved() {
    let variables = |name: &str| match name {
        "PKG" => Some(Cow::Borrowed("apk add")),
        "HOME" => Some(Cow::Borrowed("/home/app")),
        _ => None,
    };
    let text = "$PKG curl && rm -rf ~/.npm \"$HOME\"/x ${Y:-d} '$PKG' \"$PKG\"; PKG=yum; $PKG install";
    let options = Options { variables: Some(&variables), ..Options::default() };
    let script = shell::parse_str(text, 0, &options);
    let lines: Vec<_> = script.commands.iter().map(line).collect();
    assert_eq!(
        lines,
        ["apk add curl", "rm -rf /home/app/.npm /home/app/x d $PKG [apk add]", "", "yum install"]
    );
    assert_eq!(script.commands[0].argv[1].span.of(text), "$PKG");
    check("export A=npm; $A ci; (A=yarn; $A); $A x", &["export A=npm", "npm ci", "", "yarn", "npm x"]);
    check("if a; then A=npm; fi; $A ci", &["a", "", "$A ci"]);
    check("A=1 b $A", &["b $A"]);
    let script = parse("export A=1; B=2; (export A=3; x); y; unset A; A=4 z");
    let value = |program: &str, name: &str| {
        let variable = script.variable(find(&script, program), name)?;
        Some((variable.value.map(|word| word.text.to_string()), variable.exported))
    };
    assert_eq!(value("x", "A"), Some((Some("3".into()), true)));
    assert_eq!(value("y", "A"), Some((Some("1".into()), true)));
    assert_eq!(value("y", "B"), Some((Some("2".into()), false)));
    assert_eq!(value("z", "A"), Some((Some("4".into()), true)));
    assert_eq!(value("y", "C"), None);
}

#[test]
fn expand_takes_plain_forms_only() {
    let lookup = |name: &str| (name == "X").then_some(Cow::Borrowed("v"));
    for (text, expect) in [
        ("a", Some("a")),
        ("$X/${X}b", Some("v/vb")),
        ("${Y:-d}${Y-$X}${Y:=${Z:-e}}", Some("dve")),
        ("'$X' \"$X\" \\$X", Some("$X v $X")),
        ("$Y", None),
        ("${X%.*}", None),
        ("$(x)", None),
    ] {
        assert_eq!(shell::expand(text, &lookup).as_deref(), expect, "{text}");
    }
}

#[test]
fn heredocs_of_a_script_are_data_or_scripts() {
    check("cat > f <<EOF && a\nnpm ci 'x\nEOF\nb", &["cat", "a", "b"]);
    check("bash <<'EOF'\nnpm ci\nEOF\nb", &["npm ci", "b"]);
    check("sh -s -- x <<-EOF\n\tnpm \\$X\n\tEOF\nb", &["npm $X", "b"]);
    check("cat <<A <<B\n1\nA\n2\nB\nc", &["cat", "c"]);
    let text = "cat <<EOF\none\ntwo\nEOF\nb";
    assert_eq!(parse(text).commands[0].redirects[0].body.unwrap().of(text), "one\ntwo\n");
    let text = "bash <<'EOF'\nnpm ci\nEOF\n";
    assert_eq!(parse(text).commands[0].span.of(text), "npm ci");
    assert_eq!(parse("python3 <<EOF\nimport os\nEOF").commands[0].opaque, Some(Opaque::Script));
}

/// The first RUN of a Dockerfile.
fn run(text: &str) -> Script<'_> {
    let file = hitrate::dockerfile::parse(text);
    let run = file.instructions().find_map(|instruction| match &instruction.kind {
        Kind::Run(run) => Some(shell::from_command(
            &run.command,
            &Options { source: text, heredocs: &instruction.heredocs, ..Options::default() },
        )),
        _ => None,
    });
    run.unwrap()
}

#[test]
fn heredocs_of_a_run() {
    let programs = |script: &Script<'_>| script.commands.iter().map(line).collect::<Vec<_>>();
    let text = "RUN <<EOF\nset -e\nnpm ci && cd x\nyarn\nEOF\n";
    let script = run(text);
    assert_eq!(programs(&script), ["set -e", "npm ci", "cd x", "yarn"]);
    assert_eq!(script.commands[1].span.of(text), "npm ci");
    assert_eq!(programs(&run("RUN <<EOF\n#!/usr/bin/env bash\nnpm ci\nEOF\n")), ["npm ci"]);
    let python = run("RUN <<EOF\n#!/usr/bin/env python3\nimport os\nEOF\n");
    assert!(python.commands.is_empty() && python.opaque.len() == 1);
    assert_eq!(programs(&run("RUN bash <<'EOF'\nnpm ci\nEOF\n")), ["npm ci"]);
    assert_eq!(programs(&run("RUN cat <<EOF > x && yarn\nnpm ci\nEOF\n")), ["cat", "yarn"]);
    assert_eq!(programs(&run("RUN python3 <<EOF\nnpm ci\nEOF\n")), ["python3"]);
    assert_eq!(programs(&run("RUN <<-EOF\n\tnpm ci\n\tyarn\nEOF\n")), ["npm ci", "yarn"]);
}

#[test]
fn exec_form_has_no_shell_but_may_start_one() {
    let text = r#"RUN ["sh", "-c", "npm ci && echo \"x\" && cd y && yarn"]"#;
    let script = run(text);
    let lines: Vec<_> = script.commands.iter().map(line).collect();
    assert_eq!(lines, ["npm ci", "echo x", "cd y", "yarn"]);
    assert_eq!(script.commands[3].span.of(text), "yarn");
    assert_eq!(script.commands[3].cwd, Cwd::Path("y".into()));
    let script = run(r#"RUN ["npm", "$X && y", "*"]"#);
    assert_eq!(script.commands.len(), 1);
    assert!(script.commands[0].argv.iter().all(|word| word.literal && !word.glob));
}

#[test]
fn recipes_and_ci_expressions() {
    let make = Options { dialect: Dialect::Make, ..Options::default() };
    let script = shell::parse_str("docker build -t $(IMAGE):$${TAG} $(shell pwd)", 0, &make);
    assert_eq!(script.commands.len(), 1);
    assert_eq!(line(&script.commands[0]), "docker build -t $(IMAGE):$${TAG} [$(shell pwd)]");
    let image = |name: &str| (name == "IMAGE").then_some(Cow::Borrowed("app"));
    let known = Options { variables: Some(&image), ..make };
    assert_eq!(line(&shell::parse_str("docker push $(IMAGE)", 0, &known).commands[0]), "docker push app");
    check(
        "docker build -t ${{ env.X }}:$[[ inputs.y ]] .",
        &["docker build -t [${{ env.X }}:$[[ inputs.y ]]] ."],
    );
}

#[test]
fn deep_nesting_ends_in_an_opaque_stretch() {
    for (open, close) in
        [("(a;", ")"), ("$(", ")"), ("{ ", "; }"), ("\"$(", ")\""), ("${a:-", "}"), ("if ", "")]
    {
        let text = format!("a; {}b{}", open.repeat(20_000), close.repeat(20_000));
        let script = parse(&text);
        assert!(!script.opaque.is_empty(), "{open}");
        assert_eq!(script.commands[0].argv[0].text, "a");
    }
    let mut text = "npm ci".to_owned();
    for _ in 0..12 {
        text = format!("sh -c \"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    }
    assert_eq!(lines(&text), ["npm ci"]);
}
