//! The options of the command line.

/// The whole time, in seconds.
const WHOLE: u64 = 600;

/// The same with `--quick`.
const WHOLE_QUICK: u64 = 180;

pub const HELP: &str = "Finds servers in all sorts of networks, made of namespaces (root).

  --only NAME   the cases with NAME in their names
  --list        name the cases
  --quick       a few tries each, and without the slowest cases
  --all         print what doctor says in full";

#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub only: Option<String>,
    pub list: bool,
    pub quick: bool,
    pub all: bool,
}

impl Plan {
    /// None for help.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut plan = Self::default();
        let mut words = words;
        while let Some(word) = words.next() {
            match word.as_str() {
                // From cargo.
                "--bench" => {}
                "--help" | "-h" => return Ok(None),
                "--list" => plan.list = true,
                "--quick" => plan.quick = true,
                "--all" => plan.all = true,
                "--only" => plan.only = Some(words.next().ok_or("--only needs a name; see --list")?),
                other => return Err(format!("{other} is unknown")),
            }
        }
        Ok(Some(plan))
    }

    /// How many of `usual` tries are made.
    pub fn tries(&self, usual: usize) -> usize {
        if self.quick { usual.div_ceil(5).max(2) } else { usual }
    }

    pub fn seconds(&self) -> u64 {
        if self.quick { WHOLE_QUICK } else { WHOLE }
    }

    pub fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|part| name.contains(part.as_str()))
    }
}
