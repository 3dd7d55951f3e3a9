//! What must not compile, and what the compiler says then.
//!
//! Where the message is the compiler's own, it may change with it: `TRYBUILD=overwrite cargo test --test compile_fail`
//! writes the new ones, to be read before they are committed.

#[test]
fn the_compiler_says_what_is_wrong() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
