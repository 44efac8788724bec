//! What commands do, where tools cache, and what defeats it, on the forms that real Dockerfiles use. Expectations are
//! those of the knowledge base behind `rules/tools`.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test

mod tools_kit;

use hitrate::tools::{Catalog, Kind, Mount, Needs};
use tools_kit::{Seen, walk, walk_with};

/// The uses in `RUN text`, as `tool kind needs`.
fn uses(text: &str) -> Vec<String> {
    let seen = walk(&format!("FROM x\nRUN {text}\n"), &[]).seen;
    let line = |seen: &Seen| format!("{} {:?} {:?}", seen.tool, seen.kind, seen.needs).to_lowercase();
    seen.iter().map(line).collect()
}

/// The last use in a Dockerfile.
fn last(text: &str) -> Seen {
    walk(text, &[]).seen.pop().unwrap()
}

#[test]
fn commands_are_recognised() {
    for (text, expect) in [
        (
            "set -eux; apt-get update; apt-get install -y --no-install-recommends gcc; rm -rf /var/lib/apt/lists/*",
            &["apt fetch none", "apt install none"][..],
        ),
        ("bash -lc \"nvm use 20 && npm ci\"", &["npm install manifests"]),
        ("xargs -a packages.txt apt-get install -y", &["apt install manifests"]),
        ("xargs apk add --no-cache < packages.txt", &["apk install manifests"]),
        (
            "(cd web && npm ci) && (cd api && yarn --frozen-lockfile)",
            &["npm install manifests", "yarn install manifests"],
        ),
        ("for d in a b; do (cd $d && npm ci); done", &["npm install manifests"]),
        ("corepack enable && yarn install --immutable", &["yarn-berry install manifests"]),
        ("--mount=type=secret,id=t NPM_TOKEN=$(cat /run/secrets/t) npm ci", &["npm install manifests"]),
        (
            "python -m pip install --no-cache-dir -U pip && pip install .",
            &["pip install none", "pip both sources"],
        ),
        (". /opt/venv/bin/activate && pip install -r requirements.txt", &["pip install manifests"]),
        ("npx --yes turbo prune web --docker", &["turbo run sources"]),
        ("$(command -v pip3 || command -v pip) install x", &["pip install none"]),
        ("[\"npm\",\"ci\"]", &["npm install manifests"]),
        ("[\"sh\",\"-c\",\"npm ci && npm cache clean --force\"]", &["npm install manifests"]),
        ("su - node -c 'npm ci'", &["npm install manifests"]),
        ("dotnet publish -c Release", &["dotnet both sources"]),
        ("./gradlew dependencies", &["gradle fetch manifests"]),
        ("./gradlew build", &["gradle both sources"]),
        ("sudo -E env FOO=1 timeout 600 corepack pnpm@9 install", &["pnpm install manifests"]),
        ("/opt/venv/bin/pip3.11 install -r a.txt", &["pip install manifests"]),
        ("npm --prefix web ci", &["npm install manifests"]),
        ("npm --foo bar ci", &["npm install manifests"]),
        ("cargo +nightly build --release", &["cargo both sources"]),
        ("cargo chef cook --recipe-path recipe.json", &["cargo-chef both manifests"]),
        ("mvn -f sub/pom.xml -B clean package", &["maven both sources"]),
        ("mvn -B dependency:go-offline", &["maven fetch manifests"]),
        ("sh ./mvnw -B verify", &["maven both sources"]),
        ("go -C svc build ./...", &["go both sources"]),
        ("go install golang.org/x/tools/gopls@latest", &["go both none"]),
        ("go mod download -x", &["go install manifests"]),
        ("poetry run python manage.py", &["poetry run sources"]),
        ("poetry install --no-root --only main", &["poetry install manifests"]),
        ("bundle exec rails assets:precompile", &["rails build sources"]),
        ("bundle", &["bundler install manifests"]),
        ("pacman -Syu --noconfirm --needed gcc", &["pacman install none"]),
        ("pacman -Sy", &["pacman fetch none"]),
        ("uv sync --locked --no-install-project", &["uv install manifests"]),
        ("uv pip install --system -r requirements.txt", &["uv install manifests"]),
        ("pnpm fetch --prod", &["pnpm install manifests"]),
        ("pnpm -r build", &["pnpm build sources"]),
        ("pnpm turbo run build", &["turbo build sources"]),
        ("yarn playwright install", &["playwright install none"]),
        ("php composer.phar install", &["composer install manifests"]),
        ("composer install -a --no-dev", &["composer install sources"]),
        ("composer install --no-dev --optimize-autoloader --no-autoloader", &["composer install manifests"]),
        ("Rscript -e 'renv::restore(prompt = FALSE)'", &["renv install manifests"]),
        ("python3 -W ignore -m nltk.downloader punkt", &["nltk fetch none"]),
        ("python get-pip.py 'pip==20.2'", &["pip install none"]),
        ("bin/easy_install flup", &["pip install none"]),
        ("node .yarn/releases/yarn-4.1.0.cjs install", &["yarn-berry install manifests"]),
        ("npm i -g pnpm", &["npm install none"]),
        ("npm install ./local.tgz", &["npm install sources"]),
        ("dotnet publish --no-restore", &["dotnet build sources"]),
        ("gem install bundler --version 2.4.20", &["gem install none"]),
        ("conda env create -f environment.yml", &["conda install manifests"]),
        ("mix do deps.get, deps.compile", &["mix both sources"]),
        ("git -C /src fetch --depth 1 origin main", &["git fetch none"]),
    ] {
        assert_eq!(uses(text), expect, "{text}");
    }
}

