//! The news of a server of several, for its log.

/// See the module.
#[derive(Debug, Default)]
pub(super) struct NodeNews {
    /// Of all servers, by number.
    names: Vec<String>,
    /// The term of which the log was told who leads.
    pub(super) told: u64,
    /// Why the engine cannot be used.
    pub(super) trouble: Option<String>,
    /// For the log.
    pub(super) waiting: Vec<NodeHappening>,
    /// Position of the last record that was stored, and of the one that the output took last.
    done: u64,
    doing: u64,
}

/// An event for the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NodeHappening {
    Leads {
        term: u64,
    },
    Follows {
        leader: String,
        term: u64,
    },
    Unreachable(String),
    Reachable,
    RunOver,
    Outvoted {
        ahead: i64,
    },
    /// A setting of the chat has another value at another server.
    SettingDiffers {
        server: String,
        setting: String,
        here: String,
        there: String,
    },
    /// None has any more.
    SettingsAgree {
        server: String,
    },
    /// Records that are not of a server, the latest at this position.
    Strangers {
        count: u64,
        position: u64,
    },
}

impl NodeHappening {
    fn log(&self) {
        match self {
            Self::Leads { term } => {
                tracing::info!(event = "server_leads", term, "this server leads the chat")
            }
            Self::Follows { leader, term } => {
                tracing::info!(event = "server_follows", leader, term, "the server {leader} leads the chat");
            }
            Self::Unreachable(why) => tracing::warn!(
                event = "engine_unreachable",
                "people's messages wait, as this server cannot use the engine: {why}"
            ),
            Self::Reachable => tracing::info!(event = "engine_reachable", "this server can use the engine"),
            Self::SettingDiffers { server, setting, here, there } => tracing::warn!(
                event = "setting_differs",
                server,
                setting,
                here,
                there,
                "the setting {setting} of this chat is {here} here, and {there} at the server {server}; give all servers of the \
                 chat the same one"
            ),
            Self::SettingsAgree { server } => tracing::info!(
                event = "settings_agree",
                server,
                "the server {server} has the same settings of this chat as this one again"
            ),
            Self::RunOver => tracing::warn!(
                event = "cut_off",
                "the other servers took this one for gone, as they did not hear of it for too long, or another process takes \
                 part as this server; its people connect again"
            ),
            Self::Outvoted { ahead } => tracing::warn!(
                event = "clock_outvoted",
                "this server lets another one lead, as its clock is {} s {} those of most servers; set it (timedatectl)",
                ahead.unsigned_abs() / 1000,
                if *ahead < 0 { "behind" } else { "ahead of" }
            ),
            Self::Strangers { count, position } => tracing::warn!(
                event = "log_has_strangers",
                count,
                position,
                "an outsider, not a server of this chat, writes to the servers' log (records: {count} since the last such \
                 line, the latest at position {position}); all servers pass over that; see who else has a certificate for \
                 the engine"
            ),
        }
    }
}

impl NodeNews {
    /// Of a server that has carried out the log up to a position. `names`: of all servers, by number.
    pub(super) fn new(names: Vec<String>, position: u64) -> Self {
        Self { names, done: position, doing: position, ..Self::default() }
    }

    /// Whether the chat has other servers.
    pub(super) fn has_others(&self) -> bool {
        self.names.len() > 1
    }

    /// The name of a server.
    pub(super) fn name(&self, number: u8) -> String {
        self.names.get(usize::from(number)).cloned().unwrap_or_else(|| number.to_string())
    }

    /// The engine's state has changed; `None`: the server can use it.
    pub(super) fn engine(&mut self, trouble: Option<String>) {
        self.waiting.push(trouble.clone().map_or(NodeHappening::Reachable, NodeHappening::Unreachable));
        self.trouble = trouble;
    }

    pub(super) fn run_over(&mut self) {
        self.waiting.push(NodeHappening::RunOver);
    }

    /// The output takes the record at that position.
    pub(super) fn takes(&mut self, position: u64) {
        self.doing = position;
    }

    /// The store has the records up to there. The people they concern may ask how far the server is from now on.
    pub(super) fn stored(&mut self, position: u64) {
        self.done = position;
    }

    /// Whether all that the output has taken is stored.
    pub(super) fn is_idle(&self) -> bool {
        self.done >= self.doing
    }

    /// How many of the records up to `position` are still to be carried out. `is_more`: the output has to take others.
    pub(super) fn lag(&self, position: u64, is_more: bool) -> u64 {
        // Records after the last turn ask nothing of the output.
        if self.is_idle() && !is_more { 0 } else { position.saturating_sub(self.done) }
    }
}

/// Tells the log.
pub(super) fn log(happenings: &[NodeHappening]) {
    happenings.iter().for_each(NodeHappening::log);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_carried_out_once_it_is_stored() {
        let mut news = NodeNews::new(vec!["a".into(), "b".into()], 7);
        assert_eq!((news.lag(8, false), news.lag(9, true)), (0, 2));
        news.takes(9);
        assert_eq!(news.lag(9, false), 2);
        news.stored(9);
        assert_eq!((news.lag(10, false), news.lag(10, true)), (0, 1));
        assert_eq!((news.name(1), news.name(5)), ("b".to_owned(), "5".to_owned()));
    }
}
