//! The command line.

pub const HELP: &str = "\
usage: hello-axum [--listen ADDRESS] [--workers N]

  --listen ADDRESS   where to listen (default 127.0.0.1:3000; port 0 takes a free one)
  --workers N        worker threads; 0 runs everything on the main thread (default 2)

Stops gracefully on SIGTERM or Ctrl-C.";

pub struct Options {
    pub listen: String,
    pub workers: usize,
}

impl Options {
    /// `None` if help was asked for.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
        let mut options = Options { listen: "127.0.0.1:3000".to_owned(), workers: 2 };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--listen" => options.listen = value()?,
                "--workers" => {
                    let text = value()?;
                    options.workers = text.parse().map_err(|_| format!("not a number: {text}"))?;
                }
                _ => return Err(format!("unexpected argument: {word}")),
            }
        }
        Ok(Some(options))
    }
}
