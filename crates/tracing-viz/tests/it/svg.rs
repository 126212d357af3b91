//! SVG pictures.

use greenroom_tracing_viz::sequence::{Options, Sequence};
use greenroom_tracing_viz::{Pictures, map};

#[test]
fn scratch() {
    let seq = Sequence::from_trace(&crate::sequence::crash().trace, &Options::default());
    std::fs::write("/tmp/pic/crash.svg", seq.to_svg()).unwrap();
    std::fs::write(
        "/tmp/pic/tree.svg",
        greenroom_tracing_viz::Tree::from_node(&crate::tree::service(), &Default::default()).to_svg(),
    )
    .unwrap();
    let t = crate::sequence::crash().trace;
    std::fs::write("/tmp/pic/map.svg", t.map(&map::Options::default()).to_svg()).unwrap();
    std::fs::write("/tmp/pic/line.svg", t.timeline().to_svg()).unwrap();
    std::fs::write("/tmp/pic/line.json", t.timeline().to_perfetto()).unwrap();
}
