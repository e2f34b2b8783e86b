//! NUL bytes in a file, as a crash may leave them: what of it the references read.

use crate::document::Origin;
use crate::error::Warning;
use crate::words;

/// A file without the NUL bytes at its end, where nothing but blanks stands between and behind
/// them: no reference reads them.
pub(crate) fn without_end<'t>(
    origin: &Origin,
    text: &'t [u8],
    warnings: &mut Vec<Warning>,
) -> &'t [u8] {
    let said = |byte: &u8| *byte != 0 && !words::is_blank(*byte);
    let end = text.iter().rposition(said).map_or(0, |last| last + 1);
    let Some(first) = first(&text[end..]) else { return text };
    let left = &text[..end + first];
    warnings.push(Warning {
        place: Some((origin.clone(), left.split(|byte| *byte == b'\n').count())),
        text: "the file ends in NUL bytes, which are left out".into(),
        remedy: "a crash may have cut it, so see whether all lines are there",
    });
    left
}

/// The main file as the references keep it when they write theirs anew: a line ends at its first
/// NUL byte. With one in it the next start would be refused. A comment may have them.
pub(crate) fn without_any(main: &[u8], warnings: &mut Vec<Warning>) -> Vec<u8> {
    let main = without_end(&Origin::Main, main, warnings);
    let mut kept = Vec::with_capacity(main.len());
    for (index, line) in main.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let is_comment = words::trim(line).starts_with(b"#");
        let Some(end) = first(line).filter(|_| !is_comment) else {
            kept.extend_from_slice(line);
            continue;
        };
        let start = words::trim(&line[..end]);
        if !start.is_empty() {
            kept.extend_from_slice(start);
            kept.push(b'\n');
        }
        warnings.push(Warning {
            place: Some((Origin::Main, index + 1)),
            text: "a NUL byte and the rest of its line are left out".into(),
            remedy: "see what became of the line",
        });
    }
    kept
}

fn first(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| *byte == 0)
}
