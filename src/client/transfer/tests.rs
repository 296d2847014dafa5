//! One transfer between two ends in memory.
