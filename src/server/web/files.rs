//! The files of the page, in the program itself: nothing is read from a disk.
//!
//! They are served as they are in `web/`, with their comments. Browsers get them compressed, which makes them a third.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write as _};
use std::sync::LazyLock;

/// A file of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageFile {
    /// As in a request.
    pub(super) path: &'static str,
    pub(super) media_type: &'static str,
    pub(super) content: &'static str,
}

/// A file as one browser gets it.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageForm {
    pub(super) bytes: &'static [u8],
    /// In gzip format.
    pub(super) is_packed: bool,
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
const FILES: [PageFile; 29] = [
    PageFile { path: "/", media_type: HTML, content: include_str!("../../../web/index.html") },
    page_file!("style.css", CSS),
    page_file!("icon.svg", SVG),
    page_file!("attention.js", SCRIPT),
    page_file!("blake3.js", SCRIPT),
    page_file!("commands.js", SCRIPT),
    page_file!("composer.js", SCRIPT),
    page_file!("disk.js", SCRIPT),
    page_file!("dom.js", SCRIPT),
    page_file!("files.js", SCRIPT),
    page_file!("focus.js", SCRIPT),
    page_file!("kept.js", SCRIPT),
    page_file!("keys.js", SCRIPT),
    page_file!("link.js", SCRIPT),
    page_file!("links.js", SCRIPT),
    page_file!("lists.js", SCRIPT),
    page_file!("log.js", SCRIPT),
    page_file!("main.js", SCRIPT),
    page_file!("notify.js", SCRIPT),
    page_file!("offers.js", SCRIPT),
    page_file!("outbox.js", SCRIPT),
    page_file!("packets.js", SCRIPT),
    page_file!("past.js", SCRIPT),
    page_file!("records.js", SCRIPT),
    page_file!("servers.js", SCRIPT),
    page_file!("session.js", SCRIPT),
    page_file!("sheets.js", SCRIPT),
    page_file!("store.js", SCRIPT),
    page_file!("text.js", SCRIPT),
];

/// The files in gzip format (RFC 1952), in the same order. Made for the first browser, in some milliseconds.
static PACKED: LazyLock<Vec<Vec<u8>>> =
    LazyLock::new(|| FILES.iter().map(|file| pack(file.content).unwrap_or_default()).collect());

/// The file at a path, without its query.
pub(super) fn file(path: &str) -> Option<&'static PageFile> {
    FILES.iter().find(|file| file.path == path)
}

impl PageFile {
    /// In gzip format if the browser reads that.
    pub(super) fn form(&self, reads_gzip: bool) -> PageForm {
        match self.packed().filter(|_| reads_gzip) {
            Some(bytes) => PageForm { bytes, is_packed: true },
            None => PageForm { bytes: self.content.as_bytes(), is_packed: false },
        }
    }

    /// Its content in gzip format.
    fn packed(&self) -> Option<&'static [u8]> {
        let place = FILES.iter().position(|file| file.path == self.path)?;
        PACKED.get(place).map(Vec::as_slice).filter(|packed| !packed.is_empty())
    }
}

fn pack(content: &str) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content.as_bytes())?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    /// Most bytes of the page on their way to a browser, and as they are.
    const MAX_PAGE_BYTES: (usize, usize) = (80_000, 230_000);

    #[test]
    fn each_file_is_named_once_and_all_together_are_small() {
        let paths: std::collections::BTreeSet<_> = FILES.iter().map(|file| file.path).collect();
        assert_eq!(paths.len(), FILES.len());
        let packed: usize = FILES.iter().filter_map(|file| file.packed()).map(<[u8]>::len).sum();
        let whole: usize = FILES.iter().map(|file| file.content.len()).sum();
        assert!(packed <= MAX_PAGE_BYTES.0 && whole <= MAX_PAGE_BYTES.1, "the page: {packed}, {whole} bytes");
    }

    #[test]
    fn a_compressed_file_is_the_file() {
        for file in &FILES {
            let mut content = String::new();
            flate2::read::GzDecoder::new(file.packed().unwrap()).read_to_string(&mut content).unwrap();
            assert_eq!(content, file.content);
        }
    }

    #[test]
    fn the_page_loads_nothing_that_is_not_here_and_reads_no_markup() {
        for page_file in &FILES {
            for banned in
                ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"]
            {
                assert!(!page_file.content.contains(banned), "{}: {banned}", page_file.path);
            }
            for import in page_file.content.split(" from \"./").skip(1) {
                let name = import.split('"').next().unwrap_or_default();
                assert!(file(&format!("/{name}")).is_some(), "{} imports {name}", page_file.path);
            }
        }
    }
}