#[test]
fn false_friends_are_nothing() {
    for text in [
        "echo \"run npm ci to install\"",
        "npm config get cache",
        "npm prune --production",
        "npm --version",
        "command -v npm && which yarn",
        "pip freeze > x",
        "pip cache dir",
        "apt-mark hold gcc",
        "apt-get purge -y gcc && apt-get clean",
        "dpkg -i x.deb",
        "cargo --version && cargo clean",
        "go env GOPATH && go version",
        "mvn -v",
        "mvn clean",
        "yarn --version",
        "conda activate x",
        "bundle config set path vendor",
        "composer config -g x y",
        "corepack enable",
        "gem env",
        "apk del gcc",
        "dotnet --info",
        "dotnet nuget locals all --clear",
        "$UNKNOWN install",
        "cat <<EOF > x\nnpm ci\nEOF",
    ] {
        assert_eq!(uses(text), [""; 0], "{text}");
    }
    assert_eq!(walk("FROM x\nRUN python3 <<EOF\nnpm ci\nEOF\n", &[]).seen.len(), 0);
    assert_eq!(uses("./gradlew --version"), ["gradle fetch manifests"], "it downloads the distribution");
}

#[test]
fn heredocs_are_scripts() {
    for text in ["RUN <<EOF\nset -e\nnpm ci\nEOF\n", "RUN bash <<'EOF'\nnpm ci\nEOF\n"] {
        assert_eq!(last(&format!("FROM x\n{text}")).tool, "npm", "{text}");
    }
}

#[test]
fn directories_follow_cd_and_options() {
    for (text, expect) in [
        ("npm --prefix web ci", Some("/src/web")),
        ("npm ci --prefix web", Some("/src/web")),
        ("cd web && npm ci", Some("/src/web")),
        ("cd /api && yarn --cwd sub install", Some("/api/sub")),
        ("mvn -f sub/pom.xml package", Some("/src/sub")),
        ("cargo build --manifest-path crates/a/Cargo.toml", Some("/src/crates/a")),
        ("cd \"$SOMEWHERE\" && npm ci", None),
        ("for d in a b; do (cd $d && npm ci); done", None),
    ] {
        let seen = last(&format!("FROM x\nWORKDIR /src\nRUN {text}\n"));
        assert_eq!(seen.directory.as_deref(), expect, "{text}");
    }
}

#[test]
fn named_manifests_are_found() {
    for (text, expect) in [
        (
            "pip install -r requirements/base.txt -c constraints.txt",
            &["requirements/base.txt", "constraints.txt"][..],
        ),
        ("pip-sync requirements.txt dev.txt", &["requirements.txt", "dev.txt"]),
        ("uv pip sync requirements.txt", &["requirements.txt"]),
        ("xargs -a packages.txt apt-get install -y", &["packages.txt"]),
        ("xargs apk add < packages.txt", &["packages.txt"]),
        ("conda env create --file=environment.yml", &["environment.yml"]),
        ("cargo chef cook --recipe-path recipe.json", &["recipe.json"]),
    ] {
        assert_eq!(last(&format!("FROM x\nRUN {text}\n")).named, expect, "{text}");
    }
}

#[test]
fn requirements_files_are_followed() {
    let files = [("requirements/dev.txt", "-r base.txt\n-e .\n"), ("requirements/base.txt", "x==1\n")];
    let seen =
        walk("FROM x\nWORKDIR /s\nRUN pip install -r requirements/dev.txt\n", &files).seen.pop().unwrap();
    assert_eq!(seen.named, ["requirements/dev.txt", "requirements/base.txt"]);
    assert_eq!(seen.needs, Needs::Sources, "-e . installs the project");
    let seen =
        walk("FROM x\nWORKDIR /s\nRUN pip install -r requirements/base.txt\n", &files).seen.pop().unwrap();
    assert_eq!(seen.needs, Needs::Manifests);
}

