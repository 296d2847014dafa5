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

const FILES: [PageFile; 2] = [
    PageFile { path: "/", media_type: HTML, content: include_str!("page/index.html") },
    PageFile { path: "/style.css", media_type: CSS, content: include_str!("page/style.css") },
];

/// The file at a path, without its query.
pub(super) fn file(path: &str) -> Option<&'static PageFile> {
    FILES.iter().find(|file| file.path == path)
}
