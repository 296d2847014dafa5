//! The rules of the workflows that run where this repository is published. They run nowhere else, so these tests read
//! them, and run the steps whose outcome decides what people get by default.

use crate::support::tree::{files, root};
use std::fs;

fn workflow(name: &str) -> String {
    fs::read_to_string(root().join(".github/workflows").join(name)).unwrap()
}

/// The jobs of a workflow: their names and lines.
fn jobs(text: &str) -> Vec<(&str, Vec<&str>)> {
    let lines = text.lines().skip_while(|line| *line != "jobs:").skip(1);
    let mut jobs: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in lines {
        let is_name = line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
        match line.trim().strip_suffix(':').filter(|_| is_name) {
            Some(name) => jobs.push((name, Vec::new())),
            None => jobs.last_mut().expect("a job").1.push(line),
        }
    }
    jobs
}

#[test]
fn every_action_is_pinned_by_a_commit_and_says_its_version() {
    let workflows = files(".github/workflows", "yml");
    let actions: Vec<&str> = workflows
        .iter()
        .flat_map(|(_, text)| text.lines())
        .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "))
        .collect();
    assert!(actions.len() > 10, "{actions:?}");
    for action in actions {
        let pinned = action.split_once('@').and_then(|(_, pin)| pin.split_once(" # v"));
        let is_commit = |pin: &str| pin.len() == 40 && pin.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_pinned = pinned.is_some_and(|(pin, version)| is_commit(pin) && !version.is_empty());
        assert!(is_pinned, "a tag can move to another commit; pin by 40 hex digits: {action}");
    }
}

#[test]
fn nothing_is_published_before_everything_is_tested_built_and_started() {
    let text = workflow("release.yml");
    let jobs = jobs(&text);
    let named =
        |name: &str| &jobs.iter().find(|(job, _)| *job == name).unwrap_or_else(|| panic!("no job {name}")).1;
    assert!(named("test").iter().any(|line| line.trim() == "- run: .ci/run"));
    let build = named("build").join("\n");
    let place = |step: &str| build.find(step).unwrap_or_else(|| panic!("build lacks {step}"));
    assert!(place("cargo build --release") < place("cargo test"));
    assert!(place("cargo test") < place(".ci/smoke") && place(".ci/smoke") < place("upload-artifact"));
    let mut publishers = 0;
    for (name, lines) in &jobs {
        if !lines.iter().any(|line| line.ends_with(": write")) {
            continue;
        }
        publishers += 1;
        let needs = lines.iter().find_map(|line| line.trim().strip_prefix("needs: ")).unwrap_or_default();
        let needs: Vec<&str> = needs.trim_matches(['[', ']']).split(", ").collect();
        for needed in ["test", "build"] {
            assert!(needs.contains(&needed), "{name} may write, but does not wait for {needed}");
        }
    }
    assert_eq!(publishers, 3, "image, publish and image-name");
    assert!(!workflow("ci.yml").contains(": write"), "CI publishes nothing");
}

/// The script of a step.
#[cfg(unix)]
fn script(text: &str, step: &str) -> String {
    let lines: Vec<&str> = text.lines().skip_while(|line| line.trim() != format!("- name: {step}")).collect();
    let start =
        lines.iter().position(|line| line.trim() == "run: |").unwrap_or_else(|| panic!("no step {step}"));
    let indent = lines[start].len() - lines[start].trim_start().len();
    let inside = |line: &&&str| line.trim().is_empty() || line.starts_with(&" ".repeat(indent + 1));
    lines[start + 1..].iter().take_while(inside).map(|line| format!("{}\n", line.trim())).collect()
}

/// The commands that a step would run, instead of running them.
#[cfg(unix)]
fn commands(step: &str, tag: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    for program in ["docker", "gh"] {
        let script = dir.path().join("script");
        fs::write(&script, format!("#!/bin/sh\necho {program} \"$@\"\n")).unwrap();
        // By another process: a program that this one had open while other tests start theirs could be busy.
        let mut install = std::process::Command::new("install");
        crate::support::tools::run(install.args(["-m", "755"]).arg(&script).arg(dir.path().join(program)));
    }
    let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let mut bash = std::process::Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &script(&workflow("release.yml"), step)]).current_dir(dir.path());
    bash.env("PATH", path).env("GITHUB_REF_NAME", tag).env("GITHUB_REPOSITORY", "Someone/lanchat");
    crate::support::tools::run(&mut bash)
}

#[cfg(unix)]
#[test]
fn a_release_candidate_is_never_the_latest() {
    let named = |tag| commands("One name for both architectures", tag);
    let image = "ghcr.io/someone/lanchat";
    assert_eq!(
        named("v1.2.0"),
        format!(
            "docker buildx imagetools create -t {image}:1.2.0 -t {image}:latest {image}:1.2.0-amd64 \
             {image}:1.2.0-arm64\n"
        )
    );
    assert_eq!(
        named("v1.2.0-rc.1"),
        format!(
            "docker buildx imagetools create -t {image}:1.2.0-rc.1 {image}:1.2.0-rc.1-amd64 \
             {image}:1.2.0-rc.1-arm64\n"
        )
    );
    let released = |tag| commands("Release with all files", tag);
    assert!(released("v1.2.0").ends_with(" --latest\n"));
    let candidate = released("v1.2.0-rc.1");
    assert!(candidate.ends_with(" --prerelease\n") && !candidate.contains("latest"), "{candidate}");
    let text = workflow("release.yml");
    let others: Vec<_> =
        jobs(&text).into_iter().filter(|(name, _)| !["publish", "image-name"].contains(name)).collect();
    let moves = others.iter().flat_map(|(_, lines)| lines).find(|line| line.contains(":latest"));
    assert_eq!(moves, None);
}
