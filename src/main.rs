//! The `lanchat` program: hands over to the library and turns its result into an exit status.

use std::process::ExitCode;

fn main() -> ExitCode {
    lanchat::cli::run()
}
