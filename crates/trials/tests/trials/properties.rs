//! Each trial with many inputs that look like the real thing.

use proptest::test_runner::{Config, TestRunner};
use vedette_trials::TRIALS;

use crate::mutation::{Input, inputs};
use crate::texts;

macro_rules! properties {
    ($($trial:ident such_as $such:expr,)*) => {
        /// The trials that are tested here.
        pub(crate) const PROPERTIES: &[&str] = &[$(stringify!($trial),)*];

        $(#[test]
        fn $trial() {
            use proptest::strategy::Strategy as _;
            check(stringify!($trial), $such.boxed());
        })*
    };
}

properties! {
    resp_request such_as texts::requests(),
    resp_reply such_as texts::replies(),
    resp_frame such_as texts::tape(),
    conf_text such_as texts::configuration(),
    conf_words such_as texts::words(),
    conf_votes such_as texts::votes(),
    acl such_as texts::users(),
    info such_as texts::info(),
    hello such_as texts::hello(),
    link such_as texts::link(),
    client_bytes such_as texts::client_stream(),
    client_commands such_as texts::commands(),
    choice such_as texts::tape(),
}

/// Inputs for each trial.
const CASES: u32 = 800;

fn check(name: &str, such: proptest::strategy::BoxedStrategy<Vec<u8>>) {
    let trial = TRIALS.iter().find(|trial| trial.name == name).expect("a trial");
    // What fails goes to the corpus, with a name.
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&inputs(name, such), |Input(bytes)| {
        (trial.run)(&bytes);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}\nput the input into fuzz/corpus/{name}, under a name that tells why");
    }
}
