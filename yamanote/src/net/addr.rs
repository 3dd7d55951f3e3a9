//! What can be turned into socket addresses, and how: at once, or on the blocking pool.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::option;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use crate::engine::blocking::spawn_expendable_blocking;
use crate::task::JoinHandle;

/// Types that name one or several socket addresses, perhaps by way of a lookup.
///
/// Addresses, also as strings, are converted at once; host names are looked up on a thread of the blocking
/// pool. The trait is sealed: it has no methods to call and cannot be implemented elsewhere. Use
/// [`lookup_host`](crate::net::lookup_host) to see the addresses.
///
/// Implemented for
/// - [`SocketAddr`], [`SocketAddrV4`], [`SocketAddrV6`],
/// - pairs of an [`IpAddr`], [`Ipv4Addr`] or [`Ipv6Addr`] and a port,
/// - `&[SocketAddr]`,
/// - strings of the form `<host>:<port>`, and pairs of a host as a string and a port,
/// - references to any of these.
///
/// # Examples
/// ```
/// use yamanote::net::{TcpListener, TcpStream, ToSocketAddrs};
///
/// # #[yamanote::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// /// Takes whatever `TcpStream::connect` takes.
/// async fn dial(address: impl ToSocketAddrs) -> std::io::Result<TcpStream> {
///     let stream = TcpStream::connect(address).await?;
///     stream.set_nodelay(true)?;
///     Ok(stream)
/// }
///
/// let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
/// dial(listener.local_addr()?).await?;
/// dial(format!("localhost:{}", listener.local_addr()?.port())).await?;
/// # Ok(())
/// # }
/// ```
pub trait ToSocketAddrs: sealed::ToSocketAddrsPriv {}

/// An address, or a lookup in progress.
type ReadyFuture<T> = std::future::Ready<io::Result<T>>;

pub(crate) fn to_socket_addrs<A>(addr: A) -> A::Future
where
    A: ToSocketAddrs,
{
    addr.to_socket_addrs(sealed::Internal)
}

/// Tries `connect` (or `bind`) on each address until one succeeds; the last error otherwise.
pub(crate) fn first_success<T>(
    addrs: impl Iterator<Item = SocketAddr>,
    mut attempt: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = None;
    for addr in addrs {
        match attempt(addr) {
            Ok(done) => return Ok(done),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(no_address))
}

pub(crate) fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any address")
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {}

impl<T: sealed::ToSocketAddrsPriv + ?Sized> sealed::ToSocketAddrsPriv for &T {
    type Iter = T::Iter;
    type Future = T::Future;

    fn to_socket_addrs(&self, _: sealed::Internal) -> Self::Future {
        (**self).to_socket_addrs(sealed::Internal)
    }
}

/// Types that are an address.
macro_rules! is_address {
    ($($ty:ty: |$addr:ident| $convert:expr;)*) => {$(
        impl ToSocketAddrs for $ty {}

        impl sealed::ToSocketAddrsPriv for $ty {
            type Iter = option::IntoIter<SocketAddr>;
            type Future = ReadyFuture<Self::Iter>;

            fn to_socket_addrs(&self, _: sealed::Internal) -> Self::Future {
                let $addr = *self;
                std::future::ready(Ok(Some($convert).into_iter()))
            }
        }
    )*};
}

is_address! {
    SocketAddr: |addr| addr;
    SocketAddrV4: |addr| SocketAddr::V4(addr);
    SocketAddrV6: |addr| SocketAddr::V6(addr);
    (IpAddr, u16): |addr| SocketAddr::from(addr);
    (Ipv4Addr, u16): |addr| SocketAddr::from(addr);
    (Ipv6Addr, u16): |addr| SocketAddr::from(addr);
}

impl ToSocketAddrs for &[SocketAddr] {}

impl sealed::ToSocketAddrsPriv for &[SocketAddr] {
    type Iter = vec::IntoIter<SocketAddr>;
    type Future = ReadyFuture<Self::Iter>;

    fn to_socket_addrs(&self, _: sealed::Internal) -> Self::Future {
        // The iterator outlives the slice.
        let addrs = self.to_vec();
        std::future::ready(Ok(addrs.into_iter()))
    }
}

impl ToSocketAddrs for str {}

impl sealed::ToSocketAddrsPriv for str {
    type Iter = sealed::OneOrMore;
    type Future = sealed::MaybeReady;

    fn to_socket_addrs(&self, _: sealed::Internal) -> Self::Future {
        match self.parse() {
            Ok(addr) => sealed::MaybeReady::ready(addr),
            Err(_) => {
                let name = self.to_owned();
                sealed::MaybeReady::lookup(move || std::net::ToSocketAddrs::to_socket_addrs(&name))
            }
        }
    }
}

impl ToSocketAddrs for (&str, u16) {}

impl sealed::ToSocketAddrsPriv for (&str, u16) {
    type Iter = sealed::OneOrMore;
    type Future = sealed::MaybeReady;

    fn to_socket_addrs(&self, _: sealed::Internal) -> Self::Future {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(ip) => sealed::MaybeReady::ready(SocketAddr::new(ip, port)),
            Err(_) => {
                let host = host.to_owned();
                sealed::MaybeReady::lookup(move || {
                    std::net::ToSocketAddrs::to_socket_addrs(&(host.as_str(), port))
                })
            }
        }
    }
}

