//! Bytes as a script: what a fuzzer mutates, a target reads as a row of small decisions. At their end all decisions are
//! zero, so each script is a whole one.

/// What is left of the bytes.
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Script(bytes)
    }

    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&byte, rest)) => {
                self.0 = rest;
                byte
            }
            None => 0,
        }
    }

    /// A number below `n`, which is 256 at the most.
    pub fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) * n / 256
    }

    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Up to `most` bytes as they come.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let n = self.below((most + 1).min(256)).min(self.0.len());
        let (bytes, rest) = self.0.split_at(n);
        self.0 = rest;
        bytes
    }

    /// Text of few different bytes, so that delimiters are frequent.
    pub fn text(&mut self, most: usize) -> Vec<u8> {
        self.bytes(most).iter().map(|byte| b"ab\n\r,c\n\xC3"[usize::from(byte % 8)]).collect()
    }
}