/// The paths on which a mount is good for the last use.
fn good(text: &str) -> Vec<String> {
    last(text).good().into_iter().map(str::to_owned).collect()
}

#[test]
fn caches_follow_user_environment_options_and_settings() {
    for (text, expect) in [
        ("FROM node:22\nRUN npm ci", &["/root/.npm"][..]),
        ("FROM node:22\nUSER node\nRUN npm ci", &["/home/node/.npm"]),
        ("FROM node:22\nUSER 1000\nRUN npm ci", &["/home/node/.npm"]),
        ("FROM x\nENV HOME=/h\nUSER app\nRUN npm ci", &["/h/.npm"]),
        ("FROM x\nENV npm_config_cache=/c\nRUN npm ci", &["/c"]),
        ("FROM x\nRUN npm ci --cache /c", &["/c"]),
        ("FROM x\nRUN NPM_CONFIG_CACHE=/c npm ci", &["/c"]),
        ("FROM x\nRUN export NPM_CONFIG_CACHE=/c && npm ci", &["/c"]),
        ("FROM x\nRUN npm config set cache /c\nRUN npm ci", &["/c"]),
        ("FROM x\nENV XDG_CACHE_HOME=/x\nRUN npm ci", &["/root/.npm"]),
        ("FROM x\nENV XDG_CACHE_HOME=/x\nRUN pip install a", &["/x/pip"]),
        ("FROM x\nRUN useradd -m -d /srv/app app\nUSER app\nRUN pip install a", &["/srv/app/.cache/pip"]),
        ("FROM x\nRUN su - node -c 'pip install a'", &["/home/node/.cache/pip"]),
        ("FROM x\nENV PIP_CACHE_DIR=/c\nRUN su - node -c 'pip install a'", &["/home/node/.cache/pip"]),
        ("FROM x\nENV PIP_CACHE_DIR=/c\nRUN su node -c 'pip install a'", &["/c"]),
        ("FROM golang\nRUN go mod download", &["/go/pkg/mod"]),
        ("FROM golang\nRUN go build", &["/go/pkg/mod", "/root/.cache/go-build"]),
        ("FROM x\nRUN go mod download", &["/root/go/pkg/mod"]),
        ("FROM x\nRUN go env -w GOMODCACHE=/m\nRUN go mod download", &["/m"]),
        ("FROM golang\nRUN go build -mod=vendor", &["/root/.cache/go-build"]),
        (
            "FROM rust\nWORKDIR /a\nRUN cargo build",
            &["/usr/local/cargo/registry", "/usr/local/cargo/git", "/a/target"],
        ),
        ("FROM rust\nWORKDIR /a\nRUN cargo fetch", &["/usr/local/cargo/registry", "/usr/local/cargo/git"]),
        (
            "FROM rust\nENV CARGO_TARGET_DIR=/t\nRUN cargo build",
            &["/usr/local/cargo/registry", "/usr/local/cargo/git", "/t"],
        ),
        ("FROM x\nRUN cargo install just", &["/root/.cargo/registry", "/root/.cargo/git"]),
        ("FROM x\nRUN cargo binstall just", &[]),
        (
            "FROM lukemathwalker/cargo-chef:latest-rust-1.90\nRUN cargo chef cook --recipe-path recipe.json",
            &["/usr/local/cargo/registry", "/usr/local/cargo/git"],
        ),
        ("FROM python\nRUN python -m build", &["/root/.cache/pip"]),
        ("FROM python\nRUN python setup.py install", &[]),
        ("FROM python\nRUN python setup.py bdist_wheel", &[]),
        ("FROM x\nRUN apt-get -o Dir::Cache=/c install -y a", &["/c", "/var/lib/apt/lists"]),
        ("FROM fedora:40\nRUN dnf --setopt=cachedir=/c install a", &["/c"]),
        ("FROM x\nRUN pip install --cache-dir=/c a", &["/c"]),
        ("FROM x\nRUN pip config --global set global.cache-dir /c\nRUN pip install a", &["/c"]),
        ("FROM x\nRUN npm config set cache=/c && npm ci", &["/c"]),
        ("FROM x\nRUN yarn config set cache-folder /y\nRUN yarn install --production", &["/y"]),
        ("FROM x\nRUN pnpm config set store-dir /s\nRUN pnpm install", &["/s"]),
        (
            "FROM x\nRUN poetry config cache-dir /p\nRUN poetry install --no-root",
            &["/p/cache", "/p/artifacts"],
        ),
        (
            "FROM ruby\nWORKDIR /w\nRUN bundle config set --local path vendor\nRUN bundle install",
            &["/w/vendor/ruby/*/cache"],
        ),
        ("FROM composer\nRUN composer config -g cache-dir /k\nRUN composer install", &["/k"]),
        ("FROM x\nENV D=/d\nRUN npm config set cache $D/npm\nRUN npm ci", &["/d/npm"]),
        // The JVM's user.home is that of passwd.
        ("FROM x\nENV HOME=/h\nRUN mvn package", &["/root/.m2/repository"]),
        ("FROM x\nRUN mvn -Dmaven.repo.local=/r package", &["/r"]),
        ("FROM x\nENV MAVEN_OPTS=\"-Xmx1g -Dmaven.repo.local=/r\"\nRUN mvn package", &["/r"]),
        ("FROM x\nENV MAVEN_CONFIG=/c\nRUN mvn package", &["/root/.m2/repository"]),
        ("FROM gradle\nUSER gradle\nRUN gradle build", &["/home/gradle/.gradle"]),
        ("FROM x\nENV GRADLE_USER_HOME=/g\nRUN ./gradlew build", &["/g"]),
        ("FROM node\nRUN yarn install --production", &["/usr/local/share/.cache/yarn"]),
        ("FROM node\nUSER node\nRUN yarn install --production", &["/home/node/.cache/yarn"]),
        ("FROM node\nENV HOME=/h\nRUN yarn install --production", &["/usr/local/share/.cache/yarn"]),
        ("FROM node\nENV PNPM_HOME=/pnpm\nRUN pnpm install", &["/pnpm/store"]),
        ("FROM node\nRUN pnpm install", &["/root/.local/share/pnpm/store"]),
        ("FROM x\nRUN bun install", &["/root/.bun/install/cache"]),
        ("FROM debian\nRUN apt-get install -y gcc", &["/var/cache/apt", "/var/lib/apt/lists"]),
        ("FROM alpine\nRUN apk add gcc", &["/etc/apk/cache"]),
        ("FROM alpine\nRUN apk --root /out --no-cache add --initdb gcc", &["/out/etc/apk/cache"]),
        ("FROM x\nRUN helm plugin install https://example.org/helm-diff", &[]),
        ("FROM fedora:42\nRUN dnf install gcc", &["/var/cache/libdnf5"]),
        ("FROM fedora:40\nRUN dnf install gcc", &["/var/cache/dnf"]),
        ("FROM rockylinux:9\nRUN yum install gcc", &["/var/cache/dnf"]),
        ("FROM centos:7\nRUN yum install gcc", &["/var/cache/yum"]),
        ("FROM registry.centos.org/centos/centos:7\nRUN yum install gcc", &["/var/cache/yum"]),
        ("FROM oraclelinux:7\nRUN yum install gcc", &["/var/cache/yum"]),
        ("FROM ruby\nRUN bundle install", &["/usr/local/bundle/cache"]),
        ("FROM x\nENV BUNDLE_PATH=/b\nRUN bundle install", &["/b/ruby/*/cache"]),
        (
            "FROM ruby\nWORKDIR /w\nENV BUNDLE_DEPLOYMENT=1\nRUN bundle install",
            &["/w/vendor/bundle/ruby/*/cache"],
        ),
        (
            "FROM ruby\nWORKDIR /w\nRUN bundle config set --local deployment 'true'\nRUN bundle install",
            &["/w/vendor/bundle/ruby/*/cache"],
        ),
        ("FROM dunglas/frankenphp\nRUN composer install", &["/root/.cache/composer"]),
        ("FROM quay.io/jupyter/base-notebook\nRUN mamba install -y numpy", &["/opt/conda/pkgs"]),
        (
            "FROM continuumio/miniconda3\nRUN useradd -m a\nUSER a\nRUN conda install numpy",
            &["/home/a/.conda/pkgs"],
        ),
        ("FROM composer\nRUN composer install", &["/tmp/cache"]),
        ("FROM php\nRUN composer install", &["/root/.composer/cache"]),
        ("FROM mcr.microsoft.com/dotnet/sdk:8.0\nRUN dotnet restore", &["/root/.nuget/packages"]),
        (
            "FROM x\nRUN poetry install --no-root",
            &["/root/.cache/pypoetry/cache", "/root/.cache/pypoetry/artifacts"],
        ),
        ("FROM x\nWORKDIR /app\nRUN npx next build", &["/app/.next/cache"]),
        ("FROM x\nWORKDIR /app\nRUN nx build web", &["/app/.nx"]),
        ("FROM x\nRUN sbt assembly", &["/root/.cache/coursier", "/root/.ivy2", "/root/.sbt"]),
        ("FROM x\nRUN pipx install poetry", &["/root/.cache/pip"]),
        ("FROM x\nRUN julia -e 'using Pkg; Pkg.instantiate()'", &[]),
        ("FROM x\nRUN pnpm add -g turbo", &[]),
        ("FROM x\nRUN rbenv install 3.4.1", &["/root/.rbenv/cache"]),
        ("FROM x\nRUN ruby-build 3.4.1 /opt/ruby", &[]),
        ("FROM x\nENV RUBY_BUILD_CACHE_PATH=/c\nRUN ruby-build 3.4.1 /opt/ruby", &["/c"]),
    ] {
        assert_eq!(good(text), expect, "{text}");
    }
}

