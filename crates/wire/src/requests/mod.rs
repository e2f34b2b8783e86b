//! Administrative commands: from words to requests to the core.
