//! What packages install, and the files that they are made from. `.ci/packages` builds and installs them.

use crate::support::tools::{has_tools, run};
use crate::support::tree::{files, root};
use lanchat::limits::DEFAULT_PORT;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

const REPOSITORY: &str = "https://github.com/someone/lanchat";

const TARGETS: [&str; 5] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
];

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

fn manifest() -> toml::Table {
    read("Cargo.toml").parse().unwrap()
}

/// The list of installed files: source, target and mode.
fn assets() -> Vec<[String; 3]> {
    let listed = manifest()["package"]["metadata"]["deb"]["assets"].clone();
    listed.try_into().unwrap()
}

fn archive(target: &str) -> String {
    let suffix = if target.contains("windows") { "zip" } else { "tar.gz" };
    format!("lanchat-v{}-{target}.{suffix}", env!("CARGO_PKG_VERSION"))
}

/// The files that `packaging/render` writes for these archives, which contain their names.
fn rendered(out: &Path) -> bool {
    if !has_tools(&[("python3", "--version")]) {
        return false;
    }
    let archives = out.join("archives");
    fs::create_dir(&archives).unwrap();
    for target in TARGETS {
        fs::write(archives.join(archive(target)), target).unwrap();
    }
    let mut render = Command::new("python3");
    render.arg(root().join("packaging/render")).arg(out).arg(archives);
    run(render.env("REPOSITORY", REPOSITORY).env("SOURCE_DATE_EPOCH", "1764266400"));
    true
}

fn checksum(target: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, target.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_listed_file_is_there_and_the_documents_that_the_readme_needs_are_listed() {
    let assets = assets();
    for [source, to, mode] in &assets {
        let (folder, name) = source.rsplit_once('/').unwrap_or((".", source));
        let exists = match name.strip_prefix('*') {
            Some(end) => fs::read_dir(root().join(folder))
                .unwrap()
                .any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with(end)),
            None => root().join(source).is_file() || source.starts_with("target/"),
        };
        assert!(exists, "Cargo.toml lists {source}, which is not there");
        assert!(!to.starts_with('/') && matches!(&**mode, "644" | "755"), "{source}: {to} {mode}");
    }
    for needed in ["README.md", "PROTOCOL.md", "SECURITY.md", "docs/*", "man/*.1", "dist/config.toml"] {
        assert!(assets.iter().any(|[source, ..]| source == needed), "no package installs {needed}");
    }
}

#[test]
fn the_version_is_written_in_cargo_toml_alone() {
    let version = env!("CARGO_PKG_VERSION");
    let sources = ["packaging", ".github", "dist"].into_iter().flat_map(texts);
    for (path, text) in sources.chain([("flake.nix".to_owned(), read("flake.nix"))]) {
        assert!(!text.contains(version), "{path} repeats the version {version}");
    }
}

/// The files below a folder of the root, with any extension or none.
fn texts(folder: &str) -> Vec<(String, String)> {
    let mut folders = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => folders.push(entry),
                false => found.push((entry.display().to_string(), fs::read_to_string(&entry).unwrap())),
            }
        }
    }
    found
}

#[test]
fn the_manifests_name_each_archive_and_its_checksum() {
    let dir = tempfile::tempdir().unwrap();
    if !rendered(dir.path()) {
        return;
    }
    let text = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    let scoop: Value = serde_json::from_str(&text("lanchat.json")).unwrap();
    let windows = "x86_64-pc-windows-msvc";
    let url = format!("{REPOSITORY}/releases/download/v{version}/{}", archive(windows));
    assert_eq!((&scoop["version"], &scoop["homepage"]), (&version.into(), &REPOSITORY.into()));
    let program = &scoop["architecture"]["64bit"];
    assert_eq!((&program["url"], &program["hash"]), (&url.clone().into(), &checksum(windows).into()));
    let winget = text("lanchat.installer.yaml");
    assert!(winget.contains(&format!("InstallerUrl: {url}\n")), "{winget}");
    assert!(winget.contains(&checksum(windows).to_uppercase()), "{winget}");
    assert!(winget.contains("PackageIdentifier: someone.lanchat\n"), "{winget}");
    let (brew, arch) = (text("lanchat.rb"), text("PKGBUILD"));
    for target in TARGETS.into_iter().filter(|target| *target != windows) {
        let formula = format!("-{target}.tar.gz\"\n      sha256 \"{}\"\n", checksum(target));
        assert!(brew.contains(&formula), "{brew}");
        let is_listed = arch.contains(&format!("-{target}.tar.gz\")")) && arch.contains(&checksum(target));
        assert_eq!(is_listed, target.contains("linux"), "{target}: {arch}");
    }
    for (name, text) in [("PKGBUILD", &arch), ("lanchat.rb", &brew)] {
        assert_eq!(text.matches(version).count(), 1, "{name} repeats the version");
    }
    for (path, template) in texts("packaging/templates") {
        let name = Path::new(&path).file_name().unwrap().to_string_lossy().into_owned();
        let left = text(&name).contains('@') && !text(&name).contains("@users");
        assert!(template.contains('@') && !left, "{name}: a placeholder is left");
    }
}

