//! Everything that is drawn, on data made by hand.

mod make;
mod sequence;