impl ToSocketAddrs for (String, u16) {}

impl sealed::ToSocketAddrsPriv for (String, u16) {
    type Iter = sealed::OneOrMore;
    type Future = sealed::MaybeReady;

    fn to_socket_addrs(&self, _: sealed::Internal) -> Self::Future {
        (self.0.as_str(), self.1).to_socket_addrs(sealed::Internal)
    }
}

impl ToSocketAddrs for String {}

impl sealed::ToSocketAddrsPriv for String {
    type Iter = sealed::OneOrMore;
    type Future = sealed::MaybeReady;

    fn to_socket_addrs(&self, _: sealed::Internal) -> Self::Future {
        self.as_str().to_socket_addrs(sealed::Internal)
    }
}

pub(crate) mod sealed {
    //! The methods of [`ToSocketAddrs`](super::ToSocketAddrs), out of reach.

    use super::*;

    #[doc(hidden)]
    pub trait ToSocketAddrsPriv {
        type Iter: Iterator<Item = SocketAddr> + Send + 'static;
        type Future: Future<Output = io::Result<Self::Iter>> + Send + 'static;

        fn to_socket_addrs(&self, internal: Internal) -> Self::Future;
    }

    /// Cannot be named elsewhere, so the method cannot be called.
    #[doc(hidden)]
    #[derive(Debug)]
    pub struct Internal;

    /// An address at hand, or a lookup on the blocking pool.
    #[doc(hidden)]
    #[derive(Debug)]
    pub struct MaybeReady(State);

    #[derive(Debug)]
    enum State {
        Ready(Option<SocketAddr>),
        Lookup(JoinHandle<io::Result<vec::IntoIter<SocketAddr>>>),
    }

    #[doc(hidden)]
    #[derive(Debug)]
    pub enum OneOrMore {
        One(option::IntoIter<SocketAddr>),
        More(vec::IntoIter<SocketAddr>),
    }

    impl MaybeReady {
        pub(super) fn ready(addr: SocketAddr) -> MaybeReady {
            MaybeReady(State::Ready(Some(addr)))
        }

        pub(super) fn lookup(
            f: impl FnOnce() -> io::Result<vec::IntoIter<SocketAddr>> + Send + 'static,
        ) -> MaybeReady {
            MaybeReady(State::Lookup(spawn_expendable_blocking(f)))
        }
    }

    impl Future for MaybeReady {
        type Output = io::Result<OneOrMore>;

        fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            match &mut self.0 {
                State::Ready(addr) => Poll::Ready(Ok(OneOrMore::One(addr.take().into_iter()))),
                State::Lookup(task) => {
                    Poll::Ready(ready!(Pin::new(task).poll(cx))?.map(OneOrMore::More))
                }
            }
        }
    }

    impl Iterator for OneOrMore {
        type Item = SocketAddr;

        fn next(&mut self) -> Option<SocketAddr> {
            match self {
                OneOrMore::One(one) => one.next(),
                OneOrMore::More(more) => more.next(),
            }
        }

        fn size_hint(&self) -> (usize, Option<usize>) {
            match self {
                OneOrMore::One(one) => one.size_hint(),
                OneOrMore::More(more) => more.size_hint(),
            }
        }
    }
}
