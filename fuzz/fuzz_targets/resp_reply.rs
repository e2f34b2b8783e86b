#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vedette_trials::resp_reply::run(data));
