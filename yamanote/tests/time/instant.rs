use std::collections::HashSet;

use yamanote::time::{Duration, Instant};

use crate::support::ms;

#[test]
fn arithmetic_follows_the_standard_library() {
    let std = std::time::Instant::now();
    let instant = Instant::from(std);
    assert_eq!(std::time::Instant::from(instant), std);
    assert_eq!(Instant::from_std(std).into_std(), std);
    let mut moved = instant + ms(5);
    moved += ms(5);
    assert_eq!(moved - instant, ms(10));
    moved -= ms(3);
    assert_eq!((moved - ms(7), moved.duration_since(instant)), (instant, ms(7)));
    assert!(moved > instant);
    assert_eq!(HashSet::from([moved, moved, instant]).len(), 2);
    assert_eq!(format!("{instant:?}"), format!("{std:?}"));
}

#[test]
fn what_would_be_negative_is_zero() {
    let now = Instant::now();
    let later = now + ms(1);
    assert_eq!(now - later, Duration::ZERO);
    assert_eq!(now.duration_since(later), Duration::ZERO);
    assert_eq!(now.saturating_duration_since(later), Duration::ZERO);
    assert_eq!(now.checked_duration_since(later), None);
    assert_eq!(later.elapsed().checked_sub(ms(1_000_000)), None);
}

#[test]
fn checked_operations_refuse_what_overflows() {
    let now = Instant::now();
    assert_eq!(now.checked_add(Duration::MAX), None);
    assert_eq!(now.checked_sub(Duration::MAX), None);
    assert_eq!(now.checked_add(ms(2)).unwrap().checked_sub(ms(2)), Some(now));
}

#[test]
#[should_panic]
fn adding_too_much_panics() {
    let _ = Instant::now() + Duration::MAX;
}
