//! Examples that serve, each on a port of its own.

use std::io::Write;
use std::net::{Shutdown, TcpListener, UdpSocket};

use crate::support::{Client, Example, PATIENCE};

#[test]
fn chat() {
    let server = Example::start("chat", &["127.0.0.1:0"]);
    let enter = |name: &str| {
        let mut client = server.connect();
        assert_eq!(client.line(), "your name?");
        client.send(format!("{name}\n"));
        client
    };
    let mut alice = enter("alice");
    assert_eq!(alice.line(), "* here are: alice");
    let mut bob = enter("alice");
    assert_eq!(bob.line(), "* that name is taken");
    bob.send("\n");
    assert_eq!(bob.line(), "* a name has letters");
    bob.send("bob\n");
    assert_eq!(bob.line(), "* here are: alice, bob");
    assert_eq!(alice.line(), "* bob is here");

    // In pieces, and two at once: lines are what counts.
    bob.send("hel");
    bob.send("lo\nand again\r\n");
    assert_eq!(alice.line(), "bob: hello");
    assert_eq!(alice.line(), "bob: and again");
    alice.send("hi\n");
    assert_eq!(bob.line(), "alice: hi");
    let mut carol = enter("carol");
    assert_eq!(carol.line(), "* here are: alice, bob, carol");
    alice.send("/who\n");
    assert_eq!(alice.line(), "* carol is here");
    assert_eq!(alice.line(), "* here are: alice, bob, carol");
    drop(carol);
    assert_eq!(alice.line(), "* carol is gone");
    bob.send("/quit\n");
    assert_eq!(alice.line(), "* bob is gone");
    assert_eq!(String::from_utf8(bob.rest()).unwrap(), "* carol is here\n* carol is gone\n");

    // A line without an end ends the one who sends it.
    let mut dave = enter("dave");
    assert_eq!(dave.line(), "* here are: alice, dave");
    dave.send(vec![b'x'; 10_000]);
    assert_eq!(alice.line(), "* dave is here");
    assert_eq!(alice.line(), "* dave is gone");
}

#[test]
fn proxy() {
    let echo = Example::start("echo", &["--listen", "127.0.0.1:0"]);
    let mut proxy = Example::start("proxy", &["127.0.0.1:0", &echo.address.to_string()]);
    let mut client = proxy.connect();
    client.send("first\n");
    assert_eq!(client.line(), "first");
    // More than all buffers on the way take: both directions have to move.
    let bytes: Vec<u8> = (0..4usize << 20).map(|i| (i % 251) as u8).collect();
    let mut write = client.socket.try_clone().unwrap();
    let writer = std::thread::spawn({
        let bytes = bytes.clone();
        move || {
            write.write_all(&bytes).unwrap();
            // The end goes through as well, and the other direction lives on until its own.
            write.shutdown(Shutdown::Write).unwrap();
        }
    });
    assert!(client.rest() == bytes);
    writer.join().unwrap();
    let peer = client.socket.local_addr().unwrap();
    let length = bytes.len() + 6;
    assert_eq!(proxy.line(), format!("{peer}: {length} bytes up, {length} bytes down"));

    // Nobody behind it: the client's connection ends.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Example::start("proxy", &["127.0.0.1:0", &closed.to_string()]);
    assert_eq!(proxy.connect().rest(), b"");
}

#[test]
fn udp_echo() {
    let server = Example::start("udp_echo", &["127.0.0.1:0"]);
    let clients: Vec<UdpSocket> = (0..3)
        .map(|_| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            socket.connect(server.address).unwrap();
            socket
        })
        .collect();
    let mut buffer = vec![0; 65_535];
    for (i, size) in [0, 1, 1_400, 30_000].into_iter().enumerate() {
        for client in &clients {
            let bytes = vec![i as u8; size];
            assert_eq!(client.send(&bytes).unwrap(), size);
            let length = client.recv(&mut buffer).unwrap();
            assert!(buffer[..length] == bytes);
        }
    }
}

