//! A bounded worker pool: so many jobs at a time, so many that wait, and a job that crashes harms nobody but itself.
//!
//! ```console
//! $ cargo run -p greenroom --example worker_pool
//! ```

use std::collections::VecDeque;
use std::time::Duration;

use greenroom::gen_server::{Caller, InitError, Reply};
use greenroom::message::Down;
use greenroom::{GenServer, Task, accepts, spawn_monitor, task};
use serde::{Deserialize, Serialize};

/// A number to be taken apart into its prime factors.
#[derive(Debug, Serialize, Deserialize)]
struct Factor(u64);

type Factors = Result<Vec<u64>, String>;

/// Hands jobs to workers, of which there is one process for each job.
#[derive(Debug)]
struct Pool {
    workers: usize,
    waiting_room: usize,
    waiting: VecDeque<(u64, Caller<Factors>)>,
    working: usize,
}

accepts! { Pool:
    call factor(Factor, caller) -> Factors;
    info finished(Down);
}

impl GenServer for Pool {
    /// How many work, and how many wait.
    type Args = (usize, usize);

    async fn init((workers, waiting_room): (usize, usize)) -> Result<Self, InitError> {
        Ok(Pool { workers, waiting_room, waiting: VecDeque::new(), working: 0 })
    }
}

impl Pool {
    async fn factor(&mut self, Factor(number): Factor, caller: Caller<Factors>) -> Reply<Factors> {
        if self.working >= self.workers && self.waiting.len() >= self.waiting_room {
            return Reply::now(Err("the pool is full: try again later".to_owned()));
        }
        self.waiting.push_back((number, caller));
        self.put_to_work();
        Reply::later()
    }

    async fn finished(&mut self, _: Down) {
        self.working -= 1;
        self.put_to_work();
    }

    fn put_to_work(&mut self) {
        while self.working < self.workers
            && let Some((number, caller)) = self.waiting.pop_front()
        {
            self.working += 1;
            spawn_monitor(async move {
                let outcome = Task::spawn_nolink(factors(number)).outcome().await;
                caller.reply(outcome.map_err(|reason| format!("the job has failed: {reason}")));
            });
        }
    }
}

async fn factors(mut number: u64) -> Vec<u64> {
    assert_ne!(number, 0, "zero has no factors");
    let mut factors = Vec::new();
    let mut divisor = 2;
    while divisor * divisor <= number {
        while number.is_multiple_of(divisor) {
            factors.push(divisor);
            number /= divisor;
        }
        divisor += 1;
        greenroom::yield_point!();
    }
    if number > 1 {
        factors.push(number);
    }
    factors
}

async fn show(numbers: Vec<u64>) -> Vec<String> {
    let pool = match Pool::start_link((2, 100)).await {
        Ok(pool) => pool,
        Err(error) => return vec![error.to_string()],
    };
    let asked = numbers.into_iter().map(|number| {
        Task::spawn(async move {
            match pool.call(Factor(number)).await {
                Ok(Ok(factors)) => format!("{number} = {factors:?}"),
                Ok(Err(error)) => format!("{number}: {error}"),
                Err(error) => format!("{number}: {error}"),
            }
        })
    });
    let answers = task::await_many(asked, Duration::from_secs(60)).await;
    let _ = pool.stop().await; // Then it has ended in any case.
    answers
}

fn main() {
    for line in greenroom::run(show(vec![60, 97, 0, 1_000_000_007])) {
        println!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use greenroom::gen_server::ServerRef;
    use greenroom::{exit, process, self_pid, yield_now};

    use super::*;

    #[test]
    fn jobs_are_done_and_one_that_crashes_harms_nobody_else() {
        let node = greenroom::Node::builder().on_panic(|_| ()).start().unwrap();
        let lines = node.block_on(show(vec![60, 0, 97, 8]));
        assert_eq!((lines[0].as_str(), lines[2].as_str()), ("60 = [2, 2, 3, 5]", "97 = [97]"));
        assert!(lines[1].starts_with("0: the job has failed: panic:"), "{}", lines[1]);
        assert_eq!(lines[3], "8 = [2, 2, 2]");
    }

    #[test]
    fn no_more_work_and_wait_than_may() {
        greenroom::run(async {
            /// A prime for which a worker needs longer than this test takes.
            const LONG: u64 = 18_446_744_073_709_551_557;
            let pool: ServerRef<Pool> = Pool::start_link((2, 3)).await.unwrap();
            let jobs: Vec<Task<Result<Factors, _>>> =
                (0..5).map(|_| Task::spawn(pool.call_timeout(Factor(LONG), Duration::MAX))).collect();
            // The pool, five who wait, and for two of them someone who works and the job.
            while process::list().len() < 1 + 1 + 5 + 2 * 2 {
                yield_now().await;
            }
            assert_eq!(pool.call(Factor(6)).await.unwrap().unwrap_err(), "the pool is full: try again later");
            for pid in process::list().into_iter().filter(|pid| *pid != self_pid()) {
                greenroom::unlink(pid);
                exit(pid, greenroom::ExitReason::Kill);
            }
            drop(jobs);
        });
    }
}
