//! What is drawn by lot. The same seed draws the same.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    /// SplitMix64.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn fork(&mut self) -> Dice {
        Dice::new(self.next())
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    pub fn micros(&mut self, below: u64) -> Duration {
        Duration::from_micros(self.below(below))
    }

    pub fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.next().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.fill(&mut bytes);
        bytes
    }

    /// Runs a future to its end, or, one time in four, drops it after some polls or some time.
    pub async fn perhaps<F: Future>(&mut self, future: F) -> Option<F::Output> {
        match self.below(8) {
            0 => yamanote::time::timeout(self.micros(2_000), future).await.ok(),
            1 => {
                let mut left = 1 + self.below(4);
                let mut future = pin!(future);
                std::future::poll_fn(|cx| {
                    left -= 1;
                    match future.as_mut().poll(cx) {
                        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
                        std::task::Poll::Pending if left == 0 => std::task::Poll::Ready(None),
                        std::task::Poll::Pending => {
                            // Whether or not something comes.
                            cx.waker().wake_by_ref();
                            std::task::Poll::Pending
                        }
                    }
                })
                .await
            }
            _ => Some(future.await),
        }
    }
}

/// FNV-1a.
pub fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3)
    })
}
