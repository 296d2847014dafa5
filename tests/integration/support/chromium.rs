//! A real Chromium on a host of a test's network, spoken to through chromedriver: the part of WebDriver (W3C) that
//! these tests need, over HTTP on the host's own loopback.

use super::lan::{Host, Running};
use super::peer::DEADLINE;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// The key of an element's id in answers.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Keys of a keyboard, as WebDriver writes them.
pub const ENTER: &str = "\u{E007}";

/// How long a page may take to show something: a browser starts, beside other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// The size of a window, in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub enum Window {
    Desk,
    Phone,
}

impl Window {
    pub fn size(self) -> (u32, u32) {
        match self {
            Self::Desk => (1280, 800),
            Self::Phone => (390, 844),
        }
    }
}

/// A browser with one page. Ends when dropped.
pub struct Browser<'a> {
    host: &'a Host,
    port: u16,
    session: String,
    _driver: Running,
}

impl<'a> Browser<'a> {
    /// Starts one on the host, with its files in `profile`.
    pub fn start(host: &'a Host, profile: &Path, window: Window) -> Self {
        let mut command = host.command("chromedriver");
        command.args(["--port=0", "--allowed-ips=127.0.0.1"]).env("HOME", profile).env("TMPDIR", profile);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut driver = host.spawn(&mut command);
        let mut lines =
            BufReader::new(driver.0.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let port = lines
            .find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok());
        // Reads on, so that the driver never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let port = port.expect("chromedriver tells its port");
        let mut browser = Self { host, port, session: String::new(), _driver: driver };
        let (width, height) = window.size();
        let mut options = json!({"args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--lang=en-GB",
            "--disable-dev-shm-usage", "--force-prefers-no-reduced-motion",
            format!("--window-size={width},{height}"),
            format!("--user-data-dir={}", profile.join("profile").display()),
        ]});
        if matches!(window, Window::Phone) {
            let metrics = json!({"width": width, "height": height, "pixelRatio": 1, "touch": true});
            options["mobileEmulation"] = json!({"deviceMetrics": metrics});
        }
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}});
        let made = browser.request("POST", "/session", &json!({"capabilities": {"alwaysMatch": wanted}}));
        browser.session = format!("/session/{}", made["sessionId"].as_str().expect("a session"));
        let downloads = json!({"behavior": "allow", "downloadPath": profile});
        browser.devtools("Browser.setDownloadBehavior", &downloads);
        if matches!(window, Window::Desk) {
            // Of the page; the window's own edges come on top.
            let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
            browser.devtools("Emulation.setDeviceMetricsOverride", &size);
        }
        browser
    }

    /// Opens an address. If the browser does not trust the server's certificate, clicks through the warning, as a
    /// person does.
    pub fn open(&self, url: &str) {
        if self.warns_at(url) {
            self.run("document.querySelector('#details-button').click()");
            self.run("document.querySelector('#proceed-link').click()");
        }
        self.wait("location.protocol !== 'chrome-error:' && document.readyState === 'complete'");
    }

    /// Opens an address; whether the browser warns of the certificate there.
    pub fn warns_at(&self, url: &str) -> bool {
        self.command("/url", &json!({"url": url}));
        self.value("location.protocol") == json!("chrome-error:")
    }

    /// Runs a script's body; its value.
    pub fn run(&self, script: &str) -> Value {
        self.command("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The value of an expression.
    pub fn value(&self, expression: &str) -> Value {
        self.run(&format!("return {expression}"))
    }

    /// Runs a script's body that hands its value to `done`.
    pub fn run_async(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        self.command("/execute/async", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn wait(&self, expression: &str) {
        let start = Instant::now();
        let script = json!({"script": format!("return {expression}"), "args": []});
        // Until the page is there, there is nothing to ask.
        while self.try_request("POST", "/execute/sync", &script) != Ok(json!(true)) {
            let page = || self.value("document.body.innerText + '\\n' + location.href");
            assert!(start.elapsed() < PATIENCE, "in vain: {expression}\n{}", page());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the page shows a text.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.wait(&format!("document.body.innerText.includes({})", json!(text)));
    }

    /// Clicks an element, unless the page replaces it at that moment: then what takes its place.
    pub fn click(&self, css: &str) {
        let click = || self.try_request("POST", &format!("/element/{}/click", self.element(css)), &json!({}));
        let start = Instant::now();
        while let Err(error) = click() {
            assert!(start.elapsed() < DEADLINE, "{css}: {error}");
        }
    }

    /// Types into an element, key by key; into a choice of files, a path.
    pub fn type_into(&self, css: &str, text: &str) {
        self.command(&format!("/element/{}/value", self.element(css)), &json!({"text": text}));
    }

    /// Says something in the present place, or gives a command.
    pub fn say(&self, line: &str) {
        self.type_into("#text", &format!("{line}{ENTER}"));
    }

    /// Opens the page and enters under this name.
    pub fn enter(&self, url: &str, name: &str) {
        self.open(url);
        self.wait("document.querySelector('#join').hidden === false");
        self.type_into("#name", &format!("{name}{ENTER}"));
        self.wait_for_entry();
    }

    /// Waits until the page is in the chat.
    #[track_caller]
    pub fn wait_for_entry(&self) {
        self.wait(
            "!document.querySelector('#chat').hidden && document.querySelector('#status').textContent === ''",
        );
    }

    /// The texts of the messages that the page shows.
    pub fn messages(&self) -> Vec<String> {
        let all =
            self.value("[...document.querySelectorAll('#log .msg .line')].map((line) => line.textContent)");
        serde_json::from_value(all).expect("texts")
    }

    /// What the browser reported of this page: errors, and what its policy forbade.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.command("/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().cloned().unwrap_or_default();
        entries.iter().map(|entry| entry["message"].as_str().unwrap_or_default().to_owned()).collect()
    }

    pub fn set_dark(&self, is_dark: bool) {
        let theme = if is_dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": theme}]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// The page as a PNG.
    pub fn picture(&self) -> Vec<u8> {
        use base64::Engine as _;
        let text = self.try_request("GET", "/screenshot", &Value::Null).expect("a picture");
        base64::engine::general_purpose::STANDARD.decode(text.as_str().expect("text")).expect("base64")
    }

    pub fn devtools(&self, method: &str, params: &Value) -> Value {
        self.command("/goog/cdp/execute", &json!({"cmd": method, "params": params}))
    }

    /// Ends the browser in an orderly way, so that it has written its files.
    pub fn quit(self) {
        drop(self);
    }

    fn element(&self, css: &str) -> String {
        let start = Instant::now();
        loop {
            match self.try_request("POST", "/element", &json!({"using": "css selector", "value": css})) {
                Ok(found) => return found[ELEMENT].as_str().expect("an id").to_owned(),
                Err(error) => assert!(start.elapsed() < DEADLINE, "{css}: {error}"),
            }
        }
    }

    fn command(&self, path: &str, body: &Value) -> Value {
        self.try_request("POST", path, body).unwrap_or_else(|error| panic!("{path} {body}: {error}"))
    }

    fn try_request(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let value = self.request(method, &format!("{}{path}", self.session), body);
        match value["error"].as_str() {
            Some(error) => Err(format!("{error}: {}", value["message"].as_str().unwrap_or_default())),
            None => Ok(value),
        }
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let port = self.port;
        let answer = self.host.run(move || exchange(port, &(head + &body)));
        let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let mut answer: Value =
            serde_json::from_slice(&answer).unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        answer["value"].take()
    }
}

/// Sends a request to a driver; the body of its answer. The driver keeps the connection open.
fn exchange(port: u16, request: &str) -> std::io::Result<Vec<u8>> {
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(2 * PATIENCE))?;
    socket.write_all(request.as_bytes())?;
    let mut reader = BufReader::new(socket);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().unwrap_or_default();
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        // The browser would outlive its driver.
        let path = std::mem::take(&mut self.session);
        if !path.is_empty() {
            let port = self.port;
            let request = format!("DELETE {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n");
            let _ = self.host.run(move || exchange(port, &request));
        }
    }
}
