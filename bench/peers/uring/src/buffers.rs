//! The ring of buffers that the kernel receives into.

use std::alloc::{Layout, alloc_zeroed, handle_alloc_error};
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::IoUring;
use io_uring::types::BufRingEntry;
use peer::BUFFER;

pub const GROUP: u16 = 0;
/// A power of two, as the interface asks for, above the connections that a thread is expected to have.
const COUNT: u16 = 1024;
const PAGE: usize = 4096;

pub struct Buffers {
    entries: *mut BufRingEntry,
    memory: Vec<u8>,
    /// Of the ring, not yet shown to the kernel.
    tail: u16,
}

impl Buffers {
    /// For a ring that lives as long as the process: the kernel keeps the address.
    pub fn new(ring: &IoUring) -> Buffers {
        let layout = Layout::array::<BufRingEntry>(COUNT.into()).unwrap().align_to(PAGE).unwrap();
        // SAFETY: the layout is not empty.
        let entries = unsafe { alloc_zeroed(layout) }.cast::<BufRingEntry>();
        if entries.is_null() {
            handle_alloc_error(layout);
        }
        // SAFETY: the memory is as long as is said, and never freed.
        unsafe { ring.submitter().register_buf_ring_with_flags(entries as u64, COUNT, GROUP, 0) }
            .expect("the kernel knows rings of buffers");
        let mut buffers = Buffers { entries, memory: vec![0; usize::from(COUNT) * BUFFER], tail: 0 };
        for id in 0..COUNT {
            buffers.give_back(id);
        }
        buffers.publish();
        buffers
    }

    pub fn get(&self, id: u16, length: usize) -> &[u8] {
        &self.memory[usize::from(id) * BUFFER..][..length]
    }

    /// The kernel may take it again after the next `publish`.
    pub fn give_back(&mut self, id: u16) {
        let index = usize::from(self.tail % COUNT);
        let address = &mut self.memory[usize::from(id) * BUFFER] as *mut u8;
        // SAFETY: the index is within the ring, and the kernel does not read beyond the published tail.
        let entry = unsafe { &mut *self.entries.add(index) };
        entry.set_addr(address as u64);
        entry.set_len(BUFFER as u32);
        entry.set_bid(id);
        self.tail = self.tail.wrapping_add(1);
    }

    pub fn publish(&mut self) {
        // SAFETY: the address is that of the ring's first entry, in which the tail lies.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.entries).cast_mut()) };
        // Release: the entries are written before the kernel sees that they are there.
        tail.store(self.tail, Ordering::Release);
    }
}
