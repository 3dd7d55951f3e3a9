//! What the examples share: a command line of words, and its `--help`.

use std::process::exit;

/// The words behind the program's name, of which there have to be at least and at most so many.
///
/// Ends the program after `--help`, and with status 2 if the words are not what `help` says.
pub fn words(help: &str, at_least: usize, at_most: usize) -> Vec<String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{help}");
        exit(0);
    }
    let option = words.iter().find(|word| word.starts_with('-') && !help.contains(word.as_str()));
    if let Some(option) = option {
        eprintln!("unexpected argument `{option}`\n\n{help}");
        exit(2);
    }
    if !(at_least..=at_most).contains(&words.len()) {
        eprintln!("{} arguments are too few or too many\n\n{help}", words.len());
        exit(2);
    }
    words
}
