//! The trials, with what looks like the real thing, and with the corpus.

mod corpus;
mod mutation;
mod properties;
mod texts;
