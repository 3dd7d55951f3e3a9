//! TODO-DOC sync
