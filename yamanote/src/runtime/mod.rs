//! TODO-DOC runtime
