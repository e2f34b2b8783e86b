//! The machine against recorded references, and against anything at all.

mod machine;
mod properties;
mod stand_in;
mod tracking;
mod transcripts;
