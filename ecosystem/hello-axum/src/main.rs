//! An axum server as people write them; nothing in here knows which runtime it is on.

mod options;
mod routes;
mod stop;

use std::io::Write;
use std::process::ExitCode;

use options::Options;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("{message}\n\n{}", options::HELP);
            return ExitCode::from(2);
        }
    };
    match runtime(&options).and_then(|runtime| runtime.block_on(serve(&options))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hello-axum: {error}");
            ExitCode::FAILURE
        }
    }
}

fn runtime(options: &Options) -> std::io::Result<Runtime> {
    let mut builder = match options.workers {
        0 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    if options.workers > 0 {
        builder.worker_threads(options.workers);
    }
    builder.enable_all().build()
}

async fn serve(options: &Options) -> std::io::Result<()> {
    let listener = TcpListener::bind(&options.listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    // Whoever started us waits for this line.
    std::io::stdout().flush()?;
    axum::serve(listener, routes::router()).with_graceful_shutdown(stop::asked()?).await?;
    println!("stopped");
    Ok(())
}
