//! RUN.

use super::Decoder;
use crate::dockerfile::flags::{self, Takes};
use crate::dockerfile::instruction::{problem, quote};
use crate::dockerfile::{Kind, Run, Word, mount};

pub(super) const FLAGS: &[(&str, Takes)] =
    &[("mount", Takes::Texts), ("network", Takes::Text), ("security", Takes::Text), ("device", Takes::Texts)];

impl<'a> Decoder<'_, 'a> {
    pub(super) fn run(&mut self) -> Kind<'a> {
        let Some(command) = self.command() else { return Kind::Invalid };
        let network = flags::text(self.flags, "network");
        if let Some(mode) =
            network.as_ref().filter(|mode| !matches!(&*mode.text, "default" | "none" | "host"))
        {
            self.problems.push(problem(mode.span, format!("invalid network mode {}", quote(&mode.text))));
        }
        let security = flags::text(self.flags, "security");
        if let Some(mode) = security.as_ref().filter(|mode| !matches!(&*mode.text, "insecure" | "sandbox")) {
            self.problems.push(problem(mode.span, format!("security {} is not valid", quote(&mode.text))));
        }
        let devices: Vec<Word<'a>> = flags::texts(self.flags, "device").collect();
        for device in &devices {
            if let Err(message) = mount::check_device(&device.text) {
                self.problems.push(problem(device.span, message));
            }
        }
        let mounts = std::mem::take(&mut self.mounts);
        Kind::Run(Run { mounts, network, security, devices, command })
    }
}
