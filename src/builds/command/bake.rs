//! `docker buildx bake`.

use super::{Arg, Call, Runner, flags};
use crate::builds::{ContextSource, Front, Setting};

impl Runner<'_, '_> {
    pub(super) fn bake(&mut self, call: &Call<'_>, args: &[Arg], _builder: Option<Arg>) {
        let parsed = flags::BAKE.parse(args, false);
        if parsed.last("print").is_some() || parsed.last("list").is_some() {
            return;
        }
        let mut build = self.env.build(call.span, Front::Bake);
        build.context = Setting::new(ContextSource::Unknown(String::new()), call.span);
        self.out.push(build);
    }
}
