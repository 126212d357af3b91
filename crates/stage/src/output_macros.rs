//! The macros that cells print with, under the names of the standard ones.

/// Prints as `std::print!` does.
#[macro_export]
macro_rules! print { ($($arg:tt)*) => { ::std::print!($($arg)*) }; }

/// Prints as `std::println!` does.
#[macro_export]
macro_rules! println { ($($arg:tt)*) => { ::std::println!($($arg)*) }; }

/// Prints as `std::eprint!` does.
#[macro_export]
macro_rules! eprint { ($($arg:tt)*) => { ::std::eprint!($($arg)*) }; }

/// Prints as `std::eprintln!` does.
#[macro_export]
macro_rules! eprintln { ($($arg:tt)*) => { ::std::eprintln!($($arg)*) }; }

/// Prints as `std::dbg!` does.
#[macro_export]
macro_rules! dbg { ($($arg:tt)*) => { ::std::dbg!($($arg)*) }; }
