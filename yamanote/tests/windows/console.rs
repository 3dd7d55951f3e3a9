//! What a console tells. Keys are pressed by who starts this test in one (`cargo xtask cross windows` does), and says so
//! by an environment variable.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use yamanote::runtime::Builder;
use yamanote::signal::windows::{ctrl_break, ctrl_c};

#[test]
fn keys_are_heard() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (mut interrupt, mut other) = (ctrl_c().unwrap(), ctrl_break().unwrap());
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(interrupt.poll_recv(&mut cx), Poll::Pending);
        if std::env::var_os("KEYS_ARE_PRESSED").is_some() {
            // Each listener is told of each, and one that comes later of none that was before.
            let mut second = ctrl_c().unwrap();
            println!("listening");
            let both = async { (interrupt.recv().await, second.recv().await) };
            let told = yamanote::time::timeout(Duration::from_secs(60), both).await;
            assert_eq!(told.unwrap(), (Some(()), Some(())));
            assert_eq!(ctrl_c().unwrap().poll_recv(&mut cx), Poll::Pending);
            println!("told");
        }
        assert_eq!(other.poll_recv(&mut cx), Poll::Pending);
    });
}
