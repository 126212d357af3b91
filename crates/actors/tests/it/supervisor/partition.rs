//! Partition supervisors: case 167.

use std::time::Duration;

use greenroom::supervisor::{
    ChildSpec, DynamicSupervisor, FindError, NoPartition, PartitionSupervisor, StartError, Strategy,
};
use greenroom::{ExitReason, Supervisor, exit, self_pid, spawn_link, whereis};

use super::{clean, pid_of};
use crate::support::{echo, forever, gone, round_trip};

#[test]
fn case_167_a_key_always_goes_to_the_same_partition() {
    clean(async {
        let builder = PartitionSupervisor::new("logs", |_| ChildSpec::new("log", echo)).partitions(4);
        let logs = builder.start_link().await.unwrap();
        let found = PartitionSupervisor::find("logs").await.unwrap();
        assert_eq!((logs.partitions(), found.partitions(), found.pid()), (4, 4, logs.pid()));
        let mut seen = [0_u32; 4];
        for key in 0..1_000_u32 {
            let partition = logs.partition_of(&key);
            seen[partition] += 1;
            let pid = logs.route(&key).unwrap();
            assert_eq!(found.route(&key), Ok(pid));
            assert_eq!(whereis(&format!("logs/{partition}")), Some(pid));
        }
        // Evenly enough.
        assert!(seen.iter().all(|count| (150..350).contains(count)), "{seen:?}");
        round_trip(logs.route("a name").unwrap()).await;
        assert_eq!(logs.route("a name"), logs.route(&String::from("a name")));
    });
}

#[test]
fn case_167_a_partition_that_was_restarted_has_the_same_keys() {
    clean(async {
        let builder = PartitionSupervisor::new("logs", |_| ChildSpec::new("log", forever)).partitions(3);
        let logs = builder.start_link().await.unwrap();
        let before = logs.route("alice").unwrap();
        exit(before, ExitReason::Kill);
        gone(before).await;
        let after = loop {
            match logs.route("alice") {
                Ok(pid) => break pid,
                Err(error) => {
                    assert_eq!(error.partition, logs.partition_of("alice"));
                    assert!(error.to_string().contains("of `logs` does not run"), "{error}");
                }
            }
        };
        assert_ne!(before, after);
        let supervisor = Supervisor::find("logs").await.unwrap();
        assert_eq!(pid_of(supervisor, &logs.partition_of("alice").to_string()).await, after);
        // One that is not restarted any more is missed.
        let partition = logs.partition_of("alice");
        supervisor.terminate_child(&partition.to_string()).await.unwrap();
        assert_eq!(logs.route("alice"), Err(NoPartition { supervisor: "logs".into(), partition }));
    });
}

#[test]
fn supervisors_can_be_partitions() {
    clean(async {
        let sessions = PartitionSupervisor::new("sessions", |_| DynamicSupervisor::new()).partitions(2);
        let root = Supervisor::new(Strategy::OneForOne).child(sessions).start_link().await.unwrap();
        let sessions = PartitionSupervisor::find("sessions").await.unwrap();
        assert_eq!(pid_of(root, "sessions").await, sessions.pid());
        let partition = DynamicSupervisor::find(sessions.route("alice").unwrap()).await.unwrap();
        partition.start_child(ChildSpec::new("session", forever)).await.unwrap();
        sessions.stop().await;
    });
}

#[test]
fn a_partition_with_a_name_of_its_own_does_not_start() {
    clean(async {
        let builder = PartitionSupervisor::new("logs", |_| ChildSpec::named("mine", forever)).partitions(1);
        let error = builder.start_link().await.unwrap_err();
        assert!(matches!(&error, StartError::Child { id, .. } if id == "0"), "{error}");
        assert!(error.to_string().contains("is already registered as `mine`"), "{error}");
        assert_eq!((whereis("logs"), whereis("mine")), (None, None));
    });
}

#[test]
fn a_partition_that_is_not_ready_in_time_is_killed() {
    super::by_clock(|clock| async move {
        let builder = PartitionSupervisor::new("logs", |_| {
            let starting = || async {
                spawn_link(forever());
                std::future::pending::<Result<greenroom::Pid, ExitReason>>().await
            };
            ChildSpec::starting("log", starting).start_within(Duration::from_secs(1))
        });
        let test = self_pid();
        spawn_link(async move { greenroom::send(test, builder.start_link().await.unwrap_err().to_string()) });
        clock.pass(Duration::from_secs(1)).await;
        assert_eq!(greenroom::receive::<String>().await, "child `0` did not start: it was not ready after 1s");
    });
}

#[test]
fn a_supervisor_of_other_children_has_no_partitions() {
    clean(async {
        Supervisor::new(Strategy::OneForOne).name("other").child(forever).start_link().await.unwrap();
        let error = PartitionSupervisor::find("other").await.unwrap_err();
        assert!(matches!(error, FindError::OtherKind { .. }), "{error}");
        let error = PartitionSupervisor::find("nobody").await.unwrap_err();
        assert_eq!(error, FindError::NoProcess { what: "`nobody`".into() });
    });
}
