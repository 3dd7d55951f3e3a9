//! Serves what tokio-console connects to, on 127.0.0.1:6669 or where `TOKIO_CONSOLE_BIND` says.

#[tokio::main]
async fn main() {
    console_subscriber::init();
    console::run();
    println!("now: tokio-console");
    std::future::pending::<()>().await
}
