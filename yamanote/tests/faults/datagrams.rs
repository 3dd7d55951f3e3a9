//! Datagrams: one at a time on its way, so that the system has no reason to drop any; each is sent until
//! the system takes it, and arrives once.

use std::io;

use yamanote::net::{UdpSocket, UnixDatagram};
use yamanote::task::JoinSet;

use crate::shim::Rates;
use crate::{records, under};

const RATES: Rates = Rates { eintr: 60, eagain: 150, short: 250, enobufs: 150, emfile: 0, refusal: 0 };
const PAIRS: u64 = 8;
const COUNT: u32 = 150;

/// Repeats what the system has no memory for.
async fn persist<F: Future<Output = io::Result<usize>>>(mut send: impl FnMut() -> F) -> usize {
    loop {
        match send().await {
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                yamanote::task::yield_now().await;
            }
            result => return result.unwrap(),
        }
    }
}

#[test]
fn udp() {
    under(RATES, async |seed| {
        let mut tasks = JoinSet::new();
        for pair in 0..PAIRS {
            let stream = seed << 8 | pair;
            let one = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let to = other.local_addr().unwrap();
            one.connect(to).await.unwrap();
            tasks.spawn(async move {
                let mut buf = vec![0; 4096];
                for number in 0..COUNT {
                    let (n, from) = other.recv_from(&mut buf).await.unwrap();
                    assert_eq!(records::check(stream, &buf[..n]), number);
                    assert_eq!(persist(|| other.send_to(&buf[..n], from)).await, n);
                }
                assert!(other.try_recv(&mut buf).is_err(), "one too many");
            });
            tasks.spawn(async move {
                let mut buf = vec![0; 4096];
                for number in 0..COUNT {
                    let record = records::record(stream, number, 1200);
                    assert_eq!(persist(|| one.send(&record)).await, record.len());
                    let n = one.recv(&mut buf).await.unwrap();
                    assert!(buf[..n] == record, "datagram {number}");
                }
            });
        }
        tasks.join_all().await;
    });
}

#[test]
fn unix() {
    under(RATES, async |seed| {
        let mut tasks = JoinSet::new();
        for pair in 0..PAIRS {
            let stream = seed << 8 | pair;
            let (one, other) = UnixDatagram::pair().unwrap();
            // Nobody drops here: the sender waits when the queue is full.
            tasks.spawn(async move {
                for number in 0..COUNT {
                    let record = records::record(stream, number, 1200);
                    assert_eq!(persist(|| one.send(&record)).await, record.len());
                }
            });
            tasks.spawn(async move {
                let mut buf = vec![0; 4096];
                for number in 0..COUNT {
                    let n = other.recv(&mut buf).await.unwrap();
                    assert_eq!(records::check(stream, &buf[..n]), number);
                }
            });
        }
        tasks.join_all().await;
    });
}
