//! Targets for a fuzzer, as plain tests: on what was once found (files in `corpus/TARGET/`), and on random scripts, the
//! same in every run. `FUZZ_SCRIPTS=N` asks for more.

mod mock;
mod poll;
mod script;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Scripts of each target, unless the environment says otherwise.
const SCRIPTS: u64 = 300;

/// xorshift64*.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

fn script_of(seed: u64) -> Vec<u8> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    (0..8).for_each(|_| _ = random.next());
    let len = random.next() % 600;
    (0..len).map(|_| (random.next() >> 40) as u8).collect()
}

fn check(name: &str) {
    let (_, target) = targets::ALL.iter().find(|target| target.0 == name).expect("a target");
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    for file in std::fs::read_dir(corpus).into_iter().flatten() {
        let path = file.unwrap().path();
        let found = catch_unwind(AssertUnwindSafe(|| target(&std::fs::read(&path).unwrap())));
        assert!(found.is_ok(), "{name} fails on {}", path.display());
    }
    let scripts = std::env::var("FUZZ_SCRIPTS").map_or(SCRIPTS, |text| text.parse().expect("a number"));
    for seed in 1..=scripts {
        let failed = catch_unwind(AssertUnwindSafe(|| target(&script_of(seed)))).is_err();
        assert!(!failed, "{name} fails on script {seed}: {:?}", script_of(seed));
    }
}

macro_rules! tests {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        #[test]
        fn none_is_forgotten() {
            let names = [$(stringify!($name)),*];
            assert!(targets::ALL.iter().map(|target| target.0).eq(names));
        }
    };
}

tests!(broadcast mpsc notify pipes read_buf reading rwlock select semaphore watch writing);
