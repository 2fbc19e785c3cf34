//! A process and all that it starts, ended together.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// How long a build may take to end by itself: its scripts have folders to remove.
const GRACE: Duration = Duration::from_secs(2);

/// How long what was killed may take to be gone.
const GONE: Duration = Duration::from_secs(1);

/// How often the end of a group is looked for.
const ROUND: Duration = Duration::from_millis(10);

/// A shell script that does what the harness cannot do once it was killed: its input ends with the harness. `$0` is the
/// group, `$1` what stands in the environment of processes that are of the group but may have left it, `$2` how many
/// tenths of a second it has to end by itself.
const GUARD: &str = r#"read -r _
end() {
    kill -s "$1" -- "-$0"
    rounds=$2
    while [ "$rounds" -gt 0 ] && kill -s 0 -- "-$0"; do
        sleep 0.1
        rounds=$((rounds - 1))
    done
}
[ "$2" = 0 ] || end TERM "$2"
end KILL 10
[ -z "$1" ] || for environment in $(grep -Fxlsz -e "$1" /proc/[0-9]*/environ); do
    process=${environment%/environ}
    kill -s KILL "${process#/proc/}"
done"#;

/// The process group of a child; killed when dropped, and when the harness is killed.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) leader: Pid,
    guard: Option<Child>,
}

impl Group {
    /// The group that a child leads that was started a moment ago, by `process_group(0)`. `variable` is a `NAME=VALUE`
    /// by which processes are known that leave it.
    ///
    /// The first process of a container needs no guard, and has no shell to start one with: its end is that of every
    /// other in there.
    ///
    /// # Errors
    ///
    /// Nothing can be started that guards it.
    pub(crate) fn of(child: &tokio::process::Child, variable: Option<&str>) -> io::Result<Self> {
        Self::guarded(
            child,
            variable.unwrap_or_default(),
            Duration::ZERO,
            Stdio::null(),
        )
    }

    /// The group of a build, for [`end`](Self::end): the same grace if the harness is killed. The lock of what it writes
    /// to is the guard's too, so that it stays until nothing of the group is left.
    ///
    /// # Errors
    ///
    /// Nothing can be started that guards it.
    pub(crate) fn of_build(child: &tokio::process::Child, lock: File) -> io::Result<Self> {
        Self::guarded(child, "", GRACE, lock.into())
    }

    fn guarded(
        child: &tokio::process::Child,
        variable: &str,
        grace: Duration,
        held: Stdio,
    ) -> io::Result<Self> {
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let leader = id.ok_or_else(|| io::Error::other("it has been waited for"))?;
        if std::process::id() == 1 {
            let guard = None;
            return Ok(Self { leader, guard });
        }
        let guard = Command::new("sh")
            .args(["-c", GUARD])
            .arg(leader.as_raw_nonzero().to_string())
            .arg(variable)
            .arg((grace.as_millis() / 100).to_string())
            .stdin(Stdio::piped())
            // Nothing is written there.
            .stdout(held)
            .stderr(Stdio::null())
            // Ctrl-C is the harness's.
            .process_group(0)
            .spawn();
        match guard {
            Ok(guard) => Ok(Self {
                leader,
                guard: Some(guard),
            }),
            Err(error) => {
                kill(leader);
                let text = format!(
                    "sh, which is to end it if the harness is killed: {error}; expected that program, or to be the \
                     first process of a container"
                );
                Err(io::Error::new(error.kind(), text))
            }
        }
    }

    /// Kills the process and what it started.
    pub(crate) fn kill(&self) {
        kill(self.leader);
    }

    /// Asks the process and what it started to end, and kills what has not within the grace. It blocks: a build that
    /// nobody waits for any more has to be gone before the folders and the lock are that it writes under.
    pub(crate) fn end(&self, child: &mut tokio::process::Child) {
        for (signal, patience) in [(Signal::TERM, GRACE), (Signal::KILL, GONE)] {
            // It may have ended by itself.
            let _ = kill_process_group(self.leader, signal);
            let start = Instant::now();
            // The end of a group is told to nobody, and until it is reaped the child counts.
            while start.elapsed() < patience {
                drop(child.try_wait());
                if test_kill_process_group(self.leader).is_err() {
                    return;
                }
                thread::sleep(ROUND);
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
        // It has nothing to do any more. Where it is gone already, somebody else ended it.
        if let Some(guard) = &mut self.guard {
            drop(guard.kill());
            drop(guard.wait());
        }
    }
}

fn kill(group: Pid) {
    // It may have ended by itself.
    let _ = kill_process_group(group, Signal::KILL);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a harness leaves behind that was killed.
    #[tokio::test]
    async fn the_end_of_the_harness_is_that_of_the_group_and_of_what_left_it() {
        let mut child = tokio::process::Command::new("sh")
            .args([
                "-c",
                "setsid sh -c 'echo up; exec sleep 600' & kill -s STOP $$",
            ])
            .env("REQMTLS_TEST", "guarded")
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut group = Group::of(&child, Some("REQMTLS_TEST=guarded")).unwrap();
        let mut output = tokio::io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        tokio::io::AsyncBufReadExt::read_line(&mut output, &mut line)
            .await
            .unwrap();
        assert_eq!(line, "up\n");
        drop(group.guard.as_mut().unwrap().stdin.take());
        // The pipe ends when nobody has it open for writing.
        let mut rest = Vec::new();
        let end = tokio::io::AsyncReadExt::read_to_end(&mut output, &mut rest);
        let ended = tokio::time::timeout(Duration::from_secs(10), end).await;
        assert_eq!(ended.unwrap().unwrap(), 0);
        assert!(!child.wait().await.unwrap().success());
    }
}
