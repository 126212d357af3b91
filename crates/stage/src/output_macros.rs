//! The macros that print to the cell, named like those of the standard library that they take the
//! place of.

/// Prints to the cell: see [`std::print!`].
#[macro_export]
macro_rules! print {
    ($($text:tt)*) => { $crate::io::print(::core::format_args!($($text)*)) };
}

/// Prints a line to the cell: see [`std::println!`].
#[macro_export]
macro_rules! println {
    () => { $crate::io::print(::core::format_args!("\n")) };
    ($($text:tt)*) => { $crate::io::print(::core::format_args!("{}\n", ::core::format_args!($($text)*))) };
}

/// Prints to the cell, or to standard error outside of a notebook: see [`std::eprint!`].
#[macro_export]
macro_rules! eprint {
    ($($text:tt)*) => { $crate::io::eprint(::core::format_args!($($text)*)) };
}

/// Prints a line to the cell, or to standard error outside of a notebook: see [`std::eprintln!`].
#[macro_export]
macro_rules! eprintln {
    () => { $crate::io::eprint(::core::format_args!("\n")) };
    ($($text:tt)*) => { $crate::io::eprint(::core::format_args!("{}\n", ::core::format_args!($($text)*))) };
}

/// Prints an expression and its value to the cell, and returns the value: see [`std::dbg!`].
#[macro_export]
macro_rules! dbg {
    () => { $crate::eprintln!("[line {}]", ::core::line!()) };
    ($value:expr $(,)?) => {
        match $value {
            value => {
                $crate::eprintln!("{} = {:#?}", ::core::stringify!($value), &value);
                value
            }
        }
    };
    ($($value:expr),+ $(,)?) => { ($($crate::dbg!($value)),+,) };
}
