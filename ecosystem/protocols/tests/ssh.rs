//! russh: its server asked by its client and by OpenSSH's.

use std::sync::Arc;
use std::time::Duration;

use russh::keys::{Algorithm, PrivateKey, PublicKeyOrCertificate};
use russh::server::{Auth, Msg, Server as _, Session};
use russh::{Channel, ChannelId, ChannelMsg, client, server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

/// Long enough for a busy machine; whoever reaches it waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lets in who knows the password, or anybody with a key.
#[derive(Clone)]
struct Host;

impl server::Server for Host {
    type Handler = Host;

    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Host {
        Host
    }
}

impl server::Handler for Host {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(if (user, password) == ("you", "sesame") { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(
        &mut self,
        _: &str,
        _: server::VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: server::ChannelOpenHandle,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        reply.accept().await;
        let handle = session.handle();
        tokio::spawn(async move {
            let _ = serve(channel, handle).await;
        });
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_success(channel)
    }
}

/// `echo TEXT` prints it, `count` counts the bytes that come, anything else fails with 3.
async fn serve(mut channel: Channel<Msg>, handle: server::Handle) -> Option<()> {
    let mut bytes = 0;
    let mut status = None;
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Exec { command, .. } => {
                let command = String::from_utf8_lossy(&command).into_owned();
                if let Some(text) = command.strip_prefix("echo ") {
                    channel.data(format!("{text}\n").as_bytes()).await.ok()?;
                    status = Some(0);
                } else if command != "count" {
                    status = Some(3);
                }
            }
            ChannelMsg::Data { data } => bytes += data.len(),
            ChannelMsg::Eof => {
                channel.data(format!("{bytes} bytes\n").as_bytes()).await.ok()?;
                status = Some(0);
            }
            _ => {}
        }
        if let Some(status) = status {
            handle.exit_status_request(channel.id(), status).await.ok()?;
            channel.eof().await.ok()?;
            channel.close().await.ok()?;
            return Some(());
        }
    }
    None
}

async fn start() -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let config = server::Config {
        keys: vec![key()],
        auth_rejection_time: Duration::from_millis(1),
        auth_rejection_time_initial: Some(Duration::ZERO),
        ..server::Config::default()
    };
    let task = tokio::spawn(async move {
        let _ = Host.run_on_socket(Arc::new(config), &listener).await;
    });
    (address, task)
}

fn key() -> PrivateKey {
    PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap()
}

struct Guest;

impl client::Handler for Guest {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        Ok(true)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_channels_on_one_connection() {
    let (address, server) = start().await;
    let mut session =
        client::connect(Arc::new(client::Config::default()), address, Guest).await.unwrap();
    assert!(!session.authenticate_password("you", "abracadabra").await.unwrap().success());
    assert!(session.authenticate_password("you", "sesame").await.unwrap().success());
    for i in 0..20usize {
        let mut channel = session.channel_open_session().await.unwrap();
        channel.exec(true, "count").await.unwrap();
        let bytes = vec![i as u8; i * 50_000];
        channel.data(&bytes[..]).await.unwrap();
        channel.eof().await.unwrap();
        let (mut output, mut status) = (Vec::new(), None);
        while let Some(message) = tokio::time::timeout(PATIENCE, channel.wait()).await.unwrap() {
            match message {
                ChannelMsg::Data { data } => output.extend_from_slice(&data),
                ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
                _ => {}
            }
        }
        assert_eq!(String::from_utf8(output).unwrap(), format!("{} bytes\n", i * 50_000));
        assert_eq!(status, Some(0));
    }
    server.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_is_a_reader_and_a_writer() {
    let (address, server) = start().await;
    let mut session =
        client::connect(Arc::new(client::Config::default()), address, Guest).await.unwrap();
    assert!(session.authenticate_password("you", "sesame").await.unwrap().success());
    let channel = session.channel_open_session().await.unwrap();
    channel.exec(true, "count").await.unwrap();
    let mut stream = channel.into_stream();
    stream.write_all(&[1; 300_000]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut text = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    assert_eq!(text, "300000 bytes\n");
    server.abort();
}

/// The client that everybody has, as a child process: needs `ssh` in the PATH, as `cargo xtask ecosystem` sees to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssh_comes_in_with_a_key() {
    let (address, server) = start().await;
    let directory = std::env::temp_dir().join(format!("yamanote-ssh-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("key");
    let text = key().to_openssh(russh::keys::ssh_key::LineEnding::LF).unwrap();
    std::fs::write(&file, text.as_bytes()).unwrap();
    // OpenSSH refuses a key that others may read.
    Command::new("chmod").arg("600").arg(&file).status().await.unwrap();
    let ssh = |command: &str| {
        let mut ssh = Command::new("ssh");
        ssh.args(["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"])
            .args(["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR", "-i"])
            .arg(&file)
            .args(["-p", &address.port().to_string(), "you@127.0.0.1", command])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .kill_on_drop(true);
        ssh.spawn().unwrap()
    };
    for (command, output, status) in [("echo hello", "hello\n", 0), ("nonsense", "", 3)] {
        let ended = tokio::time::timeout(PATIENCE, ssh(command).wait_with_output()).await.unwrap();
        let ended = ended.unwrap();
        assert_eq!(String::from_utf8_lossy(&ended.stdout), output);
        assert_eq!(ended.status.code(), Some(status));
    }
    let mut child = ssh("count");
    let mut input = child.stdin.take().unwrap();
    input.write_all(&vec![7; 1_000_000]).await.unwrap();
    drop(input);
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "1000000 bytes\n");
    server.abort();
    let _ = std::fs::remove_dir_all(&directory);
}
