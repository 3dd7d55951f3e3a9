//! The words of a command line: options with values, and what is left.

use std::str::FromStr;

pub struct Words {
    words: Vec<String>,
    help: &'static str,
}

impl Words {
    pub fn new(words: Vec<String>, help: &'static str) -> Words {
        Words { words, help }
    }

    /// Whether help is asked for, which is then printed.
    pub fn wants_help(&self) -> bool {
        let wants = self.words.iter().any(|word| word == "--help" || word == "-h");
        if wants {
            println!("{}", self.help);
        }
        wants
    }

    /// Whether `option` is there.
    pub fn flag(&mut self, option: &str) -> bool {
        let at = self.words.iter().position(|word| word == option);
        at.map(|at| self.words.remove(at)).is_some()
    }

    /// The value that follows `option`, if it is there.
    pub fn value<T: FromStr>(&mut self, option: &str) -> Result<Option<T>, String> {
        let Some(at) = self.words.iter().position(|word| word == option) else { return Ok(None) };
        self.words.remove(at);
        if at >= self.words.len() {
            return Err(format!("{option} needs a value\n\n{}", self.help));
        }
        let text = self.words.remove(at);
        text.parse().map(Some).map_err(|_| format!("{option}: cannot read {text}\n\n{}", self.help))
    }

    /// The values after `option`, separated by commas.
    pub fn list<T: FromStr>(&mut self, option: &str) -> Result<Option<Vec<T>>, String> {
        let Some(text) = self.value::<String>(option)? else { return Ok(None) };
        let parse = |part: &str| {
            part.parse().map_err(|_| format!("{option}: cannot read {part}\n\n{}", self.help))
        };
        text.split(',').map(parse).collect::<Result<_, _>>().map(Some)
    }

    /// What is no option; an option that nobody asked for is an error.
    pub fn rest(self) -> Result<Vec<String>, String> {
        match self.words.iter().find(|word| word.starts_with('-')) {
            Some(option) => Err(format!("unknown option {option}\n\n{}", self.help)),
            None => Ok(self.words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        Words::new(text.split_whitespace().map(str::to_owned).collect(), "help")
    }

    #[test]
    fn options_are_taken_and_the_rest_is_left() {
        let mut words = words("echo --rounds 3 fs --only a,b");
        assert_eq!(words.value("--rounds"), Ok(Some(3)));
        assert_eq!(words.value::<u32>("--ms"), Ok(None));
        assert_eq!(words.list("--only"), Ok(Some(vec!["a".to_owned(), "b".to_owned()])));
        assert_eq!(words.rest(), Ok(vec!["echo".to_owned(), "fs".to_owned()]));
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert!(words("--rounds").value::<u32>("--rounds").is_err());
        assert!(words("--rounds x").value::<u32>("--rounds").is_err());
        assert!(words("--list 1,x").list::<u32>("--list").is_err());
        assert!(words("--unknown").rest().is_err());
    }
}
