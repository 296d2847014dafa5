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
    /// Position of the last record that was carried out, and of the one after it, which may be in progress.
    pub(super) done: u64,
    pub(super) doing: u64,
}

/// An event for the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NodeHappening {
    Leads { term: u64 },
    Follows { leader: String, term: u64 },
    Unreachable(String),
    Reachable,
    RunOver,
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
            Self::RunOver => tracing::warn!(
                event = "cut_off",
                "the other servers did not hear of this one for too long; its people connect again"
            ),
        }
    }
}

impl NodeNews {
    /// Of a server that has carried out the log up to a position. `names`: of all servers, by number.
    pub(super) fn new(names: Vec<String>, position: u64) -> Self {
        Self { names, done: position, doing: position, ..Self::default() }
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

    /// The output takes its next task, and so has finished the one before. `position`: of the record that it carries
    /// out.
    pub(super) fn next_work(&mut self, position: Option<u64>) {
        self.done = self.doing;
        self.doing = position.unwrap_or(self.doing);
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
    fn a_record_is_carried_out_once_the_output_takes_the_next_task() {
        let mut news = NodeNews::new(vec!["a".into(), "b".into()], 7);
        news.next_work(Some(9));
        assert_eq!((news.done, news.doing), (7, 9));
        news.next_work(None);
        assert_eq!(news.done, 9);
        assert_eq!((news.name(1), news.name(5)), ("b".to_owned(), "5".to_owned()));
    }
}
