//! Significant children and supervisors that end by themselves: cases 159 to 162.

use greenroom::supervisor::{
    AutoShutdown, Restart, SpecError, StartChildError, StartError, Strategy, SupervisorBuilder,
};
use greenroom::tree::ChildStatus;
use greenroom::{ExitReason, Supervisor, is_alive, self_pid, trap_exit};

use super::{child, clean, crash, expect_news, no_news, status_of};
use crate::support::next_exit;

/// A supervisor of two significant children and one that is not.
fn family(auto_shutdown: AutoShutdown, restart: Restart) -> SupervisorBuilder {
    let test = self_pid();
    let significant = |id| child(id, test).restart(restart).significant();
    let builder = Supervisor::new(Strategy::OneForOne).auto_shutdown(auto_shutdown);
    builder.child(significant("a")).child(significant("b")).child(child("other", test).restart(Restart::Transient))
}

#[test]
fn case_159_what_contradicts_itself_is_refused() {
    clean(async {
        let test = self_pid();
        let builder = |auto| Supervisor::new(Strategy::OneForOne).auto_shutdown(auto);
        let significant = || child("a", test).restart(Restart::Transient).significant();
        let never = SpecError::NeverShutsDown { id: "a".into() };
        let permanent = SpecError::PermanentSignificant { id: "a".into() };

        let error = builder(AutoShutdown::Never).child(significant()).start_link().await.unwrap_err();
        assert_eq!(error, StartError::Spec(never.clone()));
        assert!(error.to_string().contains("give that an `auto_shutdown`"), "{error}");
        let contradicts = significant().restart(Restart::Permanent);
        let error = builder(AutoShutdown::AnySignificant).child(contradicts.clone()).start_link().await.unwrap_err();
        assert_eq!(error, StartError::Spec(permanent.clone()));
        assert!(error.to_string().contains("make it transient or temporary"), "{error}");

        let supervisor = builder(AutoShutdown::Never).start_link().await.unwrap();
        assert_eq!(supervisor.start_child(significant()).await, Err(StartChildError::Spec(never)));
        let supervisor = builder(AutoShutdown::AllSignificant).start_link().await.unwrap();
        assert_eq!(supervisor.start_child(contradicts).await, Err(StartChildError::Spec(permanent)));
        no_news().await;
    });
}

#[test]
fn case_160_the_first_significant_child_that_is_done_ends_the_tree() {
    clean(async {
        trap_exit(true);
        let supervisor = family(AutoShutdown::AnySignificant, Restart::Transient).start_link().await.unwrap();
        expect_news(&["+a", "+b", "+other"]).await;
        crash(supervisor, "other", ExitReason::Normal).await;
        assert_eq!(status_of(supervisor, "other").await, Some(ChildStatus::NotStarted));
        crash(supervisor, "a", ExitReason::Normal).await;
        expect_news(&["-b"]).await;
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
    });
}

#[test]
fn case_160_the_last_significant_child_that_is_done_ends_the_tree() {
    clean(async {
        trap_exit(true);
        let supervisor = family(AutoShutdown::AllSignificant, Restart::Transient).start_link().await.unwrap();
        expect_news(&["+a", "+b", "+other"]).await;
        crash(supervisor, "a", ExitReason::Shutdown).await;
        no_news().await;
        crash(supervisor, "b", ExitReason::Normal).await;
        expect_news(&["-other"]).await;
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
    });
}

#[test]
fn case_161_a_significant_child_that_is_terminated_does_not_count() {
    clean(async {
        for auto in [AutoShutdown::AnySignificant, AutoShutdown::AllSignificant] {
            let supervisor = family(auto, Restart::Temporary).start_link().await.unwrap();
            expect_news(&["+a", "+b", "+other"]).await;
            supervisor.terminate_child("a").await.unwrap();
            supervisor.terminate_child("b").await.unwrap();
            expect_news(&["-a", "-b"]).await;
            assert_eq!(supervisor.count_children().await.unwrap().active, 1);
            assert!(is_alive(supervisor.pid()));
            supervisor.stop().await;
            expect_news(&["-other"]).await;
        }
    });
}

#[test]
fn case_162_a_transient_child_that_crashes_is_restarted_and_a_temporary_one_counts() {
    clean(async {
        trap_exit(true);
        let supervisor = family(AutoShutdown::AnySignificant, Restart::Transient).start_link().await.unwrap();
        expect_news(&["+a", "+b", "+other"]).await;
        crash(supervisor, "a", "boom").await;
        expect_news(&["+a"]).await;
        supervisor.stop().await;
        expect_news(&["-other", "-b", "-a"]).await;
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Normal));

        let supervisor = family(AutoShutdown::AnySignificant, Restart::Temporary).start_link().await.unwrap();
        expect_news(&["+a", "+b", "+other"]).await;
        crash(supervisor, "b", "boom").await;
        expect_news(&["-other", "-a"]).await;
        assert_eq!(next_exit().await, (supervisor.pid(), ExitReason::Shutdown));
    });
}
