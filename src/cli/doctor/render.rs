//! Prints the result for people, for programs, and for a ticket. Pure.

use super::check_line::{CheckLine, CheckResult};
use super::diagnosis::Diagnosis;
use crate::text::escape_json;
use serde_json::json;
use std::fmt::Write as _;

/// For people: one line per check, the diagnosis and its remedies.
pub(super) fn text(checks: &[CheckLine], diagnosis: &Diagnosis) -> String {
    let mut text = String::new();
    for check in checks {
        let _ = writeln!(text, "{check}");
    }
    let _ = writeln!(text, "{diagnosis}");
    text
}

/// For programs: one object with `class`, `exit`, `cause`, `verdict`, `remedies` (each with `for` and `line`)
/// and `checks` (each with `state`, `subject` and `detail`). Safe for a terminal.
pub(super) fn json(checks: &[CheckLine], diagnosis: &Diagnosis) -> String {
    let class = diagnosis.cause.class();
    let object = json!({
        "class": class.as_str(),
        "exit": class.exit().code(),
        "cause": diagnosis.cause.as_str(),
        "verdict": diagnosis.line,
        "remedies": diagnosis.remedies,
        "checks": checks,
    });
    escape_json(&format!("{object}\n"))
}

/// For a ticket: everything in one text, without keys.
pub(super) fn report(checks: &[CheckLine], diagnosis: &Diagnosis, asked: &str) -> String {
    let class = diagnosis.cause.class();
    let mut text = format!(
        "lanchat doctor report\nversion: {}\nsystem: {} {}\nasked: {}\nresult: {} ({}, exit status {})\nverdict: {}\n",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        asked,
        diagnosis.cause.as_str(),
        class.as_str(),
        class.exit().code(),
        if checks.iter().any(|check| check.is_about_keys && check.state == CheckResult::Failed) {
            "the server's key has changed"
        } else {
            &diagnosis.line
        },
    );
    for remedy in &diagnosis.remedies {
        let _ = writeln!(text, "remedy: {}: {}", remedy.place, remedy.line);
    }
    for check in checks {
        let _ = match (check.is_about_keys, check.state) {
            (false, _) => writeln!(text, "{check}"),
            (true, CheckResult::Failed) => writeln!(text, "failed  {}: refused", check.subject),
            (true, CheckResult::Note) => writeln!(text, "note    {}: not in this report", check.subject),
            (true, CheckResult::Ok) => writeln!(text, "ok      {}: accepted", check.subject),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::diagnosis::Cause;
    use crate::cli::doctor::remedy::Remedy;

    fn checks() -> Vec<CheckLine> {
        let check = |state, subject: &str, detail: &str, is_about_keys| CheckLine {
            state,
            subject: subject.into(),
            detail: detail.into(),
            is_about_keys,
        };
        vec![
            check(CheckResult::Ok, "network interfaces", "lan0 (10.0.0.2)", false),
            check(CheckResult::Ok, "key of office (3f9a1c77)", "11111 22222, new", true),
        ]
    }

    fn diagnosis() -> Diagnosis {
        let remedies = vec![Remedy::new("here", "a"), Remedy::new("on 10.0.0.1", "b")];
        Diagnosis { cause: Cause::QuestionsLost, line: "it is so".into(), remedies }
    }

    #[test]
    fn people_read_the_checks_the_verdict_and_the_lines_to_paste() {
        assert_eq!(
            text(&checks(), &diagnosis()),
            "ok      network interfaces: lan0 (10.0.0.2)\nok      key of office (3f9a1c77): 11111 22222, new\n\
             it is so\n  here:        a\n  on 10.0.0.1: b\n"
        );
    }

    #[test]
    fn programs_read_one_object() {
        let parsed: serde_json::Value = serde_json::from_str(&json(&checks(), &diagnosis())).unwrap();
        assert_eq!(
            (&parsed["class"], &parsed["exit"], &parsed["cause"]),
            (&json!("well"), &json!(0), &json!("questions_lost"))
        );
        assert_eq!(parsed["remedies"][1], json!({"for": "on 10.0.0.1", "line": "b"}));
        assert_eq!(
            parsed["checks"][0],
            json!({"state": "ok", "subject": "network interfaces", "detail": "lan0 (10.0.0.2)"})
        );
    }

    #[test]
    fn a_ticket_has_all_but_the_keys() {
        let report = report(&checks(), &diagnosis(), "--server office");
        assert!(report.contains("lan0 (10.0.0.2)") && report.contains("remedy: here: a"), "{report}");
        assert!(
            !report.contains("11111") && report.contains("key of office (3f9a1c77): accepted"),
            "{report}"
        );
    }
}
