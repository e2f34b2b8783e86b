//! A pure model of a Redis or Valkey data node.
