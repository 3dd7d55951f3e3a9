//! When to stop. The signal is taken by a thread of its own, so this works on any build of the runtime.

use std::future::Future;
use std::io;

use tokio::sync::oneshot;

/// A future that ends when the process is asked to stop.
#[cfg(unix)]
pub fn asked() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use signal_hook::consts::{SIGINT, SIGTERM};

    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let (stop, on_stop) = oneshot::channel();
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            let _ = stop.send(());
        }
    });
    Ok(async move {
        let _ = on_stop.await;
    })
}

/// Without signals, the end of standard input stops the server.
#[cfg(not(unix))]
pub fn asked() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let (stop, on_stop) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = stop.send(());
    });
    Ok(async move {
        let _ = on_stop.await;
    })
}
