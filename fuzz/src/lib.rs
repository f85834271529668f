//! What must hold of any input: the bodies of the targets, which an ordinary test runs too.

#[path = "../../parsers/tests/fuzz/bodies.rs"]
pub mod bodies;
