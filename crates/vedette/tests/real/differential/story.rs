//! A story told to both at once (`states.txt`), with the same questions in each of its states.

use vedette::lab::{BOUND, DataNode, Lab, until};
use vedette_resp::split_words;

use super::list;
use super::pair::Pair;

const STORY: &str = include_str!("states.txt");
const QUESTIONS: &str = include_str!("questions.txt");

/// Plays the story, with a list of what differs.
pub(super) fn play(lab: &mut Lab, pair: &mut Pair) {
    let mut state = String::new();
    for line in list::lines(STORY) {
        let before = pair.findings.len();
        if let Some(title) = line.strip_prefix("@state ") {
            state = title.to_owned();
        } else if let Some(action) = line.strip_prefix("= ") {
            act(lab, pair, action);
        } else if let Some(exceptions) = line.strip_prefix('?') {
            ask_all(pair, exceptions.trim());
        } else {
            pair.compare(line);
        }
        for finding in &mut pair.findings[before..] {
            *finding = format!("{state}: {finding}");
        }
    }
}

/// Asks all questions; `marked` is one of them with the reason why it differs in this state.
fn ask_all(pair: &mut Pair, marked: &str) {
    let marked_question = marked.rsplit(" | ").next();
    for question in list::lines(QUESTIONS) {
        let is_marked = marked_question == Some(question);
        pair.compare_in_the_end(if is_marked { marked } else { question });
    }
}

/// Does what a line of the story says.
fn act(lab: &mut Lab, pair: &Pair, action: &str) {
    let (verb, words) = action.split_once(' ').expect("a verb and what it is about");
    let rest = &pair.filled(words);
    match verb {
        "suspend" => node(lab, rest).process().suspend(),
        "resume" => node(lab, rest).process().resume(),
        "reference" => order(lab, &[0], rest),
        "ours" => order(lab, &[1], rest),
        "both" => order(lab, &[0, 1], rest),
        "hello" => {
            let (port, hello) = rest.split_once(' ').unwrap();
            let mut publisher = node(lab, port).client().unwrap();
            publisher.ask(&["PUBLISH", "__sentinel__:hello", hello]).unwrap();
        }
        "await" => {
            let (command, element) = words.split_once(" => ").unwrap();
            let says_so =
                |answers: &Vec<Vec<String>>| answers.concat().iter().any(|it| it == element);
            let waited =
                until(action, BOUND, || pair.ask(command).iter().all(says_so).then_some(()));
            assert!(waited.is_ok(), "{waited:?}, but {:?}", pair.ask(command));
        }
        other => panic!("the story says {other}"),
    }
}

fn node<'a>(lab: &'a mut Lab, port: &str) -> &'a mut DataNode {
    lab.shards[0].node(port.parse().unwrap())
}

/// Orders until it is not refused: a replica, for one, is no good until its INFO is fresh.
fn order(lab: &Lab, sentinels: &[usize], command: &str) {
    let words = split_words(command.as_bytes()).unwrap();
    let words: Vec<&str> = words.iter().map(|word| std::str::from_utf8(word).unwrap()).collect();
    for &sentinel in sentinels {
        let is_done = || !lab.sentinels[sentinel].ask(&words).unwrap().is_error();
        until(command, BOUND, || is_done().then_some(())).unwrap();
    }
}