#[test]
fn what_is_not_known_is_not_certain() {
    let sure = |text: &str| last(text).caches.first().unwrap().sure;
    assert!(sure("FROM node\nUSER node\nRUN npm ci"));
    assert!(!sure("FROM x\nUSER app\nRUN npm ci"), "where is the home of app?");
    assert!(sure("FROM x\nRUN adduser -D app\nUSER app\nRUN npm ci"));
    assert!(!sure("FROM x\nRUN dnf install gcc"), "dnf 4 or 5?");
    let seen = last("FROM x\nUSER 1234\nRUN npm ci");
    assert_eq!(seen.caches[0].path, None);
    assert_eq!(last("FROM x\nRUN npm ci --cache \"$(pwd)/c\"").caches[0].path, None);
    assert_eq!(last("FROM golang\nENV GOPATH=/a:/go\nRUN go mod download").caches[0].path, None);
}

#[test]
fn outputs_are_never_good_mounts() {
    for (text, bad) in [
        ("npx playwright install", "/root/.cache/ms-playwright"),
        ("cypress install", "/root/.cache/Cypress"),
        ("corepack prepare pnpm@9 --activate", "/root/.cache/node/corepack"),
        ("poetry install", "/root/.cache/pypoetry"),
        ("rustup target add x", "/root/.rustup"),
        ("mix deps.get", "/deps"),
        ("hf download org/model", "/root/.cache/huggingface/hub"),
        ("pnpm install", "/root/.local/share/pnpm"),
        ("cargo chef cook", "/target"),
        ("terraform init", "/.terraform"),
        ("npm ci", "/node_modules"),
        ("composer install", "/vendor"),
        ("go install x@1", "/root/go"),
        ("cargo build", "/root/.cargo"),
        ("next build", "/.next"),
        ("uv sync", "/.venv"),
    ] {
        let seen = last(&format!("FROM x\nRUN {text}\n"));
        assert!(seen.bad().contains(&bad), "{text}: {:?}", seen.caches);
    }
    let poetry = last("FROM x\nENV POETRY_VIRTUALENVS_CREATE=false\nRUN poetry install");
    assert!(!poetry.bad().contains(&"/root/.cache/pypoetry"), "{:?}", poetry.caches);
}

