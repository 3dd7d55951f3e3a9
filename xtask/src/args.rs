//! Command-line arguments: flags, options with a value, and positional words. Nothing else.

use std::str::FromStr;

/// What was typed, taken apart piece by piece by a command; [`Args::finish`] refuses what is left.
pub(crate) struct Args {
    words: Vec<String>,
}

impl Args {
    /// Prints `help` and ends the program when `--help` is among the words.
    pub(crate) fn new(words: Vec<String>, help: &str) -> Args {
        if words.iter().any(|word| word == "--help" || word == "-h") {
            println!("{help}");
            std::process::exit(0);
        }
        Args { words }
    }

    /// Takes `--name` out; true if it was there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() != before
    }

    /// Takes every `--name VALUE` and `--name=VALUE` out, in order.
    pub(crate) fn values(&mut self, name: &str) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let mut kept = Vec::new();
        let mut words = std::mem::take(&mut self.words).into_iter();
        while let Some(word) = words.next() {
            if word == name {
                found.push(words.next().ok_or_else(|| format!("{name} needs a value"))?);
            } else if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                found.push(value.to_owned());
            } else {
                kept.push(word);
            }
        }
        self.words = kept;
        Ok(found)
    }

    /// Takes `--name VALUE` out and parses it; `default` if it was not given. The last one counts.
    pub(crate) fn value<T: FromStr>(&mut self, name: &str, default: T) -> Result<T, String> {
        match self.values(name)?.pop() {
            Some(text) => text.parse().map_err(|_| format!("{name}: cannot read `{text}`")),
            None => Ok(default),
        }
    }

    /// Takes the words that are not options.
    pub(crate) fn positional(&mut self) -> Vec<String> {
        let (options, words) =
            std::mem::take(&mut self.words).into_iter().partition(|word: &String| word.starts_with('-'));
        self.words = options;
        words
    }

    /// Refuses whatever no one asked for.
    pub(crate) fn finish(self) -> Result<(), String> {
        match self.words.first() {
            Some(word) => Err(format!("unexpected argument `{word}` (try --help)")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Args;

    fn args(text: &str) -> Args {
        Args::new(text.split_whitespace().map(str::to_owned).collect(), "")
    }

    #[test]
    fn takes_everything_apart() {
        let mut args = args("word --flag --n 3 --f=a --f b other");
        assert!(args.flag("--flag"));
        assert!(!args.flag("--flag"));
        assert_eq!(args.value("--n", 1).unwrap(), 3);
        assert_eq!(args.value("--m", 1).unwrap(), 1);
        assert_eq!(args.values("--f").unwrap(), ["a", "b"]);
        assert_eq!(args.positional(), ["word", "other"]);
        args.finish().unwrap();
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(args("--n x").value("--n", 0).is_err());
        assert!(args("--n").value("--n", 0).is_err());
        assert!(args("--odd").finish().is_err());
    }
}