#[test]
fn cargo_binstall_finds_each_archive_and_the_program_in_it() {
    let metadata = manifest()["package"]["metadata"]["binstall"].clone();
    for target in TARGETS {
        let own = metadata.get("overrides").and_then(|overrides| overrides.get(target));
        let value = |key: &str| own.and_then(|own| own.get(key)).unwrap_or(&metadata[key]).as_str().unwrap();
        let suffix = if value("pkg-fmt") == "zip" { ".zip" } else { ".tar.gz" };
        let filled = |key: &str| {
            let values = [
                ("repo", REPOSITORY),
                ("name", "lanchat"),
                ("bin", "lanchat"),
                ("version", env!("CARGO_PKG_VERSION")),
                ("target", target),
                ("archive-suffix", suffix),
                ("binary-ext", if target.contains("windows") { ".exe" } else { "" }),
            ];
            values.iter().fold(value(key).to_owned(), |text, (name, value)| {
                text.replace(&format!("{{ {name} }}"), value)
            })
        };
        let version = env!("CARGO_PKG_VERSION");
        let archive = archive(target);
        assert_eq!(filled("pkg-url"), format!("{REPOSITORY}/releases/download/v{version}/{archive}"));
        let folder = archive.trim_end_matches(suffix);
        let program = if target.contains("windows") { "lanchat.exe" } else { "lanchat" };
        assert_eq!(filled("bin-dir"), format!("{folder}/{program}"));
    }
}

#[test]
fn one_archive_for_each_system_has_the_program_the_licences_and_the_documents() {
    let tools = [("python3", "--version"), ("tar", "--version"), ("zip", "-v"), ("bash", "--version")];
    if !has_tools(&tools) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for target in ["x86_64-unknown-linux-musl", "x86_64-pc-windows-msvc"] {
        let is_windows = target.contains("windows");
        let program = if is_windows { "lanchat.exe" } else { "lanchat" };
        fs::write(dir.path().join(program), "a program").unwrap();
        let out = dir.path().join(target);
        let mut pack = Command::new(root().join("packaging/archive"));
        run(pack.arg(dir.path().join(program)).arg(target).arg(&out));
        let made: Vec<_> = fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(made, [&*archive(target)]);
        let mut list = Command::new(if is_windows { "python3" } else { "tar" });
        list.args(if is_windows { &["-m", "zipfile", "-l"][..] } else { &["-tf"] });
        let listed = run(list.arg(out.join(archive(target))));
        let names: Vec<&str> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
        let folder = format!("lanchat-v{}-{target}", env!("CARGO_PKG_VERSION"));
        let documents = ["README.md", "PROTOCOL.md", "SECURITY.md", "LICENSE-MIT", "LICENSE-APACHE"];
        for needed in documents.into_iter().chain([program, "man/lanchat.1", "dist/config.toml"]) {
            assert!(names.contains(&&*format!("{folder}/{needed}")), "no {needed}: {listed}");
        }
        assert!(names.iter().all(|name| *name == "File" || name.starts_with(&folder)), "{listed}");
    }
}

#[test]
fn rpm_and_arch_packages_install_the_listed_files_and_the_units() {
    let dir = tempfile::tempdir().unwrap();
    if !rendered(dir.path()) {
        return;
    }
    let text = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    let rpm: toml::Table = text("rpm.toml").parse().unwrap();
    let rpm = rpm["assets"].as_array().unwrap();
    let arch = text("PKGBUILD");
    let units = ["service", "socket"].map(|kind| format!("dist/lanchat.{kind}"));
    for source in assets().into_iter().map(|[source, ..]| source).chain(units) {
        let is_debians = ["dist/copyright", "packaging/debian/lintian-overrides"].contains(&&*source);
        let in_rpm = rpm.iter().any(|asset| asset["source"].as_str() == Some(&source));
        assert_eq!(in_rpm, !is_debians && source != "dist/lanchat.ufw", "{source}");
        let packed = source.strip_prefix("target/release/").unwrap_or(&source);
        assert_eq!(arch.contains(&format!(" {packed}")), !is_debians, "{source}: {arch}");
    }
    let config = rpm.iter().find(|asset| asset["dest"].as_str() == Some("/etc/lanchat/config.toml")).unwrap();
    assert_eq!(config["config"].as_str(), Some("noreplace"));
    assert!(arch.contains("backup=(etc/lanchat/config.toml "), "{arch}");
    for script in fs::read_dir(root().join("packaging/rpm")).unwrap() {
        let name = script.unwrap().file_name().into_string().unwrap();
        assert!(text("rpm.toml").contains(&format!("\"packaging/rpm/{name}\"")), "{name} is never run");
    }
}

