//! The `hitrate` command.

/// Thousands of small texts are analyzed in turn: most of what is allocated lives for one of them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    hitrate::cli::main()
}