/// A request as redis clients write it.
fn ask(client: &mut Client, words: &[&str]) {
    let mut text = format!("*{}\r\n", words.len());
    for word in words {
        text += &format!("${}\r\n{word}\r\n", word.len());
    }
    client.send(text);
}

/// The answer, in one line.
fn answer(client: &mut Client) -> String {
    let line = client.line();
    let (kind, rest) = line.split_at(1);
    match kind {
        "$" if rest != "-1" => {
            let bytes = client.bytes(rest.parse::<usize>().unwrap() + 2);
            String::from_utf8_lossy(&bytes).trim_end_matches("\r\n").to_owned()
        }
        "*" => {
            let words: Vec<_> = (0..rest.parse().unwrap()).map(|_| answer(client)).collect();
            format!("[{}]", words.join(" "))
        }
        _ => line,
    }
}

fn asked(client: &mut Client, words: &[&str]) -> String {
    ask(client, words);
    answer(client)
}

#[test]
fn mini_redis_keeps_values() {
    let server = Example::start("mini_redis", &["127.0.0.1:0"]);
    let mut client = server.connect();
    assert_eq!(asked(&mut client, &["PING"]), "+PONG");
    assert_eq!(asked(&mut client, &["echo", "a\r\nb"]), "a\r\nb");
    assert_eq!(asked(&mut client, &["GET", "key"]), "$-1");
    assert_eq!(asked(&mut client, &["SET", "key", "value"]), "+OK");
    let large = "x".repeat(1 << 20);
    assert_eq!(asked(&mut client, &["SET", "large", &large]), "+OK");
    let mut other = server.connect();
    assert_eq!(asked(&mut other, &["GET", "key"]), "value");
    assert!(asked(&mut other, &["GET", "large"]) == large);
    assert_eq!(asked(&mut other, &["INCR", "n"]), ":1");
    assert_eq!(asked(&mut client, &["INCR", "n"]), ":2");
    assert!(asked(&mut client, &["INCR", "key"]).starts_with("-ERR value"));
    assert_eq!(asked(&mut client, &["DBSIZE"]), ":3");
    assert_eq!(asked(&mut client, &["DEL", "key", "n", "absent"]), ":2");
    assert!(asked(&mut client, &["GET"]).starts_with("-ERR wrong number"));
    assert!(asked(&mut client, &["FLY"]).starts_with("-ERR unknown command"));
    assert!(asked(&mut client, &["SET", "a", "b", "EX", "soon"]).starts_with("-ERR value"));

    // Many requests before the first answer is read.
    for i in 0..500 {
        ask(&mut client, &["SET", &format!("key {i}"), &i.to_string()]);
        ask(&mut client, &["GET", &format!("key {i}")]);
    }
    for i in 0..500 {
        assert_eq!((answer(&mut client), answer(&mut client)), ("+OK".to_owned(), i.to_string()));
    }
    assert_eq!(asked(&mut client, &["QUIT"]), "+OK");
    assert_eq!(client.rest(), b"");
    // What is no request ends its own connection, and no other.
    let mut stranger = server.connect();
    stranger.send("GET / HTTP/1.1\r\n\r\n");
    assert_eq!(stranger.rest(), b"");
    let mut stranger = server.connect();
    stranger.send("*1\r\n$999999999999\r\n");
    assert_eq!(stranger.rest(), b"");
    assert_eq!(asked(&mut other, &["PING"]), "+PONG");
}

