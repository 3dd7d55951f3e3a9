//! `ReadBuf` against what it should hold.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use yamanote::io::ReadBuf;

use crate::script::Script;

pub fn run(data: &[u8]) {
    let mut script = Script::new(data);
    let capacity = script.below(40);
    let mut memory = vec![MaybeUninit::new(0xEE_u8); capacity];
    let mut buf = ReadBuf::uninit(&mut memory);
    let (mut filled, mut initialized) = (Vec::<u8>::new(), 0);
    for _ in 0..60 {
        match script.below(9) {
            0 => {
                let bytes = script.bytes(12);
                let fits = filled.len() + bytes.len() <= capacity;
                let put = catch_unwind(AssertUnwindSafe(|| buf.put_slice(bytes)));
                assert_eq!(put.is_ok(), fits, "too much must panic, and only that");
                if fits {
                    filled.extend_from_slice(bytes);
                    initialized = initialized.max(filled.len());
                }
            }
            1 => {
                let n = script.below(capacity + 1);
                if n <= capacity - filled.len() {
                    let unfilled = buf.initialize_unfilled_to(n);
                    assert_eq!(unfilled.len(), n);
                    unfilled.fill(7);
                    initialized = initialized.max(filled.len() + n);
                } else {
                    assert!(
                        catch_unwind(AssertUnwindSafe(|| _ = buf.initialize_unfilled_to(n))).is_err()
                    );
                }
            }
            2 => {
                buf.initialize_unfilled().fill(9);
                initialized = capacity;
            }
            3 => {
                let n = script.below(12);
                let known = filled.len() + n <= initialized;
                let bytes = buf.initialized().get(filled.len()..filled.len() + n).map(<[u8]>::to_vec);
                let advanced = catch_unwind(AssertUnwindSafe(|| buf.advance(n)));
                assert_eq!(advanced.is_ok(), known, "what was never written cannot be filled");
                if known {
                    filled.extend(bytes.unwrap());
                }
            }
            4 => {
                let n = script.below(capacity + 1);
                let known = n <= initialized;
                let bytes = buf.initialized().get(..n).map(<[u8]>::to_vec);
                let set = catch_unwind(AssertUnwindSafe(|| buf.set_filled(n)));
                assert_eq!(set.is_ok(), known);
                if known {
                    filled = bytes.unwrap();
                }
            }
            5 => {
                buf.clear();
                filled.clear();
            }
            6 => {
                let n = script.below(capacity - filled.len() + 1);
                let mut part = buf.take(n);
                assert_eq!((part.capacity(), part.remaining()), (n, n));
                let bytes = script.bytes(12);
                let bytes = &bytes[..bytes.len().min(n)];
                part.put_slice(bytes);
                let count = part.filled().len();
                // SAFETY: that many were just written at the beginning of what was unfilled.
                unsafe { buf.assume_init(count) };
                buf.advance(count);
                filled.extend_from_slice(bytes);
                initialized = initialized.max(filled.len());
            }
            7 => {
                let n = script.below(capacity - filled.len() + 1);
                // SAFETY: nothing is made uninitialised.
                let unfilled = unsafe { buf.unfilled_mut() };
                unfilled[..n].fill(MaybeUninit::new(5));
                // SAFETY: just written.
                unsafe { buf.assume_init(n) };
                initialized = initialized.max(filled.len() + n);
            }
            _ => buf.filled_mut().iter_mut().zip(&mut filled).for_each(|(a, b)| {
                *a = a.wrapping_add(1);
                *b = b.wrapping_add(1);
            }),
        }
        assert_eq!(buf.filled(), filled);
        assert_eq!(buf.initialized().len(), initialized);
        assert_eq!((buf.capacity(), buf.remaining()), (capacity, capacity - filled.len()));
        if script.is_over() {
            break;
        }
    }
}
