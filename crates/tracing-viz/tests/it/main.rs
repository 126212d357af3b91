//! What is drawn, from data made by hand and from data made at random.

mod any;
mod browser;
mod gallery;
mod make;
mod sequence;
mod svg;
mod tree;
