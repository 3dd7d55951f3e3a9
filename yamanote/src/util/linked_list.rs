//! An intrusive doubly linked list.
//!
//! The nodes live where their owner keeps them (in a pinned future, in a task cell); the list holds
//! pointers. Linking allocates nothing and a node in the middle leaves in constant time, which is what
//! queues of waiters with cancellation need. The list itself has no lock: it sits inside one.

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// A node type that carries the links of a list.
///
/// # Safety
/// `links` must return, for a valid node, a pointer to the same [`Links`] each time, that lives as long
/// as the node and that nobody but the list touches. A node must not move while it is linked.
pub(crate) unsafe trait Link {
    type Node;

    /// Where the node keeps its links.
    ///
    /// # Safety
    /// `node` must point to a live node.
    unsafe fn links(node: NonNull<Self::Node>) -> NonNull<Links<Self::Node>>;
}

/// The pointers a node carries.
pub(crate) struct Links<T> {
    prev: Option<NonNull<T>>,
    next: Option<NonNull<T>>,
    /// Nodes are pinned: the list's pointers to them outlive any `&mut` to the node.
    _pin: std::marker::PhantomPinned,
}

impl<T> Links<T> {
    pub(crate) const fn new() -> Self {
        Links { prev: None, next: None, _pin: std::marker::PhantomPinned }
    }
}

impl<T> Default for Links<T> {
    fn default() -> Self {
        Links::new()
    }
}

/// # Invariants
/// `head` and `tail` are both `None` or both name linked nodes; following `next` from `head` reaches
/// `tail`, and `prev` is its inverse. Every linked node is alive (owed by `push_*`'s callers).
pub(crate) struct LinkedList<L: Link> {
    head: Option<NonNull<L::Node>>,
    tail: Option<NonNull<L::Node>>,
    _marker: PhantomData<*const L>,
}

// SAFETY: the list only holds pointers to nodes; sending it sends access to them, hence the bound.
unsafe impl<L: Link> Send for LinkedList<L> where L::Node: Send {}
// SAFETY: through `&LinkedList` only emptiness can be read.
unsafe impl<L: Link> Sync for LinkedList<L> where L::Node: Sync {}

impl<L: Link> LinkedList<L> {
    pub(crate) const fn new() -> Self {
        LinkedList { head: None, tail: None, _marker: PhantomData }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.head.is_none()
    }

    /// The oldest node (next to be popped by [`pop_front`](Self::pop_front)).
    pub(crate) fn front(&self) -> Option<NonNull<L::Node>> {
        self.head
    }

    /// The newest node.
    #[cfg(test)]
    pub(crate) fn back(&self) -> Option<NonNull<L::Node>> {
        self.tail
    }

    /// Links `node` at the end.
    ///
    /// # Safety
    /// `node` must be alive, in no list, and stay alive and in place until it is removed.
    pub(crate) unsafe fn push_back(&mut self, node: NonNull<L::Node>) {
        debug_assert_ne!(self.tail, Some(node));
        // SAFETY: `node` is alive by contract, `tail` by the invariant; `&mut self` excludes others.
        unsafe {
            let mut links = L::links(node);
            links.as_mut().prev = self.tail;
            links.as_mut().next = None;
            match self.tail {
                Some(tail) => L::links(tail).as_mut().next = Some(node),
                None => self.head = Some(node),
            }
        }
        self.tail = Some(node);
    }

    /// Links `node` at the start.
    ///
    /// # Safety
    /// As for [`push_back`](Self::push_back).
    #[cfg(test)]
    pub(crate) unsafe fn push_front(&mut self, node: NonNull<L::Node>) {
        debug_assert_ne!(self.head, Some(node));
        // SAFETY: as in `push_back`.
        unsafe {
            let mut links = L::links(node);
            links.as_mut().prev = None;
            links.as_mut().next = self.head;
            match self.head {
                Some(head) => L::links(head).as_mut().prev = Some(node),
                None => self.tail = Some(node),
            }
        }
        self.head = Some(node);
    }

    pub(crate) fn pop_front(&mut self) -> Option<NonNull<L::Node>> {
        let node = self.head?;
        // SAFETY: `head` is linked here, by the invariant.
        unsafe { self.remove(node) };
        Some(node)
    }

    pub(crate) fn pop_back(&mut self) -> Option<NonNull<L::Node>> {
        let node = self.tail?;
        // SAFETY: `tail` is linked here, by the invariant.
        unsafe { self.remove(node) };
        Some(node)
    }

