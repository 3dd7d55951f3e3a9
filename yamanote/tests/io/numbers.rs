//! Numbers of all widths, signs and byte orders.

use std::io::ErrorKind;

use yamanote::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Mock, Step, run};

macro_rules! numbers {
    ($($type:ident: $read:ident, $write:ident, $encode:ident, [$($value:expr_2021),+];)+) => {$(
        #[test]
        fn $read() {
            for value in [$($value as $type),+] {
                let bytes = value.$encode();
                let disturbed = |step| [Step::Fail(ErrorKind::Interrupted), Step::Wait, step];
                let mut reader =
                    Mock::reader(bytes.iter().flat_map(|byte| disturbed(Step::Read(vec![*byte]))));
                assert_eq!(run(reader.$read()).unwrap().$encode(), bytes);
                assert_eq!(run(reader.$read()).unwrap_err().kind(), ErrorKind::UnexpectedEof);

                let mut writer =
                    Mock::writer(bytes.iter().flat_map(|_| disturbed(Step::Write(1))));
                run(writer.$write(value)).unwrap();
                assert_eq!(writer.written, bytes);
                let mut writer = Mock::writer([Step::Write(0)]);
                assert_eq!(run(writer.$write(value)).unwrap_err().kind(), ErrorKind::WriteZero);
            }
        }
    )+};
}

numbers! {
    u8: read_u8, write_u8, to_be_bytes, [0, 1, u8::MAX];
    i8: read_i8, write_i8, to_be_bytes, [0, -1, i8::MIN];
    u16: read_u16, write_u16, to_be_bytes, [0, 0x0102, u16::MAX];
    i16: read_i16, write_i16, to_be_bytes, [0, -2, i16::MIN];
    u32: read_u32, write_u32, to_be_bytes, [0, 0x0102_0304, u32::MAX];
    i32: read_i32, write_i32, to_be_bytes, [0, -2, i32::MIN];
    u64: read_u64, write_u64, to_be_bytes, [0, 0x0102_0304_0506_0708_u64, u64::MAX];
    i64: read_i64, write_i64, to_be_bytes, [0, -2, i64::MIN];
    u128: read_u128, write_u128, to_be_bytes, [0, 0x0102_0304_0506_0708_u128 << 60, u128::MAX];
    i128: read_i128, write_i128, to_be_bytes, [0, -2, i128::MIN];
    f32: read_f32, write_f32, to_be_bytes, [0.0, 1.5, f32::MIN, f32::NAN];
    f64: read_f64, write_f64, to_be_bytes, [0.0, 1.5, f64::MIN, f64::NAN];
    u16: read_u16_le, write_u16_le, to_le_bytes, [0, 0x0102, u16::MAX];
    i16: read_i16_le, write_i16_le, to_le_bytes, [0, -2, i16::MIN];
    u32: read_u32_le, write_u32_le, to_le_bytes, [0, 0x0102_0304, u32::MAX];
    i32: read_i32_le, write_i32_le, to_le_bytes, [0, -2, i32::MIN];
    u64: read_u64_le, write_u64_le, to_le_bytes, [0, 0x0102_0304_0506_0708_u64, u64::MAX];
    i64: read_i64_le, write_i64_le, to_le_bytes, [0, -2, i64::MIN];
    u128: read_u128_le, write_u128_le, to_le_bytes, [0, 0x0102_0304_0506_0708_u128 << 60, u128::MAX];
    i128: read_i128_le, write_i128_le, to_le_bytes, [0, -2, i128::MIN];
    f32: read_f32_le, write_f32_le, to_le_bytes, [0.0, 1.5, f32::MIN, f32::NAN];
    f64: read_f64_le, write_f64_le, to_le_bytes, [0.0, 1.5, f64::MIN, f64::NAN];
}
