//! Inputs that are nearly right.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use proptest::strategy::BoxedStrategy;

use crate::corpus;

/// The input of a trial; shown as it can be typed into a file.
#[derive(Clone)]
pub(crate) struct Input(pub(crate) Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Inputs for a trial: such as these, the corpus's, both with some damage, and any bytes.
pub(crate) fn inputs(trial: &str, such: BoxedStrategy<Vec<u8>>) -> impl Strategy<Value = Input> {
    let corpus: Vec<Vec<u8>> = corpus::inputs(trial).into_iter().map(|(_, bytes)| bytes).collect();
    let kept = select(corpus).boxed();
    prop_oneof![
        4 => such.clone(),
        2 => damaged(such.clone(), kept.clone()),
        2 => damaged(kept.clone(), such),
        1 => damaged(kept.clone(), kept),
        1 => vec(any::<u8>(), 0..200),
    ]
    .prop_map(Input)
}

/// One harm done to an input.
#[derive(Clone, Debug)]
enum Harm {
    Change(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    Repeat(Index, Index),
    /// What follows is that of another input.
    Splice(Index, Index),
}

fn damaged(
    one: BoxedStrategy<Vec<u8>>,
    other: BoxedStrategy<Vec<u8>>,
) -> impl Strategy<Value = Vec<u8>> {
    (one, other, vec(harm(), 1..5)).prop_map(|(mut bytes, other, harms)| {
        harms.iter().for_each(|harm| harm.befall(&mut bytes, &other));
        bytes
    })
}

fn harm() -> impl Strategy<Value = Harm> {
    let two = || any::<(Index, Index)>();
    let token = select(TOKENS).prop_map(<[u8]>::to_vec);
    prop_oneof![
        3 => any::<(Index, u8)>().prop_map(|(at, byte)| Harm::Change(at, byte)),
        3 => (any::<Index>(), token).prop_map(|(at, token)| Harm::Insert(at, token)),
        2 => two().prop_map(|(from, to)| Harm::Remove(from, to)),
        1 => two().prop_map(|(from, to)| Harm::Repeat(from, to)),
        1 => two().prop_map(|(from, to)| Harm::Splice(from, to)),
    ]
}

/// What parsers stumble over.
const TOKENS: &[&[u8]] = &[
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\t",
    b"\x0b",
    b" ",
    b"\"",
    b"'",
    b"\\",
    b"\\x",
    b",",
    b":",
    b"#",
    b"-1",
    b"0",
    b"00",
    b"+1",
    b"99999999999999999999",
    b"9223372036854775807",
    b"\xff",
    b"\xc3\xa4",
    b"\xe2\x80\xa8",
    b"*",
    b"$",
    b"\x1c",
    b"\x1f",
];

impl Harm {
    fn befall(&self, bytes: &mut Vec<u8>, other: &[u8]) {
        let place = |index: &Index| index.index(bytes.len() + 1);
        match self {
            Self::Change(at, byte) => {
                let at = place(at);
                if let Some(old) = bytes.get_mut(at) {
                    *old = *byte;
                }
            }
            Self::Insert(at, token) => {
                let at = place(at);
                bytes.splice(at..at, token.iter().copied());
            }
            Self::Remove(one, two) => {
                let (one, two) = (place(one), place(two));
                bytes.drain(one.min(two)..one.max(two));
            }
            Self::Repeat(one, two) => {
                let (one, two) = (place(one), place(two));
                let part = bytes[one.min(two)..one.max(two)].to_vec();
                bytes.splice(one..one, part);
            }
            Self::Splice(one, two) => {
                bytes.truncate(place(one));
                bytes.extend_from_slice(&other[two.index(other.len() + 1)..]);
            }
        }
    }
}