    /// Unlinks `node`; `false` if it was in no list.
    ///
    /// # Safety
    /// `node` must be alive and either linked in *this* list or in none.
    pub(crate) unsafe fn remove(&mut self, node: NonNull<L::Node>) -> bool {
        // SAFETY: `node` is alive by contract; its neighbours are linked here, so alive too.
        unsafe {
            let mut links = L::links(node);
            let Links { prev, next, .. } = *links.as_ref();
            match prev {
                Some(prev) => L::links(prev).as_mut().next = next,
                None if self.head == Some(node) => self.head = next,
                None => return false,
            }
            match next {
                Some(next) => L::links(next).as_mut().prev = prev,
                None => {
                    debug_assert_eq!(self.tail, Some(node));
                    self.tail = prev;
                }
            }
            links.as_mut().prev = None;
            links.as_mut().next = None;
        }
        true
    }

    /// Takes all nodes out as a new list, in constant time.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    /// Moves all nodes of `other` behind those of this list, in constant time.
    pub(crate) fn append(&mut self, mut other: Self) {
        let Some(head) = other.head.take() else { return };
        match self.tail {
            // SAFETY: both nodes are linked, so alive; the lists are borrowed exclusively or owned.
            Some(tail) => unsafe {
                L::links(tail).as_mut().next = Some(head);
                L::links(head).as_mut().prev = Some(tail);
            },
            None => self.head = Some(head),
        }
        self.tail = other.tail.take();
    }

    /// Visits the nodes from oldest to newest.
    pub(crate) fn for_each(&self, mut f: impl FnMut(NonNull<L::Node>)) {
        let mut at = self.head;
        while let Some(node) = at {
            // SAFETY: linked nodes are alive, by the invariant.
            at = unsafe { L::links(node).as_ref().next };
            f(node);
        }
    }
}

impl<L: Link> Default for LinkedList<L> {
    fn default() -> Self {
        LinkedList::new()
    }
}

impl<L: Link> fmt::Debug for LinkedList<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkedList").field("is_empty", &self.is_empty()).finish()
    }
}

impl<T> fmt::Debug for Links<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("prev", &self.prev).field("next", &self.next).finish()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    struct Node {
        links: Links<Node>,
        value: u32,
    }

    struct ByValue;

    // SAFETY: `links` is a field of the boxed node, which the tests neither move nor touch.
    unsafe impl Link for ByValue {
        type Node = Node;

        unsafe fn links(node: NonNull<Node>) -> NonNull<Links<Node>> {
            // SAFETY: `node` is alive by contract.
            unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).links) }
        }
    }

    /// Random pushes, pops and removals, against a `VecDeque` that does the same.
    #[test]
    fn behaves_as_a_deque() {
        let nodes: Vec<NonNull<Node>> = (0..16)
            .map(|value| NonNull::from(Box::leak(Box::new(Node { links: Links::new(), value }))))
            .collect();
        let mut list = LinkedList::<ByValue>::new();
        let mut model = VecDeque::new();
        let mut seed = 0x2545_F491_4F6C_DD1Du64;
        for _ in 0..20_000 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let node = nodes[(seed >> 8) as usize % nodes.len()];
            // SAFETY: the nodes are leaked until the end of the test; those in `model` are linked.
            unsafe {
                let linked = model.contains(&node);
                // Cut in two and joined again.
                let mut front = list.take();
                for _ in 0..seed % 3 {
                    if let Some(node) = front.pop_back() {
                        list.push_front(node);
                    }
                }
                front.append(list.take());
                list.append(front);
                match seed % 5 {
                    0 if !linked => {
                        list.push_back(node);
                        model.push_back(node);
                    }
                    1 if !linked => {
                        list.push_front(node);
                        model.push_front(node);
                    }
                    2 => assert_eq!(list.pop_front(), model.pop_front()),
                    3 => assert_eq!(list.pop_back(), model.pop_back()),
                    _ => {
                        assert_eq!(list.remove(node), linked);
                        model.retain(|n| *n != node);
                    }
                }
                let mut seen = Vec::new();
                list.for_each(|n| seen.push(n));
                assert!(seen.iter().eq(model.iter()));
                assert_eq!(list.is_empty(), model.is_empty());
                assert_eq!(
                    list.back().map(|n| (*n.as_ptr()).value),
                    model.back().map(|n| n.as_ref().value)
                );
            }
        }
        for node in nodes {
            // SAFETY: leaked above, freed once.
            drop(unsafe { Box::from_raw(node.as_ptr()) });
        }
    }
}
