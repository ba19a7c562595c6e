//! A module in Rust, for tests: what PyO3 takes and gives, panics, time, randomness and output.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::collections::HashMap;
use std::io::Write;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// How often each word is there. HashMap has a random seed.
#[pyfunction]
fn count(text: &str) -> HashMap<String, usize> {
    let mut found = HashMap::new();
    for word in text.split_whitespace() {
        *found.entry(word.to_owned()).or_insert(0) += 1;
    }
    found
}

#[pyfunction]
fn half(number: i64) -> PyResult<i64> {
    if number % 2 != 0 {
        return Err(PyValueError::new_err(format!("{number} is odd")));
    }
    Ok(number / 2)
}

/// Panics where the index is outside.
#[pyfunction]
fn pick(list: Vec<i64>, index: usize) -> i64 {
    list[index]
}

struct Guard(Py<PyAny>);

impl Drop for Guard {
    fn drop(&mut self) {
        Python::attach(|python| self.0.call0(python)).unwrap();
    }
}

/// Panics, and calls a function on the way out.
#[pyfunction]
fn panic_with_guard(called: Py<PyAny>) {
    let _guard = Guard(called);
    panic!("as was wished");
}

/// Whether a panic can be caught in Rust.
#[pyfunction]
fn catch() -> bool {
    std::panic::catch_unwind(|| panic!("caught")).is_err()
}

/// A panic while another one unwinds, which nothing can catch.
#[pyfunction]
fn panic_twice() {
    struct Worse;
    impl Drop for Worse {
        fn drop(&mut self) {
            panic!("the second");
        }
    }
    let _worse = Worse;
    panic!("the first");
}

/// Seconds since 1970, and whether time goes forward.
#[pyfunction]
fn now() -> (f64, bool) {
    let start = Instant::now();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    (since.as_secs_f64(), start.elapsed().as_nanos() > 0)
}

/// Prints, reads a variable of the environment and a file.
#[pyfunction]
fn outside(path: &str) -> (Option<String>, String) {
    println!("from Rust");
    std::io::stdout().flush().unwrap();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => format!("{:?}", error.kind()),
    };
    (std::env::var("HAM").ok(), text)
}

/// What some crates do past the C library.
mod direct {
    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    extern "C" {
        pub fn clock_time_get(clock: u32, precision: u64, time: *mut u64) -> i32;
        pub fn environ_sizes_get(count: *mut u32, size: *mut u32) -> i32;
        pub fn fd_write(file: i32, parts: *const [usize; 2], count: i32, done: *mut u32) -> i32;
        pub fn poll_oneoff(wanted: *const u64, got: *mut u64, count: u32, done: *mut u32) -> i32;
        pub fn random_get(buffer: *mut u8, size: u32) -> i32;
    }
}

/// Seconds since 1970, how many variables there are, what an unknown file gives, whether a sleep of
/// 20 ms takes that long, and whether random bytes are some.
#[pyfunction]
fn calls_of_wasi() -> (f64, u32, i32, bool, bool) {
    let (mut time, mut count, mut size, mut done) = (0u64, 0u32, 0u32, 0u32);
    let mut bytes = [0u8; 32];
    let text = b"text";
    let part = [text.as_ptr() as usize, text.len()];
    let (sleep, mut event) = ([7u64, 0, 1, 20_000_000, 0, 0], [0u64; 4]);
    unsafe {
        assert_eq!(direct::clock_time_get(0, 0, &mut time), 0);
        assert_eq!(direct::environ_sizes_get(&mut count, &mut size), 0);
        assert_eq!(direct::random_get(bytes.as_mut_ptr(), 32), 0);
        let unknown = direct::fd_write(999, &part, 1, &mut done);
        let start = Instant::now();
        assert_eq!(direct::poll_oneoff(sleep.as_ptr(), event.as_mut_ptr(), 1, &mut done), 0);
        let slept = start.elapsed().as_millis() >= 20 && event[0] == 7 && done == 1;
        (time as f64 / 1e9, count, unknown, slept, bytes != [0u8; 32])
    }
}

/// Never ends.
#[pyfunction]
fn spin() -> u64 {
    let mut sum = 0u64;
    loop {
        sum = std::hint::black_box(sum.wrapping_add(1));
    }
}

#[pymodule]
fn ham(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(count, module)?)?;
    module.add_function(wrap_pyfunction!(half, module)?)?;
    module.add_function(wrap_pyfunction!(pick, module)?)?;
    module.add_function(wrap_pyfunction!(panic_with_guard, module)?)?;
    module.add_function(wrap_pyfunction!(catch, module)?)?;
    module.add_function(wrap_pyfunction!(panic_twice, module)?)?;
    module.add_function(wrap_pyfunction!(now, module)?)?;
    module.add_function(wrap_pyfunction!(outside, module)?)?;
    module.add_function(wrap_pyfunction!(calls_of_wasi, module)?)?;
    module.add_function(wrap_pyfunction!(spin, module)?)?;
    Ok(())
}
