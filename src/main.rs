//! The `hitrate` command.

fn main() {}
