//! Addresses in other forms than the usual one, without `resolve-hostnames`.

use rustix::process::Signal;

use super::run::{Setting, alike, code};

const FORMS: &[&str] = &[
    "127.1",
    "127.2.3",
    "2130706433",
    "0x7f.1",
    "0177.0.0.01",
    "0",
    "4294967295",
    "0:0::1",
    "fe80::1%lo",
];
const NONE: &[&str] = &["127.0.0.256", "4294967296", "1.2.3.4.5", "127.1.", "1..2", "08.1.1.1"];

/// The masters as they are told at start and as they are saved.
fn masters(setting: &Setting, said: &[String]) -> Vec<String> {
    let file = setting.read("sentinel.conf");
    let told = said.iter().filter(|line| line.contains("+monitor ")).map(String::as_str);
    let saved = file.lines().filter(|line| line.starts_with("sentinel monitor "));
    let mut all: Vec<_> = told.chain(saved).map(str::to_owned).collect();
    all.sort();
    all
}

#[test]
fn short_addresses_are_taken_as_by_the_references() {
    let lines = FORMS.iter().enumerate();
    let lines = lines.map(|(index, form)| format!("sentinel monitor m{index} {form} 1 1\n"));
    let lines: String = lines.collect();
    let all = alike(&lines, |setting| {
        let (ending, said) = setting.serve_until(&[Signal::TERM]);
        assert_eq!(ending, code(0), "{said:?}");
        masters(setting, &said)
    });
    assert_eq!(all.len(), 2 * FORMS.len());
    assert!(all.contains(&"sentinel monitor m0 127.0.0.1 1 1".to_owned()), "{all:?}");
    for form in &NONE[..2] {
        let line = format!("sentinel monitor m {form} 1 1\n");
        let (ending, said) = alike(&line, |setting| setting.refused());
        assert_eq!(ending, code(1), "{form}: {said:?}");
    }
}

#[test]
fn short_addresses_are_monitored_as_by_the_references() {
    alike("", |setting| {
        let mut process = setting.start();
        let monitor = |(index, form)| setting.ask(&format!("SENTINEL MONITOR m{index} {form} 1 1"));
        let answers: Vec<_> = FORMS.iter().chain(NONE).enumerate().map(monitor).collect();
        assert!(answers.contains(&"+OK\r\n".to_owned()));
        process.signal(Signal::TERM);
        let (_, said) = setting.end_of(&mut process);
        (answers, masters(setting, &said))
    });
}