#[test]
fn the_only_place_of_dependencies_is_known() {
    let later = |text: &str| {
        let seen = last(&format!("FROM x\nRUN {text}\n"));
        let good = seen.caches.iter().filter(|dir| dir.later && dir.mount == Mount::Yes);
        good.filter_map(|dir| dir.path.clone()).collect::<Vec<_>>()
    };
    assert!(later("gradle dependencies").contains(&"/root/.gradle".to_owned()));
    assert_eq!(later("dotnet restore"), ["/root/.nuget/packages"]);
    assert_eq!(later("go mod download"), ["/root/go/pkg/mod"]);
    assert!(later("mvn dependency:go-offline").contains(&"/root/.m2/repository".to_owned()));
    assert_eq!(later("npm ci"), [""; 0]);
    assert_eq!(later("pip install x"), [""; 0]);
    assert_eq!(later("uv pip install x"), [""; 0]);
    let links = last("FROM x\nRUN UV_LINK_MODE=symlink uv pip install x");
    assert!(links.bad().contains(&"/root/.cache/uv"), "{:?}", links.caches);
}

#[test]
fn defeats_are_found() {
    let defeats = |text: &str| last(text).defeats.join(";");
    for (text, expect) in [
        ("FROM x\nRUN pip install --no-cache-dir x", "--no-cache-dir"),
        ("FROM x\nENV PIP_NO_CACHE_DIR=off\nRUN pip install x", "PIP_NO_CACHE_DIR"),
        ("FROM x\nENV PIP_NO_CACHE_DIR=1\nRUN pipx install x", "PIP_NO_CACHE_DIR"),
        ("FROM x\nENV UV_NO_CACHE=1\nRUN uv pip install x", "UV_NO_CACHE"),
        ("FROM x\nRUN pip config set global.no-cache-dir true\nRUN pip install x", "global.no-cache-dir"),
        ("FROM x\nRUN apk add --no-cache x", "--no-cache"),
        ("FROM x\nRUN apt-get install -y x", "docker-clean"),
        ("FROM x\nRUN dnf --setopt=keepcache=0 install x", "--setopt"),
        ("FROM x\nRUN gradle build --refresh-dependencies", "--refresh-dependencies"),
        ("FROM x\nRUN deno cache --reload main.ts", "--reload"),
    ] {
        assert!(defeats(text).contains(expect), "{text}: {}", defeats(text));
    }
    for text in [
        "FROM x\nENV PIP_NO_CACHE_DIR=\nRUN pip install x",
        "FROM x\nENV UV_NO_CACHE=false\nRUN uv pip install x",
        "FROM x\nRUN npm ci --no-cache",
        "FROM x\nRUN rm -f /etc/apt/apt.conf.d/docker-clean\nRUN apt-get install -y x",
        "FROM x\nRUN rm -f /etc/apt/apt.conf.d/docker-clean && apt-get install -y x",
        "FROM x\nRUN mv /etc/apt/apt.conf.d/docker-clean /tmp && apt-get install -y x",
        "FROM x\nRUN dotnet restore --no-cache",
    ] {
        assert_eq!(defeats(text), "", "{text}");
    }
}

