//! `docker buildx bake` (facts §7.2).

use super::{Arg, Base, Call, Runner, defaulted, flags, resolve, switch};
use crate::builds::{ContextSource, Front, Setting, bake};

impl Runner<'_, '_> {
    pub(super) fn bake(&mut self, call: &Call<'_>, args: &[Arg], builder: Option<Arg>) {
        let parsed = flags::BAKE.parse(args, false);
        if ["print", "list", "check", "call", "help"].iter().any(|name| parsed.last(name).is_some()) {
            return;
        }
        let mut starter = self.env.build(call.span, Front::Bake);
        let named = parsed.value("builder").cloned().or(builder);
        self.choose_builder(&mut starter, call, named.as_ref());
        starter.push = switch(&parsed, "push");
        starter.load = switch(&parsed, "load");
        starter.no_cache = switch(&parsed, "no-cache");
        starter.pull = switch(&parsed, "pull");
        // What bake itself gets of the variables that the script sets.
        let mut vars = self.env.vars.clone();
        for assignment in call.command.env.iter().filter(|assignment| assignment.value.literal) {
            vars.set_foreign(&assignment.name, &assignment.value.text);
        }
        for given in parsed.all("var").filter_map(|given| given.value.as_ref()) {
            if let Some((name, value)) = given.text.text.split_once('=') {
                vars.set_foreign(name, value);
            }
        }
        let base = Base { cwd: call.cwd.as_deref(), here: self.env.here() };
        let mut files: Vec<String> = parsed
            .all("file")
            .filter_map(|given| resolve(defaulted(given.value.as_ref()?).value.text(), base))
            .collect();
        if parsed.last("file").is_none() {
            let directory = call.cwd.as_deref();
            files = directory.map(|directory| bake::default_files(directory, self.files)).unwrap_or_default();
        }
        // A remote definition (`bake https://…`) stands elsewhere.
        let remote = parsed.positional.iter().any(|arg| arg.text.text.contains("://"));
        let named = parsed.positional.iter().filter(|arg| !super::is_all_arguments(arg));
        let targets: Vec<String> = named.map(|arg| defaulted(arg).value.text().to_owned()).collect();
        let request = bake::Request { files, cwd: call.cwd.clone(), targets, vars };
        let found = if remote { Vec::new() } else { bake::builds(&request, self.files).unwrap_or_default() };
        if found.is_empty() {
            starter.context = Setting::new(ContextSource::Unknown(String::new()), call.span);
            starter.name.extend(request.targets);
            self.out.push(starter);
            return;
        }
        let overrides: Vec<bake::Override> = parsed
            .all("set")
            .filter_map(|given| bake::Override::parse(&given.value.as_ref()?.text))
            .collect();
        let mut builds: Vec<_> = found.into_iter().map(|build| build.started_by(&starter)).collect();
        bake::apply(&overrides, &mut builds, call.cwd.as_deref());
        self.out.extend(builds);
    }
}
