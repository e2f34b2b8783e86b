#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| vedette_trials::acl::run(data));