#[test]
fn cleanups_go_by_path_and_by_command() {
    for (text, expect) in [
        ("rm -rf /var/lib/apt/lists/*", &["/var/lib/apt/lists/*"][..]),
        ("rm -r -f \"/var/lib/apt/lists\"", &["/var/lib/apt/lists"]),
        ("rm --recursive --force /var/{cache,log}/*", &["/var/cache/*", "/var/log/*"]),
        ("rm -rf ~/.cache $HOME/.npm ${HOME}/.m2", &["/root/.cache", "/root/.npm", "/root/.m2"]),
        ("cd /src && rm -rf .next", &["/src/.next"]),
        ("find /var/cache/apt -type f -delete", &["/var/cache/apt/*"]),
        ("find / -name '*.pyc' -delete", &[]),
        ("npm cache clean --force", &["npm"]),
        ("apt-get clean", &["apt"]),
        ("dnf -y clean all", &["dnf"]),
        ("yes | pacman -Scc", &["pacman"]),
        ("conda clean -afy", &["conda"]),
        ("go clean -cache -modcache", &["go"]),
        ("dotnet nuget locals all --clear", &["dotnet"]),
        ("cargo clean", &["cargo"]),
        ("yarn cache clean", &["yarn"]),
    ] {
        let mut cleared = walk(&format!("FROM x\nRUN {text}\n"), &[]).cleared;
        cleared.retain(|name| name != "yarn-berry");
        assert_eq!(cleared, expect, "{text}");
    }
}

#[test]
fn companions_are_asked_for_until_they_are_there() {
    let missing = |text: &str| last(text).missing;
    assert_eq!(missing("FROM x\nRUN uv sync"), ["UV_LINK_MODE=copy"]);
    assert_eq!(missing("FROM x\nENV UV_LINK_MODE=copy\nRUN uv sync"), [""; 0]);
    assert_eq!(missing("FROM x\nRUN dnf install x"), ["--setopt=keepcache=1"]);
    assert_eq!(missing("FROM x\nRUN dnf --setopt=keepcache=True install x"), [""; 0]);
    assert_eq!(missing("FROM x\nRUN echo keepcache=1 >> /etc/dnf/dnf.conf && dnf install x"), [""; 0]);
    assert_eq!(missing("FROM x\nRUN apt-get install x"), ["rm -f /etc/apt/apt.conf.d/docker-clean"]);
    assert_eq!(missing("FROM x\nRUN rm /etc/apt/apt.conf.d/docker-clean; apt-get install x"), [""; 0]);
    assert_eq!(missing("FROM x\nRUN apt install x").len(), 2, "apt also needs keep-cache");
    assert_eq!(missing("FROM x\nRUN zypper mr -k -a && zypper in x"), [""; 0]);
    assert_eq!(missing("FROM x\nRUN zypper in x").len(), 1);
}

