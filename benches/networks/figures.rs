//! The result of a case.

use std::fmt;
use std::time::Duration;

/// How long each try took; none for one that failed.
#[derive(Clone, Debug, Default)]
pub struct Times(pub Vec<Option<Duration>>);

impl Times {
    pub fn push(&mut self, time: Option<Duration>) {
        self.0.push(time);
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut good: Vec<u128> = self.0.iter().flatten().map(Duration::as_millis).collect();
        good.sort_unstable();
        let (count, all) = (good.len(), self.0.len());
        let Some(last) = count.checked_sub(1) else { return write!(f, "– / – / –, 0/{all}") };
        let at = |share: f64| good[(share * last as f64).round() as usize];
        write!(f, "{} / {} / {}, {count}/{all}", at(0.5), at(0.9), good[last])
    }
}

/// A program's output and exit status.
#[derive(Clone, Debug)]
pub struct Said {
    pub status: Option<i32>,
    pub text: String,
    pub took: Duration,
}

impl Said {
    /// Its last line, which has the verdict; what is to be done stands below it, indented.
    pub fn verdict(&self) -> &str {
        let is_said = |line: &&str| !line.trim().is_empty() && !line.starts_with(' ');
        self.text.lines().rfind(is_said).unwrap_or("(nothing)")
    }

    pub fn is_good(&self) -> bool {
        self.status == Some(0)
    }

    fn row(&self, who: &str) -> String {
        let status = self.status.map_or_else(|| "killed".to_owned(), |status| status.to_string());
        format!("  {who:<14} {status:>2}  {:>4.1} s  {}", self.took.as_secs_f64(), self.verdict().trim())
    }
}

/// What the program tells people when something is in the way.
#[derive(Clone, Debug)]
pub struct Told {
    /// Questions and answers, with the person who asked.
    pub rows: Vec<(&'static str, Said)>,
    /// The line pasted from doctor's remedies, and whether it lets a newcomer in.
    pub cure: Option<(String, bool)>,
    /// Whether all that doctor said is shown.
    pub full: bool,
}

#[derive(Clone, Debug)]
pub enum Outcome {
    Times(Times),
    Told(Told),
    /// It could not be tried, or broke.
    Not(String),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(times) => write!(f, "{times}"),
            Self::Not(why) => f.write_str(why),
            Self::Told(told) => {
                for (who, said) in &told.rows {
                    write!(f, "\n{}", said.row(who))?;
                    if told.full && who.starts_with("doctor") {
                        said.text.lines().try_for_each(|line| write!(f, "\n      | {line}"))?;
                    }
                }
                match &told.cure {
                    None => write!(f, "\n  cure           no line that can be pasted here"),
                    Some((line, cured)) => {
                        write!(
                            f,
                            "\n  cure           {}: {line}",
                            if *cured { "works" } else { "DOES NOT WORK" }
                        )
                    }
                }
            }
        }
    }
}
