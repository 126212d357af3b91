//! Supervision trees.

use expect_test::{Expect, expect};
use greenroom::tree::{ChildKind, ChildStatus, Strategy, TreeNode};
use greenroom_tracing_viz::tree::{Direction, Options, Tree};

use crate::make::{on, pid};

fn node(id: &str, number: u32, kind: ChildKind, children: Vec<TreeNode>) -> TreeNode {
    TreeNode {
        id: id.into(),
        pid: Some(pid(number)),
        registered: None,
        kind,
        status: ChildStatus::Running,
        strategy: (kind == ChildKind::Supervisor).then_some(Strategy::OneForOne),
        restarts: 0,
        uptime: None,
        mailbox: None,
        memory: None,
        links: children.iter().filter_map(|child| child.pid).collect(),
        children,
    }
}

fn supervisor(id: &str, number: u32, children: Vec<TreeNode>) -> TreeNode {
    node(id, number, ChildKind::Supervisor, children)
}

fn worker(id: &str, number: u32) -> TreeNode {
    node(id, number, ChildKind::Worker, Vec::new())
}

fn check(root: &TreeNode, expected: Expect) {
    expected.assert_eq(&Tree::from_node(root, &Options::default()).to_text(80));
}

fn check_mermaid(root: &TreeNode, expected: Expect) {
    let tree = Tree::from_node(root, &Options::default());
    expected.assert_eq(&tree.to_mermaid(Direction::TopDown));
}

pub fn service() -> TreeNode {
    let mut cache = worker("shard-1", 8);
    cache.links = vec![pid(7), pid(10), pid(99), pid(8)];
    let mut ticker = worker("ticker", 10);
    ticker.restarts = 2;
    ticker.registered = Some("clock".into());
    ticker.links = vec![pid(8), pid(7), pid(5)];
    let mut mailer = worker("mailer", 0);
    (mailer.pid, mailer.status) = (None, ChildStatus::NotStarted);
    let mut printer = worker("printer", 0);
    (printer.pid, printer.status) = (None, ChildStatus::Restarting);
    printer.restarts = 1_204;
    let shards = supervisor("shards", 6, vec![worker("shard-0", 7), cache]);
    let tables = supervisor("tables", 9, vec![]);
    supervisor("root", 5, vec![shards, tables, ticker, mailer, printer])
}

/// A supervisor that has no children.
pub fn spare() -> TreeNode {
    supervisor("spare", 20, vec![])
}

