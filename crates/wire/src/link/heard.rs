//! What is heard again and again, read without a detour through frames: hellos on a subscription,
//! and the answers to `PING` and to hellos.

use std::sync::Arc;

use foldhash::HashMap;
use vedette_core::Hello;
use vedette_resp::parse_integer;

use crate::hello::{HELLO_CHANNEL, parse_hello};

/// Bytes that a generation takes.
const GENERATION_BYTES: usize = 4 << 20;
/// What a hello takes beside its text and its names, which are no longer: itself and its place.
const HELLO_BYTES: usize = 300;

/// The hellos that were heard lately on all links of a thread. Nearly every hello has been heard
/// before: it is found here by its text and not read again, and all who keep it share one copy.
///
/// Two generations of bounded size: what was not heard while a whole one was filled is forgotten.
#[derive(Debug, Default)]
pub struct HelloMemory {
    young: HashMap<Box<[u8]>, Arc<Hello>>,
    young_bytes: usize,
    old: HashMap<Box<[u8]>, Arc<Hello>>,
}

impl HelloMemory {
    /// The hello of this text; none if it is no hello ([`parse_hello`]).
    pub fn read(&mut self, text: &[u8]) -> Option<Arc<Hello>> {
        if let Some(hello) = self.young.get(text) {
            return Some(hello.clone());
        }
        let (text, hello) = match self.old.remove_entry(text) {
            Some(known) => known,
            None => {
                let hello = Arc::new(parse_hello(text)?);
                (text.into(), hello)
            }
        };
        let bytes = bytes_of(&text);
        if self.young_bytes + bytes > GENERATION_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += bytes;
        self.young.insert(text, hello.clone());
        Some(hello)
    }
}

fn bytes_of(text: &[u8]) -> usize {
    2 * text.len() + HELLO_BYTES
}

/// A message of the hello channel at the beginning of these bytes, and what follows it. None if
/// there is anything else, or not the whole of it.
pub(super) fn message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let bytes = bytes.strip_prefix(b"*3\r\n$7\r\nmessage\r\n$18\r\n")?;
    let bytes = bytes.strip_prefix(HELLO_CHANNEL.as_bytes())?.strip_prefix(b"\r\n$")?;
    let (len, bytes) = line(bytes)?;
    let (payload, bytes) = bytes.split_at_checked(number(len)?)?;
    Some((payload, bytes.strip_prefix(b"\r\n")?))
}

/// An integer at the beginning of these bytes: what follows it.
pub(super) fn integer(bytes: &[u8]) -> Option<&[u8]> {
    let (digits, after) = line(bytes.strip_prefix(b":")?)?;
    number(digits).map(|_| after)
}

/// A short line, and what follows it.
fn line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().take(LONGEST_NUMBER + 1).position(|byte| *byte == b'\r')?;
    Some((&bytes[..end], bytes[end..].strip_prefix(b"\r\n")?))
}

/// Digits of the numbers that are read here; others take the long way.
const LONGEST_NUMBER: usize = 6;

fn number(digits: &[u8]) -> Option<usize> {
    usize::try_from(parse_integer(digits)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: usize) -> String {
        format!("10.0.0.5,26379,{:040},7,m{number},10.0.0.11,6379,8", number % 3)
    }

    #[test]
    fn a_text_that_was_heard_is_the_same_hello() {
        let mut memory = HelloMemory::default();
        let first = memory.read(text(1).as_bytes()).expect("a hello");
        assert_eq!(Some(&*first), parse_hello(text(1).as_bytes()).as_ref());
        assert!(Arc::ptr_eq(&first, &memory.read(text(1).as_bytes()).expect("the same")));
        let other = memory.read(text(2).as_bytes()).expect("another one");
        assert_ne!(first, other);
        assert_eq!(memory.read(b"no hello"), None);
    }

    #[test]
    fn what_is_not_heard_any_more_is_forgotten() {
        let mut memory = HelloMemory::default();
        let often = memory.read(text(0).as_bytes()).expect("a hello");
        for number in 1..100_000 {
            memory.read(text(number).as_bytes());
            if number % 1000 == 0 {
                let again = memory.read(text(0).as_bytes()).expect("a hello");
                assert!(Arc::ptr_eq(&again, &often));
            }
        }
        let bytes =
            |map: &HashMap<Box<[u8]>, _>| map.keys().map(|text| bytes_of(text)).sum::<usize>();
        assert_eq!(bytes(&memory.young), memory.young_bytes);
        assert!(bytes(&memory.young) + bytes(&memory.old) <= 2 * GENERATION_BYTES);
        assert!(!memory.young.contains_key(text(1).as_bytes()));
        assert!(!memory.old.contains_key(text(1).as_bytes()));
    }

    #[test]
    fn only_whole_messages_and_small_numbers_are_short() {
        let whole = b"*3\r\n$7\r\nmessage\r\n$18\r\n__sentinel__:hello\r\n$2\r\nhi\r\n:1";
        assert_eq!(message(whole), Some((&b"hi"[..], &b":1"[..])));
        for len in 0..whole.len() - 2 {
            assert_eq!(message(&whole[..len]), None, "{len}");
        }
        let other = whole.map(|byte| if byte == b'o' { b'0' } else { byte });
        assert_eq!(message(&other), None);
        assert_eq!(integer(b":12\r\n+"), Some(&b"+"[..]));
        for long in
            [&b":1"[..], b":1\r", b":\r\n", b":-1\r\n", b":+1\r\n", b":1234567\r\n", b"1\r\n"]
        {
            assert_eq!(integer(long), None);
        }
    }
}
