//! What happens to one of three machines.

/// A fault, and how long everybody may take to talk again in goal, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    LeaderKilled,
    RelayKilled,
    EngineLeaderKilled,
    EngineKilled,
    /// Power failure: server and engine of the machine that leads.
    MachineKilled,
    LeaderStopped,
    RelayStopped,
    EngineLeaderStopped,
    EngineStopped,
    /// Server by server.
    RollingRestart,
    /// Engine by engine, each once the one before has all records.
    EnginesRollingRestart,
    /// Cable by cable.
    LeaderCut,
    RelayCut,
    EngineLeaderCut,
    /// The program is there and does nothing.
    LeaderFrozen,
    EngineLeaderFrozen,
    /// A server comes back with an older copy of its data directory, or with none.
    OlderCopy,
    EmptyDatabase,
}

use Kind::*;

impl Kind {
    /// In one round, those that matter most more often.
    pub const ROUND: [Self; 23] = [
        LeaderKilled,
        RelayKilled,
        EngineLeaderKilled,
        EngineKilled,
        LeaderStopped,
        RelayStopped,
        EngineLeaderStopped,
        LeaderKilled,
        RelayCut,
        OlderCopy,
        EngineLeaderKilled,
        MachineKilled,
        RollingRestart,
        EnginesRollingRestart,
        LeaderCut,
        LeaderFrozen,
        RelayKilled,
        EngineStopped,
        LeaderKilled,
        EmptyDatabase,
        EngineLeaderCut,
        EngineLeaderKilled,
        EngineLeaderFrozen,
    ];

    pub fn words(self) -> &'static str {
        match self {
            LeaderKilled => "kill -9 of the lanchat that leads",
            RelayKilled => "kill -9 of another lanchat",
            EngineLeaderKilled => "kill -9 of the engine that leads",
            EngineKilled => "kill -9 of another engine",
            MachineKilled => "kill -9 of lanchat and engine where lanchat leads",
            LeaderStopped => "SIGTERM of the lanchat that leads",
            RelayStopped => "SIGTERM of another lanchat",
            EngineLeaderStopped => "SIGTERM of the engine that leads",
            EngineStopped => "SIGTERM of another engine",
            RollingRestart => "SIGTERM of each lanchat in turn",
            EnginesRollingRestart => "SIGTERM of each engine in turn",
            LeaderCut => "the machine of the lanchat that leads cut off",
            RelayCut => "another machine cut off",
            EngineLeaderCut => "the machine of the engine that leads cut off",
            LeaderFrozen => "the lanchat that leads frozen",
            EngineLeaderFrozen => "the engine that leads frozen",
            OlderCopy => "kill -9 of another lanchat, and an older copy of its data",
            EmptyDatabase => "kill -9 of another lanchat, and its history is gone",
        }
    }

    pub fn is_cut(self) -> bool {
        matches!(self, LeaderCut | RelayCut | EngineLeaderCut)
    }

    pub fn is_freeze(self) -> bool {
        matches!(self, LeaderFrozen | EngineLeaderFrozen)
    }

    /// Whether it happens to the server, and whether to the engine.
    pub fn hits(self) -> (bool, bool) {
        match self {
            EngineLeaderKilled
            | EngineKilled
            | EngineLeaderStopped
            | EngineStopped
            | EnginesRollingRestart
            | EngineLeaderFrozen => (false, true),
            MachineKilled => (true, true),
            _ => (true, false),
        }
    }

    pub fn is_orderly(self) -> bool {
        matches!(self, LeaderStopped | RelayStopped | EngineLeaderStopped | EngineStopped)
            || self.is_rolling()
    }

    pub fn is_rolling(self) -> bool {
        matches!(self, RollingRestart | EnginesRollingRestart)
    }
}
