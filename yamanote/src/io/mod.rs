//! TODO-DOC io
