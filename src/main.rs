//! The `hitrate` command.

fn main() -> std::process::ExitCode {
    hitrate::cli::main()
}
