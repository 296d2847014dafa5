//! Options of `lanchat serve` about files that users send each other.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

use crate::chat::FileRules;
use crate::cli::exit::ExitError;
use crate::cli::values::{Bound, Count, Size};
use crate::limits;
use crate::server::FileOptions;

#[derive(Clone, Debug, PartialEq, Args)]
pub(crate) struct FileArgs {
    /// Pass no files on from user to user.
    #[arg(long, env = "LANCHAT_SERVE_NO_FILES")]
    pub(crate) no_files: bool,

    /// The biggest file or folder that users may send each other.
    ///
    /// A SIZE, here and in other options, is a number of bytes or has a unit: 10K, 10M, 10G and 10T count in steps of
    /// 1024, as 10KiB and 10MiB do, and 10KB and 10MB in steps of 1000.
    #[arg(long, value_name = "SIZE|off", env = "LANCHAT_SERVE_MAX_FILE", default_value_t = Bound::Off)]
    pub(crate) max_file: Bound<Size>,

    /// Files that users may send each other at a time; in a chat of several servers, at all of them together.
    #[arg(
        long,
        value_name = "N",
        env = "LANCHAT_SERVE_MAX_TRANSFERS",
        default_value_t = Count(limits::DEFAULT_MAX_TRANSFERS)
    )]
    pub(crate) max_transfers: Count,

    /// Bytes per second that all files together may take.
    #[arg(
        long,
        value_name = "SIZE|off",
        env = "LANCHAT_SERVE_FILE_RATE",
        default_value_t = Bound::Off,
        value_parser = rate
    )]
    pub(crate) file_rate: Bound<Size>,
}

impl FileArgs {
    /// Rejects options that have no effect with `--no-files`, like those of [`super::ServeArgs::check`].
    pub(super) fn check(matches: &ArgMatches) -> Result<(), ExitError> {
        let given = |id: &str| {
            let source = matches.value_source(id);
            matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
        };
        let is_bounded = given("max_file") || given("max_transfers") || given("file_rate");
        if given("no_files") && matches.get_flag("no_files") && is_bounded {
            return Err(ExitError::usage(
                "--max-file, --max-transfers and --file-rate have no effect with --no-files; remove one or the other",
            ));
        }
        Ok(())
    }

    pub(super) fn options(&self) -> Option<FileOptions> {
        let Self { no_files, max_file, max_transfers, file_rate } = self;
        let bytes = |bound: &Bound<Size>| bound.get().map(|size| size.0);
        let rules = FileRules { max_transfers: max_transfers.0, max_bytes: bytes(max_file) };
        (!no_files).then_some(FileOptions { rules, rate: bytes(file_rate) })
    }
}

fn rate(text: &str) -> Result<Bound<Size>, String> {
    match text.strip_suffix("/s").unwrap_or(text).parse()? {
        Bound::At(Size(bytes)) if bytes < limits::MIN_FILE_RATE => {
            Err(format!("too slow for any file; use at least {}, or off", Size(limits::MIN_FILE_RATE)))
        }
        rate => Ok(rate),
    }
}
