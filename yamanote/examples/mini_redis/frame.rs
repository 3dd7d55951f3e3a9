//! The wire format (RESP 2): requests are arrays of byte strings, answers are one of a few kinds.

use std::io;

use yamanote::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// No request has more words, and no word more bytes: a length is believed only up to here.
const MOST_WORDS: usize = 1024;
const MOST_BYTES: usize = 64 << 20;

/// A line holds a number and a letter.
const LONGEST_LINE: u64 = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Simple(&'static str),
    Error(String),
    Number(i64),
    Bytes(Vec<u8>),
    Nothing,
    List(Vec<Answer>),
}

/// Reads one request; `None` at an orderly end, between two of them.
pub async fn read_request(read: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Vec<Vec<u8>>>> {
    if read.fill_buf().await?.is_empty() {
        return Ok(None);
    }
    let count = read_length(read, b'*', MOST_WORDS).await?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = read_length(read, b'$', MOST_BYTES).await?;
        // Grows with what comes, not with what was announced.
        let mut word = Vec::new();
        if (&mut *read).take(length as u64).read_to_end(&mut word).await? < length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut end = [0; 2];
        read.read_exact(&mut end).await?;
        if end != *b"\r\n" {
            return Err(invalid("a word is longer than its length"));
        }
        words.push(word);
    }
    Ok(Some(words))
}

async fn read_length(
    read: &mut (impl AsyncBufRead + Unpin),
    kind: u8,
    most: usize,
) -> io::Result<usize> {
    let mut line = Vec::new();
    read.take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
    let digits = line.strip_suffix(b"\r\n").and_then(|line| line.strip_prefix(&[kind]));
    let text = digits.and_then(|digits| std::str::from_utf8(digits).ok());
    match text.and_then(|text| text.parse().ok()) {
        Some(length) if length <= most => Ok(length),
        Some(_) => Err(invalid("a request too large")),
        None => Err(invalid("not a request")),
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

pub async fn write_answer(write: &mut (impl AsyncWrite + Unpin), answer: &Answer) -> io::Result<()> {
    let mut bytes = Vec::new();
    encode(answer, &mut bytes);
    write.write_all(&bytes).await
}

fn encode(answer: &Answer, bytes: &mut Vec<u8>) {
    match answer {
        Answer::Simple(text) => bytes.extend(format!("+{text}\r\n").bytes()),
        Answer::Error(text) => bytes.extend(format!("-ERR {text}\r\n").bytes()),
        Answer::Number(number) => bytes.extend(format!(":{number}\r\n").bytes()),
        Answer::Nothing => bytes.extend(b"$-1\r\n"),
        Answer::Bytes(word) => {
            bytes.extend(format!("${}\r\n", word.len()).bytes());
            bytes.extend(word);
            bytes.extend(b"\r\n");
        }
        Answer::List(answers) => {
            bytes.extend(format!("*{}\r\n", answers.len()).bytes());
            for answer in answers {
                encode(answer, bytes);
            }
        }
    }
}
