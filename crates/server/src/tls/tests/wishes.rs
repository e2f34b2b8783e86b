//! A burst of signals costs one thread, and the last one counts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use super::super::live::Wishes;

#[test]
fn whoever_wishes_meanwhile_is_served_once_more() {
    let wishes = Arc::new(Wishes::default());
    let (begun, begins) = mpsc::channel();
    let (go_on, may_end) = mpsc::channel();
    assert!(wishes.add(), "the first begins");
    let worker = {
        let wishes = wishes.clone();
        thread::spawn(move || {
            let mut times = 0;
            wishes.fulfil(|| {
                times += 1;
                begun.send(()).unwrap();
                may_end.recv().unwrap();
            });
            times
        })
    };
    begins.recv().unwrap();
    for _ in 0..100 {
        assert!(!wishes.add(), "somebody is at work");
    }
    go_on.send(()).unwrap();
    begins.recv().unwrap();
    go_on.send(()).unwrap();
    assert_eq!(worker.join().unwrap(), 2);
    assert!(wishes.add(), "and later it is begun anew");
}

#[test]
fn no_wish_is_lost_however_they_come() {
    let wishes = Wishes::default();
    let (wished, seen) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    wished.fetch_add(1, Ordering::SeqCst);
                    if wishes.add() {
                        wishes
                            .fulfil(|| seen.store(wished.load(Ordering::SeqCst), Ordering::SeqCst));
                    }
                }
            });
        }
    });
    assert_eq!(seen.load(Ordering::SeqCst), 4000);
}
