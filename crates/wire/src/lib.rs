//! Frames to requests, queries, answers, hellos and events.
