//! Files of ours in the hands of the references, and theirs in ours. Skipped where a reference is
//! not installed.
