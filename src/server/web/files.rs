//! The files of the page, in the program itself: nothing is read from a disk.

/// A file of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageFile {
    /// As in a request.
    pub(super) path: &'static str,
    pub(super) media_type: &'static str,
    pub(super) content: &'static str,
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the directory `web`, served under its own name.
macro_rules! page_file {
    ($name:literal, $media_type:expr) => {
        PageFile {
            path: concat!("/", $name),
            media_type: $media_type,
            content: include_str!(concat!("../../../web/", $name)),
        }
    };
}

/// The page. `web/` also has its types and tests, which are not served.
const FILES: [PageFile; 20] = [
    PageFile { path: "/", media_type: HTML, content: include_str!("../../../web/index.html") },
    page_file!("style.css", CSS),
    page_file!("icon.svg", SVG),
    page_file!("blake3.js", SCRIPT),
    page_file!("composer.js", SCRIPT),
    page_file!("disk.js", SCRIPT),
    page_file!("dom.js", SCRIPT),
    page_file!("files.js", SCRIPT),
    page_file!("keys.js", SCRIPT),
    page_file!("link.js", SCRIPT),
    page_file!("links.js", SCRIPT),
    page_file!("log.js", SCRIPT),
    page_file!("main.js", SCRIPT),
    page_file!("outbox.js", SCRIPT),
    page_file!("packets.js", SCRIPT),
    page_file!("records.js", SCRIPT),
    page_file!("session.js", SCRIPT),
    page_file!("sheets.js", SCRIPT),
    page_file!("store.js", SCRIPT),
    page_file!("text.js", SCRIPT),
];

/// The file at a path, without its query.
pub(super) fn file(path: &str) -> Option<&'static PageFile> {
    FILES.iter().find(|file| file.path == path)
}
