//! Starts the server as its own process and talks to it, on every kind of runtime it can be told to use.
//! Client and server are on the same tokio, whichever the workspace chose.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Long enough for a busy machine; whoever reaches it waits for something that does not come.
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    url: String,
}

impl Server {
    fn start(workers: usize) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hello-axum"))
            .args(["--listen", "127.0.0.1:0", "--workers", &workers.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").expect("the address").to_owned();
        Server { child, output, url }
    }

    fn ask_to_stop(&mut self) {
        drop(self.child.stdin.take());
        #[cfg(unix)]
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
    }

    /// Waits for the end, which has to be an orderly one.
    fn stopped(mut self) {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert_eq!(line, "stopped\n");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After a failed test; a server that has ended is past being killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn with_server<F: Future<Output = ()>>(test: impl Fn(String) -> F) {
    for workers in [0, 1, 3] {
        let mut server = Server::start(workers);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            tokio::time::timeout(PATIENCE, test(server.url.clone())).await.expect("the test ends");
        });
        drop(runtime);
        server.ask_to_stop();
        server.stopped();
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(PATIENCE).build().unwrap()
}

#[test]
fn text_and_json() {
    with_server(|url| async move {
        let client = client();
        let text = client.get(&url).send().await.unwrap().text().await.unwrap();
        assert_eq!(text, "Hello, World!");
        let value = json!({ "list": [1, 2, 3], "text": "夜", "nothing": null });
        let answer = client.post(format!("{url}/json")).json(&value).send().await.unwrap();
        assert_eq!(answer.json::<Value>().await.unwrap(), value);
        let missing = client.get(format!("{url}/nowhere")).send().await.unwrap();
        assert_eq!(missing.status(), 404);
    });
}

#[test]
fn a_thousand_requests_over_fifty_connections() {
    with_server(|url| async move {
        let mut tasks = tokio::task::JoinSet::new();
        for connection in 0..50 {
            let url = url.clone();
            // A client of its own is a pool of its own: one connection, used one request at a time.
            let client = reqwest::Client::builder().pool_max_idle_per_host(1).build().unwrap();
            tasks.spawn(async move {
                let mut answers = Vec::new();
                for request in 0..20 {
                    let value = json!({ "connection": connection, "request": request });
                    let answer = client.post(format!("{url}/json")).json(&value).send().await.unwrap();
                    let answer: Value = answer.json().await.unwrap();
                    assert_eq!(answer, value);
                    answers.push((connection, answer["request"].as_u64().unwrap()));
                }
                answers
            });
        }
        let mut seen = HashSet::new();
        while let Some(answers) = tasks.join_next().await {
            seen.extend(answers.unwrap());
        }
        assert_eq!(seen.len(), 1_000);
    });
}

#[test]
fn a_mebibyte_up_and_down() {
    with_server(|url| async move {
        let client = client();
        let body: Vec<u8> = (0..1usize << 20).map(|i| (i % 251) as u8).collect();
        let sum: u64 = body.iter().map(|byte| u64::from(*byte)).sum();
        let answer = client.post(format!("{url}/upload")).body(body.clone()).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer, json!({ "length": 1 << 20, "sum": sum }));
        let down = client.get(format!("{url}/download")).send().await.unwrap().bytes().await.unwrap();
        assert!(down == body, "{} bytes arrived, or others", down.len());
    });
}

#[test]
fn a_stream_comes_whole_and_in_order() {
    with_server(|url| async move {
        let mut answer = client().get(format!("{url}/stream/100")).send().await.unwrap();
        let mut text = Vec::new();
        while let Some(piece) = answer.chunk().await.unwrap() {
            text.extend_from_slice(&piece);
        }
        let expected: String = (0..100).map(|i| format!("line {i}\n")).collect();
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    });
}

#[test]
fn timers_and_blocking_work_side_by_side() {
    with_server(|url| async move {
        let client = client();
        let mut tasks = tokio::task::JoinSet::new();
        for i in 0..40u64 {
            let (client, url) = (client.clone(), url.clone());
            tasks.spawn(async move {
                let (path, expected) = match i % 2 {
                    0 => (format!("{url}/sleep/{i}"), format!("slept {i} ms")),
                    _ => (format!("{url}/blocking/{i}"), (i * (i + 1) / 2).to_string()),
                };
                assert_eq!(client.get(path).send().await.unwrap().text().await.unwrap(), expected);
            });
        }
        while let Some(result) = tasks.join_next().await {
            result.unwrap();
        }
    });
}

#[test]
fn http2_multiplexes_one_connection() {
    with_server(|url| async move {
        let client =
            reqwest::Client::builder().http2_prior_knowledge().timeout(PATIENCE).build().unwrap();
        let answers = futures_util::future::join_all((0..100u64).map(|i| {
            let request = client.get(format!("{url}/sleep/{}", i % 10));
            async move {
                let answer = request.send().await.unwrap();
                assert_eq!(answer.version(), reqwest::Version::HTTP_2);
                answer.text().await.unwrap()
            }
        }))
        .await;
        for (i, answer) in answers.iter().enumerate() {
            assert_eq!(*answer, format!("slept {} ms", i % 10));
        }
    });
}

#[test]
fn websockets_echo() {
    with_server(|url| async move {
        let address = url.replace("http://", "ws://") + "/websocket";
        let mut tasks = tokio::task::JoinSet::new();
        for socket in 0..10 {
            let address = address.clone();
            tasks.spawn(async move {
                let (mut socket_stream, _) = tokio_tungstenite::connect_async(address).await.unwrap();
                for i in 0..50 {
                    let text = format!("{i} on {socket}");
                    socket_stream.send(Message::text(text.clone())).await.unwrap();
                    let answer = socket_stream.next().await.unwrap().unwrap();
                    assert_eq!(answer, Message::text(text));
                }
                let bytes = vec![socket as u8; 100_000];
                socket_stream.send(Message::binary(bytes.clone())).await.unwrap();
                assert_eq!(socket_stream.next().await.unwrap().unwrap(), Message::binary(bytes));
                socket_stream.close(None).await.unwrap();
                while let Some(message) = socket_stream.next().await {
                    assert!(message.unwrap().is_close());
                }
            });
        }
        while let Some(result) = tasks.join_next().await {
            result.unwrap();
        }
    });
}

#[test]
fn what_has_begun_is_finished_before_the_end() {
    for workers in [0, 2] {
        let mut server = Server::start(workers);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let url = server.url.clone();
        runtime.block_on(async {
            let mut answer = client().get(format!("{url}/stream/300")).send().await.unwrap();
            // The answer has begun: from here on the server owes the rest.
            let mut text = answer.chunk().await.unwrap().unwrap().to_vec();
            server.ask_to_stop();
            while let Some(piece) = answer.chunk().await.unwrap() {
                text.extend_from_slice(&piece);
            }
            assert!(text.ends_with(b"line 299\n"), "cut off: {}", String::from_utf8_lossy(&text));
        });
        server.stopped();
    }
}

#[test]
fn refuses_arguments_it_does_not_know() {
    let output = Command::new(env!("CARGO_BIN_EXE_hello-axum")).arg("--nonsense").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--nonsense"));
}