#[test]
fn yarn_is_told_apart_by_the_context() {
    let run = "FROM node\nWORKDIR /a\nRUN yarn install\n";
    let with = |files: &[(&str, &str)]| walk(run, files).seen.pop().unwrap();
    let classic = with(&[("yarn.lock", "# yarn lockfile v1\n"), ("package.json", "{}")]);
    assert_eq!((classic.tool.as_str(), classic.sure), ("yarn", true));
    for berry in [
        &[("yarn.lock", "__metadata:\n  version: 8\n")][..],
        &[(".yarnrc.yml", "nodeLinker: node-modules\n")],
        &[("package.json", "{\"packageManager\": \"yarn@4.1.0\"}")],
    ] {
        let seen = with(berry);
        assert_eq!((seen.tool.as_str(), seen.sure), ("yarn-berry", true), "{berry:?}");
    }
    let pnp = with(&[("yarn.lock", "__metadata:\n")]);
    assert!(pnp.good().is_empty() && pnp.bad().contains(&"/root/.yarn/berry/cache"), "{:?}", pnp.caches);
    let modules = with(&[(".yarnrc.yml", "nodeLinker: node-modules\n")]);
    assert_eq!(modules.good(), ["/root/.yarn/berry/cache"]);
    for local in [
        &[(".yarnrc.yml", "enableGlobalCache: false\nnodeLinker: node-modules\n")][..],
        &[
            ("package.json", "{\"packageManager\": \"yarn@3.6.1\"}"),
            (".yarnrc.yml", "nodeLinker: node-modules\n"),
        ],
    ] {
        let seen = with(local);
        let dir = seen.caches.iter().find(|dir| dir.path.as_deref() == Some("/a/.yarn/cache")).unwrap();
        assert!(
            seen.good().is_empty() && dir.mount == Mount::No && !dir.later,
            "{local:?}: {:?}",
            seen.caches
        );
    }
    let unknown = walk(run, &[]).seen.pop().unwrap();
    assert!(unknown.tool == "yarn" && !unknown.sure && unknown.caches.iter().all(|dir| !dir.sure));
}

#[test]
fn project_scripts_are_read_where_they_are_known() {
    let json = r#"{"scripts": {"build": "npm run clean && next build", "postinstall": "prisma generate"}}"#;
    let files = [("package.json", json)];
    let install = walk("FROM node\nWORKDIR /a\nRUN npm ci\n", &files).seen.pop().unwrap();
    assert_eq!(install.scripts, Some(vec!["postinstall".to_owned()]));
    let skipped = walk("FROM node\nWORKDIR /a\nRUN npm ci --ignore-scripts\n", &files).seen.pop().unwrap();
    assert_eq!(skipped.scripts, Some(Vec::new()));
    assert_eq!(last("FROM node\nRUN npm ci").scripts, None, "the manifest is not known");
    for command in ["npm run build", "yarn build", "pnpm build", "bun run build"] {
        let build = walk(&format!("FROM node\nWORKDIR /a\nRUN {command}\n"), &files).seen.pop().unwrap();
        assert!(build.inner.contains(&"/a/.next/cache".to_owned()), "{command}: {:?}", build.inner);
    }
}

#[test]
fn users_have_the_numbers_that_mounts_need() {
    assert_eq!(last("FROM node\nUSER node\nRUN npm ci").uid, Some(1000));
    assert_eq!(last("FROM x\nRUN useradd -u 1234 app\nUSER app\nRUN npm ci").uid, Some(1234));
    assert_eq!(last("FROM x\nUSER app\nRUN npm ci").uid, None);
    assert_eq!(last("FROM x\nUSER 5000:5000\nRUN npm ci").uid, Some(5000));
    assert_eq!(last("FROM mambaorg/micromamba\nRUN micromamba install x").uid, None);
    assert_eq!(last("FROM x\nUSER app\nRUN sudo apt-get install x").uid, Some(0));
}

#[test]
fn users_add_and_replace_tools() {
    let own = "name = \"bake-it\"\necosystem = \"own\"\nexecutables = [\"bakeit\"]\n\
               commands = [{ match = \"up\", kind = \"install\", needs = \"manifests\" }]\n\
               caches = [{ path = [\"$BAKEIT_CACHE\", \"~/.bakeit\"] }]\n";
    let npm = "name = \"npm\"\necosystem = \"javascript\"\nexecutables = [\"npm\"]\n\
               commands = [{ match = \"ci\", kind = \"install\", needs = \"manifests\" }]\n\
               caches = [{ path = [\"/elsewhere\"] }]\n";
    let catalog = Catalog::with([("bake-it.toml", own), ("npm.toml", npm)]).unwrap();
    let walk = walk_with(
        &catalog,
        "FROM x\nENV BAKEIT_CACHE=/b\nRUN bakeit up && npm ci && npm install && pip install x\n",
        &[],
    );
    let found: Vec<_> = walk.seen.iter().map(|seen| (seen.tool.as_str(), seen.good())).collect();
    assert_eq!(
        found,
        [("bake-it", vec!["/b"]), ("npm", vec!["/elsewhere"]), ("pip", vec!["/root/.cache/pip"])]
    );
    assert_eq!(walk.seen[0].kind, Kind::Install);
    let error = Catalog::with([("x.toml", "name = 1")]).unwrap_err().to_string();
    assert!(error.starts_with("x.toml: "), "{error}");
    let wrong = own.replace("caches", "cashes");
    assert!(Catalog::with([("x.toml", wrong.as_str())]).is_err(), "an unknown key is an error");
}