#[test]
fn a_service_is_drawn_with_its_links_and_troubles() {
    check(
        &service(),
        expect![[r#"
            Supervisor root <0.5.0>  one for one
            ├─ shards <0.6.0>  supervisor, one for one
            │  ├─ shard-0 <0.7.0>  worker
            │  └─ shard-1 <0.8.0>  worker, linked to shard-0
            ├─ tables <0.9.0>  supervisor, one for one
            ├─ clock <0.10.0>  worker, restarted 2 ×, linked to shard-0, shard-1
            ├─ mailer  worker, not started
            └─ printer  worker, restarting, restarted 1,204 ×"#]],
    );
    check_mermaid(
        &service(),
        expect![[r#"
            graph TD;
            0(root):::root ---> 1(shards):::supervisor;
            0(root):::root ---> 4(tables):::supervisor;
            0(root):::root ---> 5(clock):::worker;
            0(root):::root ---> 6(mailer):::notstarted;
            0(root):::root ---> 7(printer):::notstarted;
            1(shards):::supervisor ---> 2(shard-0):::worker;
            1(shards):::supervisor ---> 3(shard-1):::worker;
            2 -..- 3;
            2 -..- 5;
            3 -..- 5;
            classDef root fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:3px;
            classDef supervisor fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:1px;
            classDef worker fill:#bbf7d0, color:#1f2937, stroke:#4b5563, stroke-width:1px;
            classDef notstarted fill:#e5e7eb, color:#6b7280, stroke:#9ca3af, stroke-width:1px;
            classDef folded fill:#ffffff, color:#4b5563, stroke:#9ca3af, stroke-dasharray:4;
        "#]],
    );
}

#[test]
fn a_supervisor_without_children_still_appears() {
    check(&supervisor("root", 5, vec![]), expect!["Supervisor root <0.5.0>  one for one"]);
    check_mermaid(
        &supervisor("root", 5, vec![]),
        expect![[r#"
            graph TD;
            0(root):::root;
            classDef root fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:3px;
            classDef supervisor fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:1px;
            classDef worker fill:#bbf7d0, color:#1f2937, stroke:#4b5563, stroke-width:1px;
            classDef notstarted fill:#e5e7eb, color:#6b7280, stroke:#9ca3af, stroke-width:1px;
            classDef folded fill:#ffffff, color:#4b5563, stroke:#9ca3af, stroke-dasharray:4;
        "#]],
    );
}

#[test]
fn a_chain_of_supervisors_is_drawn_from_left_to_right() {
    let chain = (6..10)
        .rev()
        .fold(worker("leaf", 10), |below, number| supervisor(&format!("level-{number}"), number, vec![below]));
    check(
        &chain,
        expect![[r#"
            Supervisor level-6 <0.6.0>  one for one
            └─ level-7 <0.7.0>  supervisor, one for one
               └─ level-8 <0.8.0>  supervisor, one for one
                  └─ level-9 <0.9.0>  supervisor, one for one
                     └─ leaf <0.10.0>  worker"#]],
    );
    let tree = Tree::from_node(&chain, &Options::default());
    expect![[r#"
        graph LR;
        0(level-6):::root ---> 1(level-7):::supervisor;
        1(level-7):::supervisor ---> 2(level-8):::supervisor;
        2(level-8):::supervisor ---> 3(level-9):::supervisor;
        3(level-9):::supervisor ---> 4(leaf):::worker;
        classDef root fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:3px;
        classDef supervisor fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:1px;
        classDef worker fill:#bbf7d0, color:#1f2937, stroke:#4b5563, stroke-width:1px;
        classDef notstarted fill:#e5e7eb, color:#6b7280, stroke:#9ca3af, stroke-width:1px;
        classDef folded fill:#ffffff, color:#4b5563, stroke:#9ca3af, stroke-dasharray:4;
    "#]]
    .assert_eq(&tree.to_mermaid(Direction::LeftRight));
}

#[test]
fn a_wide_level_is_folded_and_says_how_many_are_down() {
    let mut children: Vec<TreeNode> = (0..1000).map(|n| worker(&format!("job-{n}"), 10 + n)).collect();
    for child in &mut children[500..503] {
        (child.pid, child.status) = (None, ChildStatus::NotStarted);
    }
    let jobs = supervisor("jobs", 6, children);
    let root = supervisor("root", 5, vec![jobs, worker("log", 7)]);
    let tree = Tree::from_node(&root, &Options { children: 4, ..Options::default() });
    expect![[r#"
        Supervisor root <0.5.0>  one for one
        ├─ jobs <0.6.0>  supervisor, one for one
        │  ├─ job-0 <0.10.0>  worker
        │  ├─ job-1 <0.11.0>  worker
        │  ├─ job-2 <0.12.0>  worker
        │  └─ … 997 more, 3 of them not running
        └─ log <0.7.0>  worker"#]]
    .assert_eq(&tree.to_text(80));
    expect![[r#"
        graph TD;
        0(root):::root ---> 1(jobs):::supervisor;
        0(root):::root ---> 5(log):::worker;
        1(jobs):::supervisor ---> 2(job-0):::worker;
        1(jobs):::supervisor ---> 3(job-1):::worker;
        1(jobs):::supervisor ---> 4(job-2):::worker;
        1(jobs):::supervisor ---> 6(… 997 more, 3 of them not running):::folded;
        classDef root fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:3px;
        classDef supervisor fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:1px;
        classDef worker fill:#bbf7d0, color:#1f2937, stroke:#4b5563, stroke-width:1px;
        classDef notstarted fill:#e5e7eb, color:#6b7280, stroke:#9ca3af, stroke-width:1px;
        classDef folded fill:#ffffff, color:#4b5563, stroke:#9ca3af, stroke-dasharray:4;
    "#]]
    .assert_eq(&tree.to_mermaid(Direction::TopDown));
    for limit in [0, 1] {
        let tree = Tree::from_node(&root, &Options { children: limit, ..Options::default() });
        assert_eq!(tree.nodes.len(), 1);
        assert_eq!(tree.nodes[0].folded.count, 2);
    }
}

#[test]
fn hostile_names_stay_text() {
    let mut far = worker("]):::x ---> 9(end", 0);
    far.pid = Some(on("<b>far@host", 3));
    let nameless = worker("", 12);
    let root = supervisor("end;\n%%{init}%%", 5, vec![far, nameless, worker("1. \"`*a*`\"", 13)]);
    check(
        &root,
        expect![[r#"
            Supervisor end; %%{init}%% <0.5.0>  one for one
            ├─ ]):::x ---> 9(end <0.3.0>  worker
            ├─ <0.12.0>  worker
            └─ 1. "`*a*`" <0.13.0>  worker"#]],
    );
    check_mermaid(
        &root,
        expect![[r#"
            graph TD;
            0(#101;nd#59; #37;#37;#123;init#125;#37;#37;):::root ---> 1(#93;#41;#58;#58;#58;x #45;#45;#45;#62; 9#40;#101;nd):::worker;
            0(#101;nd#59; #37;#37;#123;init#125;#37;#37;):::root ---> 2(#60;0.12.0#62;):::worker;
            0(#101;nd#59; #37;#37;#123;init#125;#37;#37;):::root ---> 3(1#46; #34;#96;#42;a#42;#96;#34;):::worker;
            classDef root fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:3px;
            classDef supervisor fill:#ddd6fe, color:#1f2937, stroke:#4b5563, stroke-width:1px;
            classDef worker fill:#bbf7d0, color:#1f2937, stroke:#4b5563, stroke-width:1px;
            classDef notstarted fill:#e5e7eb, color:#6b7280, stroke:#9ca3af, stroke-width:1px;
            classDef folded fill:#ffffff, color:#4b5563, stroke:#9ca3af, stroke-dasharray:4;
        "#]],
    );
}

#[test]
fn a_long_line_is_cut_to_the_width() {
    let text = Tree::from_node(&service(), &Options::default()).to_text(24);
    expect![[r#"
        Supervisor root <0.5.0>…
        ├─ shards <0.6.0>  supe…
        │  ├─ shard-0 <0.7.0>…
        │  └─ shard-1 <0.8.0>…
        ├─ tables <0.9.0>  supe…
        ├─ clock <0.10.0>  work…
        ├─ mailer  worker, not…
        └─ printer  worker, res…"#]]
    .assert_eq(&text);
}
