//! TODO-DOC net
