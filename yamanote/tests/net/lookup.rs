use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::support::*;
use yamanote::net::{ToSocketAddrs, lookup_host};

async fn one(host: impl ToSocketAddrs) -> SocketAddr {
    let all: Vec<_> = lookup_host(host).await.unwrap().collect();
    assert_eq!(all.len(), 1);
    all[0]
}

#[test]
fn addresses_in_every_form() {
    on_both(async || {
        let v4: SocketAddr = "127.0.0.1:80".parse().unwrap();
        let v6: SocketAddr = "[::1]:80".parse().unwrap();
        assert_eq!(one(v4).await, v4);
        assert_eq!(one(&v6).await, v6);
        assert_eq!(one("127.0.0.1:80").await, v4);
        assert_eq!(one(String::from("[::1]:80")).await, v6);
        assert_eq!(one(&String::from("[::1]:80")).await, v6);
        assert_eq!(one(("127.0.0.1", 80)).await, v4);
        assert_eq!(one((String::from("::1"), 80)).await, v6);
        assert_eq!(one((Ipv4Addr::LOCALHOST, 80)).await, v4);
        assert_eq!(one((Ipv6Addr::LOCALHOST, 80)).await, v6);
        assert_eq!(one((IpAddr::V4(Ipv4Addr::LOCALHOST), 80)).await, v4);
        let SocketAddr::V4(inner) = v4 else { unreachable!() };
        assert_eq!(one(inner).await, v4);
        let all: Vec<_> = lookup_host(&[v4, v6][..]).await.unwrap().collect();
        assert_eq!(all, [v4, v6]);
    });
}

#[test]
fn addresses_are_ready_at_once() {
    // Without any runtime.
    assert!(poll_once(lookup_host("127.0.0.1:80")).is_ready());
}

#[test]
fn names() {
    on_both(async || {
        for addr in lookup_host("localhost:80").await.unwrap() {
            assert!(addr.ip().is_loopback());
        }
        for addr in lookup_host(("localhost", 80)).await.unwrap() {
            assert_eq!(addr.port(), 80);
        }
        assert!(lookup_host("no port").await.is_err());
    });
}
