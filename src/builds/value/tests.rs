use super::*;
use crate::builds::Volatility::{Fixed, PerBranch, PerCommit, PerRelease, PerRun, Unknown};

fn symbolic(text: &str) -> Volatility {
    match Vars::default().value(text) {
        Value::Symbolic { text: kept, volatility } => {
            assert_eq!(kept, text);
            volatility
        }
        Value::Known(known) => panic!("{known} is not known"),
    }
}

#[test]
fn the_fastest_part_decides() {
    for (text, volatility) in [
        ("app:${{ github.sha }}", PerCommit),
        ("${{github.ref_name}}-${{ github.run_id }}", PerRun),
        ("$CI_REGISTRY_IMAGE:$CI_COMMIT_REF_SLUG", PerBranch),
        ("$CI_REGISTRY_IMAGE:cache", Fixed),
        ("v${BUILDKITE_COMMIT:0:7}", PerCommit),
        ("${timestamp()}", PerRun),
        ("$BUILDKITE_COMMIT", PerCommit),
        ("$(git rev-parse --short HEAD)", PerCommit),
        ("$(git rev-parse --abbrev-ref HEAD)", PerBranch),
        ("`date -u +%Y-%m-%dT%H:%M:%SZ`", PerRun),
        ("$(shell git describe --tags --always)", PerCommit),
        ("$(git -C x describe --abbrev=0)", PerRelease),
        ("$(Build.BuildId)", PerRun),
        ("$(cat ./VERSION)", PerRelease),
        ("$(echo $CI_COMMIT_REF_NAME | tr / -)", PerBranch),
        ("$(./version.sh)", Unknown),
        ("<< pipeline.git.revision >>", PerCommit),
        ("{{.VERSION}}", PerRelease),
        ("{{ git_sha }}", PerCommit),
        ("${{ matrix.image }}", Fixed),
        ("${{ steps.vars.outputs.sha_short }}", PerCommit),
        ("${{ env.X }}", Unknown),
        ("${{ github.event_name == 'push' && github.sha || 'pr' }}", PerCommit),
        ("$((1 + 2))", Unknown),
        ("$UNHEARD_OF", Unknown),
        ("${{ hashFiles('go.sum') }}", Unknown),
    ] {
        assert_eq!(symbolic(text), volatility, "{text}");
    }
}

#[test]
fn what_is_known_is_followed() {
    let mut vars = Vars::default();
    vars.set_foreign("IMAGE", "$CI_REGISTRY/app");
    vars.set_foreign("TAG", "1.2");
    vars.set_foreign("EMPTY", "");
    let value = |text: &str| vars.value(text);
    assert_eq!(value("x:$TAG"), Value::Known("x:1.2".into()));
    assert_eq!(value("x:${{ env.TAG }}-$(TAG)-{{.TAG}}"), Value::Known("x:1.2-1.2-1.2".into()));
    assert_eq!(value("${EMPTY:-d}${TAG:-e}"), Value::Known("d1.2".into()));
    assert_eq!(value("${IMAGE}:c"), Value::Symbolic { text: "$CI_REGISTRY/app:c".into(), volatility: Fixed });
    assert_eq!(value("a$$b"), Value::Known("a$$b".into()));
    assert_eq!(vars.value_or_default("${DIR:-docker}/Dockerfile"), Value::Known("docker/Dockerfile".into()));
    assert!(value("${DIR:-docker}").known().is_none());
    assert!(vars.value_or_default("${VERSION:-1}").known().is_none());
}

#[test]
fn keys_have_one_spelling() {
    let key = |text: &str| Vars::default().value(text).key().into_owned();
    assert_eq!(key("$CI_REGISTRY_IMAGE:cache"), key("${CI_REGISTRY_IMAGE}:cache"));
    assert_eq!(key("x:${{matrix.a}}"), key("x:${{  matrix.a }}"));
    assert_ne!(key("$A:x"), key("$AB:x"));
}

#[test]
fn pieces_concatenate_and_stay_linear() {
    for text in [
        "$",
        "${",
        "$(",
        "$((",
        "`",
        "{{",
        "${{",
        "<<",
        "<< x",
        "a<<b.c>>d",
        "$é${x:-$(y)}`z`",
        "$1$@$$x",
        "${A[@]}${B[*]:-x}${#C}${!D}",
        "{{{{}}}}",
        "${{ '}}' }}",
    ] {
        assert_eq!(pieces(text).map(Piece::raw).collect::<String>(), text);
    }
    for text in ["$(", "${", "{{", "<<a", "`$(", "$[["] {
        let long = text.repeat(5_000);
        assert_eq!(pieces(&long).map(|piece| piece.raw().len()).sum::<usize>(), long.len());
    }
}

#[test]
fn following_does_not_explode() {
    let mut vars = Vars::default();
    vars.set_foreign("A", "0123456789");
    for _ in 0..40 {
        vars.set_foreign("A", "$A$A");
    }
    assert!(vars.value("$A").text().len() <= 40_000);
}

#[test]
fn the_table_is_sorted() {
    assert_eq!(name_volatility("BUILDKITE_COMMIT"), PerCommit);
    assert_eq!(name_volatility("github.sha"), PerCommit);
    assert_eq!(name_volatility("npm_package_version"), PerRelease);
    assert_eq!(name_volatility("_PR_NUMBER"), PerBranch);
    assert_eq!(name_volatility("CI_PROJECT_NAME"), Fixed);
}
