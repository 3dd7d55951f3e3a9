//! Data that shows where a byte is missing, doubled or out of place.

use std::io::{self, IoSlice};

use yamanote::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

const HEADER: usize = 16;

/// Record number `number` of stream `stream`: its number, its length, its checksum, its bytes.
pub fn record(stream: u64, number: u32, max: usize) -> Vec<u8> {
    let mut state = stream << 32 | u64::from(number) | 1 << 63;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for _ in 0..8 {
        next();
    }
    let len = next() as usize % max;
    let body: Vec<u8> = (0..len).map(|_| (next() >> 24) as u8).collect();
    let mut record = Vec::with_capacity(HEADER + len);
    record.extend_from_slice(&number.to_le_bytes());
    record.extend_from_slice(&(len as u32).to_le_bytes());
    record.extend_from_slice(&(checksum(&body) ^ stream).to_le_bytes());
    record.extend_from_slice(&body);
    record
}

/// Checks a record and tells its number.
pub fn check(stream: u64, record: &[u8]) -> u32 {
    let (header, body) = record.split_at(HEADER);
    let number = u32::from_le_bytes(header[..4].try_into().unwrap());
    assert_eq!(u32::from_le_bytes(header[4..8].try_into().unwrap()) as usize, body.len());
    let sum = u64::from_le_bytes(header[8..].try_into().unwrap());
    assert_eq!(sum, checksum(body) ^ stream, "stream {stream}, record {number}");
    number
}

/// Writes records, by one call or in pieces, and ends the stream.
pub async fn write(
    mut to: impl AsyncWrite + Unpin,
    stream: u64,
    count: u32,
    max: usize,
) -> io::Result<()> {
    for number in 0..count {
        let record = record(stream, number, max);
        if number % 3 == 0 {
            let (header, body) = record.split_at(HEADER);
            let n = to.write_vectored(&[IoSlice::new(header), IoSlice::new(body)]).await?;
            to.write_all(&record[n..]).await?;
        } else {
            to.write_all(&record).await?;
        }
    }
    to.shutdown().await
}

/// Reads the records and the end of the stream, checking all.
pub async fn read(mut from: impl AsyncRead + Unpin, stream: u64, count: u32) -> io::Result<()> {
    for number in 0..count {
        let mut record = vec![0; HEADER];
        from.read_exact(&mut record).await?;
        let len = u32::from_le_bytes(record[4..8].try_into().unwrap()) as usize;
        record.resize(HEADER + len, 0);
        from.read_exact(&mut record[HEADER..]).await?;
        assert_eq!(check(stream, &record), number, "stream {stream}");
    }
    assert_eq!(from.read(&mut [0]).await?, 0, "more than was written");
    Ok(())
}
