//! TODO-DOC time
