//! The rules of the house, as tests: what `ARCHITECTURE.md` and the style page promise, held by a
//! machine. Each failure names the file, the line and the remedy. What does not yet keep a rule
//! stands in `exceptions.txt`, which may only shrink.

// What the rules look at, and how they complain.
mod ratchet;
mod report;
mod source;
mod tree;

// The rules.
mod arrows;
mod documents;
mod matches;
mod purity;
mod secrets;
mod sizes;
mod tables;
mod waiting;
mod words;
