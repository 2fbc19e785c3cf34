//! A process and all that it starts, ended together.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

/// A shell script that does what the harness cannot do once it was killed: its input ends with the harness. `$0` is the
/// group, `$1` what stands in the environment of processes that are of the group but may have left it.
const GUARD: &str = r#"read -r _
kill -s KILL -- "-$0"
[ -z "$1" ] || for environment in $(grep -Fxlsz -e "$1" /proc/[0-9]*/environ); do
    process=${environment%/environ}
    kill -s KILL "${process#/proc/}"
done"#;

/// The process group of a child; killed when dropped, and when the harness is killed.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Pid,
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
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let leader = id.ok_or_else(|| io::Error::other("it has been waited for"))?;
        if std::process::id() == 1 {
            let guard = None;
            return Ok(Self { leader, guard });
        }
        let guard = Command::new("sh")
            .args(["-c", GUARD])
            .arg(leader.as_raw_nonzero().to_string())
            .args(variable)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
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
        let ended = tokio::time::timeout(std::time::Duration::from_secs(10), end).await;
        assert_eq!(ended.unwrap().unwrap(), 0);
        assert!(!child.wait().await.unwrap().success());
    }
}
