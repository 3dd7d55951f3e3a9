//! The routes: one of each kind of traffic.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{DefaultBodyLimit, Path};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

pub const MEBIBYTE: usize = 1 << 20;

pub fn router() -> Router {
    Router::new()
        .route("/", get(|| async { "Hello, World!" }))
        .route("/json", post(|Json(value): Json<Value>| async move { Json(value) }))
        .route("/sleep/{milliseconds}", get(sleep))
        .route("/upload", post(upload))
        .route("/download", get(download))
        .route("/stream/{chunks}", get(stream))
        .route("/blocking/{n}", get(blocking))
        .route("/websocket", get(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }))
        .layer(DefaultBodyLimit::max(4 * MEBIBYTE))
}

async fn sleep(Path(milliseconds): Path<u64>) -> String {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    format!("slept {milliseconds} ms")
}

/// Reads the body piece by piece, as it comes.
async fn upload(body: Body) -> Result<Json<Value>, Response> {
    let (mut length, mut sum) = (0u64, 0u64);
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece
            .map_err(|error| (axum::http::StatusCode::BAD_REQUEST, error.to_string()).into_response())?;
        length += piece.len() as u64;
        sum += piece.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    }
    Ok(Json(json!({ "length": length, "sum": sum })))
}

/// A mebibyte that counts up to 250 and starts again.
async fn download() -> Vec<u8> {
    (0..MEBIBYTE).map(|i| (i % 251) as u8).collect()
}

/// Numbered lines from a task of their own, a little apart.
async fn stream(Path(chunks): Path<usize>) -> Response {
    let (send, receive) = mpsc::channel::<Result<Bytes, Infallible>>(4);
    tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(1));
        for i in 0..chunks {
            tick.tick().await;
            if send.send(Ok(Bytes::from(format!("line {i}\n")))).await.is_err() {
                // The client went away.
                return;
            }
        }
    });
    Body::from_stream(ReceiverStream::new(receive)).into_response()
}

/// Sums up on the blocking pool.
async fn blocking(Path(n): Path<u64>) -> String {
    let sum: u64 = tokio::task::spawn_blocking(move || (1..=n).sum()).await.unwrap_or_default();
    sum.to_string()
}

async fn echo(mut socket: WebSocket) {
    // Receiving on after a close lets the answer to it go out; then comes `None`.
    while let Some(Ok(message)) = socket.recv().await {
        let is_data = matches!(message, Message::Text(_) | Message::Binary(_));
        if is_data && socket.send(message).await.is_err() {
            return;
        }
    }
}
