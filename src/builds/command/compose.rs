//! `docker compose build`, `up --build`, `run --build`, and the old `docker-compose`.

use super::docker::mark_pushed;
use super::{Arg, Base, Call, Runner, defaulted, flags, resolve, switch};
use crate::builds::{Build, ContextSource, Front, Setting, Value, compose};

impl Runner<'_, '_> {
    pub(super) fn compose(&mut self, call: &Call<'_>, args: &[Arg], front: Front) {
        let mut global = flags::COMPOSE.parse(args, true);
        // `docker compose $(EXTRA) build`: what is not known before the command is taken for options.
        while let Some((first, rest)) = global.positional.split_first()
            && first.value().known().is_none()
        {
            let more = flags::COMPOSE.parse(rest, true);
            global.options.extend(more.options);
            global.positional = more.positional;
        }
        let Some((command, args)) = global.positional.split_first() else { return };
        let command = command.text.text.as_str();
        let parsed = flags::COMPOSE_BUILD.parse(args, command == "run");
        let builds = match command {
            "build" => parsed.last("print").is_none(),
            "up" | "run" | "create" | "watch" => parsed.last("build").is_some_and(flags::Given::on),
            "push" => return self.compose_push(call, &parsed.positional),
            _ => false,
        };
        if !builds {
            return;
        }
        let mut starter = self.env.build(call.span, front);
        self.choose_builder(&mut starter, call, parsed.value("builder"));
        self.buildkit_switch(&mut starter, call);
        for value in parsed.all("build-arg").filter_map(|given| given.value.as_ref()) {
            self.build_arg(&mut starter, value);
        }
        starter.no_cache = switch(&parsed, "no-cache");
        starter.pull = switch(&parsed, "pull").filter(|_| command == "build");
        starter.push = switch(&parsed, "push");
        let named = parsed.positional.iter().filter(|arg| !super::is_all_arguments(arg));
        let mut services: Vec<String> = named.map(|arg| defaulted(arg).value.text().to_owned()).collect();
        if command == "run" {
            services.truncate(1);
        }
        let request = self.request(call, &global, services);
        let found = compose::builds(&request, self.files).unwrap_or_default();
        if found.is_empty() {
            if request.files.iter().any(|path| (self.files)(path).is_some()) && request.services.is_empty() {
                // The files are there and build nothing.
                return;
            }
            starter.context = Setting::new(ContextSource::Unknown(String::new()), call.span);
            starter.name.extend(request.services);
            self.out.push(starter);
            return;
        }
        self.out.extend(found.into_iter().map(|build| build.started_by(&starter)));
    }

    fn request(&self, call: &Call<'_>, global: &super::Parsed, services: Vec<String>) -> compose::Request {
        let base = Base { cwd: call.cwd.as_deref(), here: self.env.here() };
        let path = |arg: &Arg| resolve(defaulted(arg).value.text(), base);
        let mut files: Vec<String> =
            global.all("file").filter_map(|given| path(given.value.as_ref()?)).collect();
        let directory = global.value("project-directory").and_then(path);
        let mut vars = self.env.vars.clone();
        for assignment in call.command.env.iter().filter(|assignment| assignment.value.literal) {
            vars.set_foreign(&assignment.name, &assignment.value.text);
        }
        let given = global.last("file").is_some();
        if !given && let Some(list) = vars.get("COMPOSE_FILE").filter(|var| !var.conditional) {
            files = list.text.text.split([':', ';']).filter_map(|name| resolve(name, base)).collect();
        }
        if !given && files.is_empty() {
            let at = directory.as_deref().or(call.cwd.as_deref());
            files = at.map(|at| compose::default_files(at, self.files)).unwrap_or_default();
        }
        let mut profiles: Vec<String> =
            global.all("profile").filter_map(|given| Some(given.value.as_ref()?.text.text.clone())).collect();
        if services.is_empty() && profiles.is_empty() {
            // Services that need a profile are not built.
            profiles.push(String::new());
        }
        compose::Request { files, directory, services, profiles, vars, bake: false }
    }

    /// `docker compose push [SERVICE…]`.
    fn compose_push(&mut self, call: &Call<'_>, services: &[Arg]) {
        let job = self.env.job.as_str();
        let of_compose = |build: &Build| matches!(build.front, Front::Compose | Front::ComposeClassic);
        for build in self.out.iter_mut().filter(|build| build.job == job && of_compose(build)) {
            let name = build.name.last().map_or("", String::as_str);
            let open = build.push.as_ref().is_none_or(|push| push.value == Value::Known("false".to_owned()));
            if open && (services.is_empty() || services.iter().any(|arg| arg.text.text == name)) {
                mark_pushed(build, call.span);
            }
        }
    }
}
