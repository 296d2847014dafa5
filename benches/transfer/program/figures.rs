//! Medians, and the CPU time of processes that have ended.

use std::time::Duration;

/// What one turn took.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    pub wall: Duration,
    /// Of all processes.
    pub cpu: Duration,
}

impl Turn {
    /// Megabytes per second.
    pub fn rate(&self, bytes: u64) -> f64 {
        bytes as f64 / 1e6 / self.wall.as_secs_f64()
    }

    /// Nanoseconds of CPU for each byte.
    pub fn cpu_a_byte(&self, bytes: u64) -> f64 {
        self.cpu.as_secs_f64() * 1e9 / bytes as f64
    }
}

pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length => (values[(length - 1) / 2] + values[length / 2]) / 2.0,
    }
}

/// User and system time of all child processes that have been waited for, and of theirs.
pub fn children() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("the process's figures");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    // `cutime` and `cstime`, in hundredths of a second (proc_pid_stat(5)); the state is the first field here.
    let ticks: u64 = [13, 14].iter().map(|at| fields[*at].parse::<u64>().expect("a number")).sum();
    Duration::from_millis(ticks * 10)
}
