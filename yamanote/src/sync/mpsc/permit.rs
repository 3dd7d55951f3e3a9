//! Room in a bounded channel, reserved ahead of the value.

use std::fmt;
use std::iter::FusedIterator;
use std::mem;

use super::bounded::{Bounded, Sender};
use super::chan::Chan;

/// Room for one value, reserved in a bounded channel.
///
/// Made by [`Sender::reserve`] and [`Sender::try_reserve`]. Sending with it neither waits nor fails; dropped
/// unused, it gives the room back.
pub struct Permit<'a, T> {
    chan: &'a Chan<T, Bounded>,
}

impl<'a, T> Permit<'a, T> {
    /// From one permit of the channel's semaphore.
    pub(super) fn new(chan: &'a Chan<T, Bounded>) -> Self {
        Permit { chan }
    }

    /// Sends a value into the reserved room.
    ///
    /// If the receiver is dropped, so is the value; if it was only closed, it still gets it.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// let permit = tx.reserve().await.unwrap();
    /// assert!(tx.try_send(1).is_err());
    /// permit.send(2);
    /// assert_eq!(rx.recv().await, Some(2));
    /// # }
    /// ```
    pub fn send(self, value: T) {
        let chan = self.chan;
        // First: the permit goes with the value, also if the receiver's waker panics.
        mem::forget(self);
        chan.push_permitted(value);
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        self.chan.return_permits(1);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("chan", self.chan).finish()
    }
}

/// Room for several values, reserved in a bounded channel: an iterator over its [`Permit`]s.
///
/// Made by [`Sender::reserve_many`] and [`Sender::try_reserve_many`]. What is left when it is dropped is
/// given back.
///
/// # Examples
/// ```
/// use yamanote::sync::mpsc;
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() {
/// let (send, mut receive) = mpsc::channel(4);
/// // Places for all of them first: either all are sent or none is.
/// let places = send.reserve_many(3).await.unwrap();
/// for (place, value) in places.zip(["a", "b", "c"]) {
///     place.send(value);
/// }
/// assert_eq!(receive.recv().await, Some("a"));
/// # }
/// ```
pub struct PermitIterator<'a, T> {
    chan: &'a Chan<T, Bounded>,
    left: usize,
}

impl<'a, T> PermitIterator<'a, T> {
    /// From `left` permits of the channel's semaphore.
    pub(super) fn new(chan: &'a Chan<T, Bounded>, left: usize) -> Self {
        PermitIterator { chan, left }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        Some(Permit::new(self.chan))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> Drop for PermitIterator<'_, T> {
    fn drop(&mut self) {
        if self.left > 0 {
            self.chan.return_permits(self.left);
        }
    }
}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermitIterator").field("chan", self.chan).field("capacity", &self.left).finish()
    }
}

/// Room for one value, with the sender it was reserved through.
///
/// Made by [`Sender::reserve_owned`] and [`Sender::try_reserve_owned`]. It borrows nothing, so it can be
/// kept in a struct or moved to another task. The sender comes back from [`send`](OwnedPermit::send) and
/// [`release`](OwnedPermit::release).
pub struct OwnedPermit<T> {
    /// `None` only while it is taken apart.
    sender: Option<Sender<T>>,
}

impl<T> OwnedPermit<T> {
    /// From a sender and one permit of its channel's semaphore.
    pub(super) fn new(sender: Sender<T>) -> Self {
        OwnedPermit { sender: Some(sender) }
    }

    /// Sends a value into the reserved room, and gives the sender back. See [`Permit::send`].
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// # #[yamanote::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (tx, mut rx) = mpsc::channel(1);
    /// let permit = tx.reserve_owned().await.unwrap();
    /// let tx = permit.send(1);
    /// assert_eq!(rx.recv().await, Some(1));
    /// tx.send(2).await.unwrap();
    /// # }
    /// ```
    pub fn send(mut self, value: T) -> Sender<T> {
        let sender = self.take();
        sender.chan().push_permitted(value);
        sender
    }

    /// Gives the room back without sending, and returns the sender.
    ///
    /// # Examples
    /// ```
    /// use yamanote::sync::mpsc;
    ///
    /// let (tx, _rx) = mpsc::channel::<u32>(1);
    /// let permit = tx.try_reserve_owned().unwrap();
    /// let tx = permit.release();
    /// assert_eq!(tx.capacity(), 1);
    /// ```
    pub fn release(mut self) -> Sender<T> {
        let sender = self.take();
        sender.chan().return_permits(1);
        sender
    }

    /// Whether both are of the same channel.
    ///
    /// # Examples
    /// ```
    /// let (tx, _rx) = yamanote::sync::mpsc::channel::<u32>(2);
    /// let permit = tx.clone().try_reserve_owned().unwrap();
    /// assert!(permit.same_channel(&tx.try_reserve_owned().unwrap()));
    /// ```
    pub fn same_channel(&self, other: &Self) -> bool {
        match (&self.sender, &other.sender) {
            (Some(a), Some(b)) => a.same_channel(b),
            _ => false,
        }
    }

    /// Whether it is of the channel that `sender` sends to.
    ///
    /// # Examples
    /// ```
    /// let (tx, _rx) = yamanote::sync::mpsc::channel::<u32>(2);
    /// let permit = tx.clone().try_reserve_owned().unwrap();
    /// assert!(permit.same_channel_as_sender(&tx));
    /// ```
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.sender.as_ref().is_some_and(|own| own.same_channel(sender))
    }

    fn take(&mut self) -> Sender<T> {
        match self.sender.take() {
            Some(sender) => sender,
            None => unreachable!("a permit is taken apart once"),
        }
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if let Some(sender) = &self.sender {
            sender.chan().return_permits(1);
        }
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedPermit").field("sender", &self.sender).finish()
    }
}