#[test]
fn mini_redis_forgets_in_time() {
    let server = Example::start("mini_redis", &["127.0.0.1:0"]);
    let mut client = server.connect();
    assert_eq!(asked(&mut client, &["SET", "long", "lived", "EX", "3600"]), "+OK");
    assert_eq!(asked(&mut client, &["SET", "short", "lived", "PX", "30"]), "+OK");
    assert_eq!(asked(&mut client, &["SET", "kept", "alive", "PX", "30"]), "+OK");
    assert_eq!(asked(&mut client, &["SET", "kept", "alive"]), "+OK");
    assert_eq!(asked(&mut client, &["PTTL", "kept"]), ":-1");
    assert_eq!(asked(&mut client, &["PTTL", "absent"]), ":-2");
    let left: u64 = asked(&mut client, &["PTTL", "long"])[1..].parse().unwrap();
    assert!(left > 3_000_000, "{left}");
    while asked(&mut client, &["GET", "short"]) != "$-1" {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // It is not only hidden: the memory is free again.
    while asked(&mut client, &["DBSIZE"]) != ":2" {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(asked(&mut client, &["GET", "kept"]), "alive");
    assert_eq!(asked(&mut client, &["GET", "long"]), "lived");
}

#[test]
fn mini_redis_passes_messages_on() {
    let server = Example::start("mini_redis", &["127.0.0.1:0"]);
    let mut publisher = server.connect();
    assert_eq!(asked(&mut publisher, &["PUBLISH", "news", "too early"]), ":0");
    let mut listeners = [server.connect(), server.connect()];
    for listener in &mut listeners {
        assert_eq!(asked(listener, &["SUBSCRIBE", "news", "weather"]), "[subscribe news :1]");
        assert_eq!(answer(listener), "[subscribe weather :2]");
    }
    assert_eq!(asked(&mut listeners[0], &["SUBSCRIBE", "sport"]), "[subscribe sport :3]");
    assert_eq!(asked(&mut publisher, &["PUBLISH", "sport", "goal"]), ":1");
    assert_eq!(answer(&mut listeners[0]), "[message sport goal]");
    for i in 0..50 {
        assert_eq!(asked(&mut publisher, &["PUBLISH", "news", &i.to_string()]), ":2");
    }
    for listener in &mut listeners {
        for i in 0..50 {
            assert_eq!(answer(listener), format!("[message news {i}]"));
        }
        assert_eq!(asked(listener, &["PING"]), "+PONG");
        // Refused, and not done either.
        assert!(asked(listener, &["SET", "key", "value"]).starts_with("-ERR only"));
    }
    assert_eq!(asked(&mut publisher, &["GET", "key"]), "$-1");
    drop(listeners);
    // The server sees that they are gone.
    while asked(&mut publisher, &["PUBLISH", "news", "anybody?"]) != ":0" {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[test]
fn shutdown_lets_what_has_begun_finish() {
    for signal in [libc::SIGTERM, libc::SIGINT] {
        let mut server = Example::start("shutdown", &["127.0.0.1:0"]);
        let mut idle = server.connect();
        idle.send("0\n");
        assert_eq!((idle.line().as_str(), idle.line().as_str()), ("working", "that took 0 ms"));
        let mut busy = server.connect();
        busy.send("what?\n300\n0\n");
        assert_eq!((busy.line().as_str(), busy.line().as_str()), ("not a number", "working"));
        let id = i32::try_from(server.child.id()).unwrap();
        // SAFETY: plain system call; the process is our child and not yet waited for.
        assert_eq!(unsafe { libc::kill(id, signal) }, 0);
        assert_eq!(server.line(), "stopping, 2 connections open");
        // Nobody else gets in.
        assert!(std::net::TcpStream::connect(server.address).is_err());
        assert_eq!(String::from_utf8(idle.rest()).unwrap(), "bye\n");
        assert_eq!(busy.line(), "that took 300 ms");
        // Its next request had come before the end was seen, or had not: either is an orderly end.
        let rest = String::from_utf8(busy.rest()).unwrap();
        assert!(rest.ends_with("bye\n"), "{rest}");
        assert!(server.line().starts_with("stopped, the last connections had "));
        assert!(server.child.wait().unwrap().success());
    }
}

#[cfg(unix)]
#[test]
fn shutdown_does_not_wait_for_ever() {
    let mut server = Example::start("shutdown", &["127.0.0.1:0", "1"]);
    let mut client = server.connect();
    client.send("86400000\n");
    assert_eq!(client.line(), "working");
    let id = i32::try_from(server.child.id()).unwrap();
    // SAFETY: as above.
    assert_eq!(unsafe { libc::kill(id, libc::SIGINT) }, 0);
    assert_eq!(server.line(), "stopping, 1 connections open");
    assert_eq!(server.line(), "stopped, some were cut off");
    assert!(server.child.wait().unwrap().success());
}
