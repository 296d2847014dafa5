//! How far somebody has got in the history, as PROTOCOL.md has it: a number and its incarnation, and the ends
//! of others.

use serde_json::{Value, json};

/// Other incarnations that a client remembers, the newest.
const MOST_LOGS: usize = 32;

#[derive(Debug, Clone, Default)]
pub struct Point {
    pub log: Option<String>,
    pub seq: u64,
    logs: Vec<(String, u64)>,
}

/// The resume point in a welcome.
#[derive(Debug, Clone)]
pub struct Welcomed {
    log: Option<String>,
    logs: Vec<(String, u64)>,
    /// The highest number that was given.
    pub latest: u64,
    /// Up to which number the client has what the server has.
    pub common: u64,
    pub is_rewound: bool,
}

impl Point {
    /// Puts it into a hello.
    pub fn tell(&self, hello: &mut Value) {
        hello["since"] = json!(self.seq);
        if let Some(log) = &self.log {
            hello["log"] = json!(log);
            let logs = self.logs.iter().map(|(log, last)| json!({"log": log, "last": last}));
            hello["logs"] = logs.collect();
        }
    }

    pub fn read(&self, welcome: &Value) -> Welcomed {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let log = text(&welcome["log"]);
        let logs = welcome["logs"].as_array().into_iter().flatten();
        let logs = logs.filter_map(|end| Some((text(&end["log"])?, end["last"].as_u64()?))).collect();
        // Servers that know nothing of incarnations say only which history it is.
        let own = if log == self.log { self.seq } else { 0 };
        let common = welcome["since"].as_u64().unwrap_or(own);
        let latest = welcome["seq"].as_u64().unwrap_or_default();
        Welcomed { log, logs, latest, common, is_rewound: welcome["rewound"] == true }
    }

    /// Everything up to that number has come, of older incarnations no more than that. Before that none of the
    /// connection's numbers is a point.
    pub fn arrive(&mut self, at: Welcomed, seq: u64) {
        let left = std::mem::take(&mut self.log).filter(|log| Some(log) != at.log.as_ref());
        let told = at.logs.into_iter().map(|(log, last)| (log, last.min(seq)));
        let known = told.chain(left.map(|log| (log, self.seq))).chain(std::mem::take(&mut self.logs));
        for (log, last) in known.filter(|(log, _)| Some(log) != at.log.as_ref()) {
            match self.logs.iter_mut().find(|(other, _)| *other == log) {
                Some((_, end)) => *end = last.max(*end),
                None => self.logs.push((log, last)),
            }
        }
        self.logs.truncate(MOST_LOGS);
        (self.log, self.seq) = (at.log, seq);
    }
}
