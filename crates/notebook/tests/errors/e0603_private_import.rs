mod inner {
    fn hidden() {}
}
pub use inner::/*>*/hidden;
