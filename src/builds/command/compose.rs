//! `docker compose build`, `up --build`, `run --build`, and the old `docker-compose`.

use super::{Arg, Call, Runner, flags};
use crate::builds::{ContextSource, Front, Setting};

impl Runner<'_, '_> {
    pub(super) fn compose(&mut self, call: &Call<'_>, args: &[Arg], front: Front) {
        let global = flags::COMPOSE.parse(args, true);
        let Some((command, args)) = global.positional.split_first() else { return };
        let parsed = flags::COMPOSE_BUILD.parse(args, false);
        let builds = match command.text.text.as_str() {
            "build" => true,
            "up" | "run" | "create" => parsed.last("build").is_some_and(flags::Given::on),
            _ => false,
        };
        if !builds {
            return;
        }
        let mut build = self.env.build(call.span, front);
        build.context = Setting::new(ContextSource::Unknown(String::new()), call.span);
        self.out.push(build);
    }
}
