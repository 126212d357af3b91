//! The commands on processes.

use super::Terminal;

const SUPERVISOR: &str = "let sup = Supervisor::new(Strategy::OneForOne).name(\"shop\").child(ChildSpec::named(\"clerk\", \
                          || async { receive::<u8>().await; panic!(\"sold out\") })).start_link().await?;";

#[test]
fn processes_are_listed_watched_drawn_and_ended() {
    let mut terminal = Terminal::start();
    terminal.enter(SUPERVISOR);
    terminal.wait("✓ sup");
    terminal.asks(":ps", "clerk");
    terminal.asks(":ps memory", "MEMORY▾");
    terminal.asks(":tree", "shop");
    terminal.asks(":tree shop", "clerk");
    terminal.asks(":tree clerk", "no supervisor");
    terminal.asks(":state clerk", "traps exits");
    terminal.asks(":mailbox clerk", "0 wait");
    terminal.asks(":state nobody", "no process is called `nobody`");
    terminal.asks(":trace clerk", "`clerk` from now on");
    terminal.asks("send(whereis(\"clerk\").unwrap(), 1u8)", "done");
    let screen = terminal.asks(":trace show", "sold out");
    assert!(screen.contains("INFO: 1") && screen.contains("RESTART"), "{screen}");
    terminal.asks(":trace stop", "›");
    terminal.asks(":trace show", "nothing is traced");
    terminal.asks(":flight", "clerk");
    terminal.asks(":kill clerk", "clerk is told to end");
    terminal.leave();
}

#[test]
fn what_waits_in_a_mailbox_and_what_a_server_keeps_is_shown() {
    let mut terminal = Terminal::start();
    terminal.asks(
        "let busy = spawn(async { receive::<()>().await }); register(\"busy\", busy)?; \
         for n in 1..=60u32 { send(busy, n); } send(busy, \"a text\".to_owned());",
        "✓ busy",
    );
    let screen = terminal.asks(":mailbox busy", "11 more");
    assert!(screen.contains("61 wait"), "{screen}");
    let lines: Vec<_> = screen.lines().map(str::trim).collect();
    assert!(lines.contains(&"1  u32  1") && lines.contains(&"50  u32  50"), "{screen}");
    terminal.asks(":state busy", "it is no GenServer, StateMachine or Agent");

    terminal.asks("#[derive(Debug, Clone)] struct Till { coins: Vec<u32>, open: bool }", "✓ type Till");
    let agent = "let till = greenroom::agent::Agent::start(|| Till { coins: vec![1, 2], open: true }).await?; \
                 register(\"till\", till.pid())?;";
    terminal.asks(agent, "✓ till");
    let screen = terminal.asks(":state till", "coins: [");
    assert!(screen.contains("open: true") && screen.contains("traps exits"), "{screen}");
    // Who does not yield cannot be looked into; who asks learns so.
    terminal
        .asks("let stuck = spawn(async { loop { std::hint::spin_loop() } }); register(\"stuck\", stuck)?;", "✓ stuck");
    terminal.asks(":mailbox stuck", "has not given up its turn");
    terminal.asks(":mailbox nobody", "no process is called `nobody`");
    terminal.leave();
}

#[test]
fn top_is_drawn_until_a_key_is_pressed() {
    let mut terminal = Terminal::start();
    terminal.asks("let a = 1;", "a: i32");
    terminal.enter(":top");
    terminal.wait("any other key ends");
    terminal.wait("runtime_server");
    terminal.keys("m");
    terminal.wait("MEMORY▾");
    terminal.keys("q");
    terminal.wait_until("the prompt", |screen| !screen.contains("any other key ends"));
    terminal.asks("a + 1", "= 2  i32");
    terminal.leave();
}
