//! Differences between operating systems: the only place with target cfgs.