#[test]
fn debian_gets_the_changelog_in_its_own_form() {
    let dir = tempfile::tempdir().unwrap();
    if !rendered(dir.path()) {
        return;
    }
    let changelog = fs::read_to_string(dir.path().join("changelog.Debian")).unwrap();
    let version = env!("CARGO_PKG_VERSION").replacen('-', "~", 1);
    let first = format!("lanchat ({version}-1) unstable; urgency=medium\n\n  * ");
    assert!(changelog.starts_with(&first), "{changelog}");
    assert!(changelog.ends_with("  Thu, 27 Nov 2025 18:00:00 +0000\n"), "{changelog}");
    let own = read("CHANGELOG.md");
    assert_eq!(
        changelog.matches("\n  * ").count(),
        own.lines().filter(|line| line.starts_with("- ")).count()
    );
    let mut changes = changelog.lines().filter(|line| !line.starts_with(" -- "));
    let long = changes.find(|line| line.chars().count() > 80 && line.trim().contains(' '));
    assert_eq!(long, None);
}

#[cfg(unix)]
#[test]
fn the_address_is_written_once_and_another_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("packaging/stamp");
    fs::create_dir(dir.path().join("packaging")).unwrap();
    // By another process: a program that this one had open while other tests start theirs could be busy.
    run(Command::new("cp").arg(root().join("packaging/stamp")).arg(&script));
    let cargo = dir.path().join("Cargo.toml");
    fs::copy(root().join("Cargo.toml"), &cargo).unwrap();
    let stamp = |address: &str| Command::new(&script).arg(address).output().unwrap().status.code();
    assert_eq!((stamp(REPOSITORY), stamp(REPOSITORY)), (Some(0), Some(0)));
    let stamped: toml::Table = fs::read_to_string(&cargo).unwrap().parse().unwrap();
    assert_eq!(stamped["package"]["repository"].as_str(), Some(REPOSITORY));
    assert_eq!((stamp("https://elsewhere.example/lanchat"), stamp("lanchat")), (Some(1), Some(2)));
    assert_eq!(fs::read_to_string(&cargo).unwrap().parse::<toml::Table>().unwrap(), stamped);
}

#[cfg(unix)]
#[test]
fn a_purge_removes_the_services_data_and_nothing_that_is_elsewhere() {
    use std::os::unix::fs::symlink;
    let purge = |root_dir: &Path, action: &str| {
        let script = root().join("packaging/debian/postrm");
        run(Command::new("sh").arg(script).arg(action).env("DPKG_ROOT", root_dir));
    };
    let fresh = || {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("var/lib/private/other")).unwrap();
        dir
    };
    let is_there = |dir: &tempfile::TempDir, path: &str| fs::symlink_metadata(dir.path().join(path)).is_ok();

    // As systemd leaves it: behind a link.
    let usual = fresh();
    fs::create_dir(usual.path().join("var/lib/private/lanchat")).unwrap();
    fs::write(usual.path().join("var/lib/private/lanchat/history.db"), "x").unwrap();
    symlink("private/lanchat", usual.path().join("var/lib/lanchat")).unwrap();
    purge(usual.path(), "remove");
    assert!(is_there(&usual, "var/lib/lanchat/history.db"), "only a purge removes data");
    purge(usual.path(), "purge");
    assert!(!is_there(&usual, "var/lib/lanchat") && !is_there(&usual, "var/lib/private/lanchat"));
    assert!(is_there(&usual, "var/lib/private/other"));
    purge(usual.path(), "purge");

    // A unit with a fixed user keeps its data in the directory itself.
    let fixed = fresh();
    fs::create_dir(fixed.path().join("var/lib/lanchat")).unwrap();
    purge(fixed.path(), "purge");
    assert!(!is_there(&fixed, "var/lib/lanchat"));

    // An administrator has moved it to another disk.
    let moved = fresh();
    fs::create_dir(moved.path().join("disk")).unwrap();
    fs::write(moved.path().join("disk/history.db"), "x").unwrap();
    symlink("../../disk", moved.path().join("var/lib/lanchat")).unwrap();
    purge(moved.path(), "purge");
    assert!(!is_there(&moved, "var/lib/lanchat") && is_there(&moved, "disk/history.db"));
}

#[test]
fn the_firewalls_open_the_default_port() {
    let (ufw, firewalld) = (read("dist/lanchat.ufw"), read("dist/lanchat.xml"));
    assert!(ufw.contains(&format!("ports={DEFAULT_PORT}/tcp|5353/udp\n")), "{ufw}");
    assert!(firewalld.contains(&format!("<port protocol=\"tcp\" port=\"{DEFAULT_PORT}\"/>")), "{firewalld}");
    assert!(firewalld.contains("<include service=\"mdns\"/>"), "{firewalld}");
}

#[test]
fn a_table_in_a_document_ends_with_an_empty_line() {
    for (path, text) in files(".", "md") {
        let lines: Vec<&str> = text.lines().collect();
        let glued = lines
            .windows(2)
            .find(|pair| pair[0].starts_with('|') && !pair[1].starts_with('|') && !pair[1].trim().is_empty());
        assert_eq!(glued, None, "{path}: the second line would be shown as a row of the table");
    }
}