#[test]
fn branches_are_chosen_by_the_files_of_the_context() {
    let run = "if [ -f yarn.lock ]; then yarn --frozen-lockfile; elif [ -f package-lock.json ]; then npm ci; \
               elif [ -f pnpm-lock.yaml ]; then corepack enable pnpm && pnpm i --frozen-lockfile; \
               else echo 'Lockfile not found.' && exit 1; fi";
    let with = |run: &str, file: &str| {
        let walk = walk(&format!("FROM node\nWORKDIR /a\nRUN {run}\n"), &[(file, "x")]);
        walk.seen.iter().map(|seen| (seen.tool.clone(), seen.certain)).collect::<Vec<_>>()
    };
    for (file, tool) in [("yarn.lock", "yarn"), ("package-lock.json", "npm"), ("pnpm-lock.yaml", "pnpm")] {
        assert_eq!(with(run, file), [(tool.to_owned(), true)], "{file}");
    }
    let unknown = walk(&format!("FROM node\nWORKDIR /a\nRUN {run}\n"), &[]).seen;
    let unknown: Vec<_> = unknown.iter().map(|seen| (seen.tool.as_str(), seen.certain)).collect();
    assert_eq!(unknown, [("yarn", false), ("npm", false), ("pnpm", false)]);
    assert_eq!(with("[ -f a ] && npm ci", "a"), [("npm".to_owned(), true)]);
    assert_eq!(with("[ -f a ] && npm ci", "b"), []);
    assert_eq!(with("[ ! -f a ] || npm ci", "a"), [("npm".to_owned(), true)]);
    assert_eq!(with("test -f a || npm ci", "a"), []);
    assert_eq!(with("if ! test -s a; then npm ci; fi", "a"), []);
    assert_eq!(with("cd web && if [ -f a ]; then npm ci; fi", "web/a"), [("npm".to_owned(), true)]);
    assert_eq!(with("if [ -f a ] && [ -f b ]; then npm ci; fi", "a"), [("npm".to_owned(), false)]);
    assert_eq!(with("f() { npm ci; }; f", "a"), [("npm".to_owned(), true)]);
    assert_eq!(with("f() { if [ -f a ]; then npm ci; fi; }; f", "a"), [("npm".to_owned(), true)]);
    assert_eq!(with("false || npm ci", "a"), [("npm".to_owned(), false)]);
}

#[test]
fn go_only_compiles_where_nothing_is_to_be_downloaded() {
    let run = "FROM golang\nWORKDIR /a\nRUN go build -o /app\n";
    let with = |files: &[(&str, &str)]| walk(run, files).seen.pop().unwrap();
    for alone in [
        &[("go.mod", "module a\n\ngo 1.25\n")][..],
        &[("go.mod", "module a\n\nrequire b v1.0.0\n"), ("vendor/modules.txt", "# b v1.0.0\n")],
    ] {
        let seen = with(alone);
        assert_eq!((seen.kind, seen.good()), (Kind::Build, vec!["/root/.cache/go-build"]), "{alone:?}");
    }
    let seen = with(&[("go.mod", "module a\n\nrequire b v1.0.0\n")]);
    assert_eq!((seen.kind, seen.good()), (Kind::Both, vec!["/go/pkg/mod", "/root/.cache/go-build"]));
}

#[test]
fn angular_caches_since_version_13() {
    let with = |version: &str| {
        let manifest = format!("{{\"devDependencies\": {{\"@angular/cli\": \"{version}\"}}}}");
        let run = "FROM node\nWORKDIR /a\nRUN npx ng build\n";
        let seen = walk(run, &[("package.json", manifest.as_str())]).seen.pop().unwrap();
        seen.good().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(with("^12.2.0"), Vec::<String>::new());
    assert_eq!(with("~1.7.4"), Vec::<String>::new());
    assert_eq!(with("^19.0.0"), ["/a/.angular/cache"]);
}
