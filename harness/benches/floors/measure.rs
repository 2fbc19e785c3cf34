//! Rates and ratios.

use std::fmt;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often each is measured.
pub(crate) const ROUNDS: usize = 7;

/// How often what takes long is.
pub(crate) const FEW: usize = 3;

/// Which time is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// What passes; other programs count.
    Wall,
    /// What this process spends of the processor, of all its threads.
    Processor,
}

impl Clock {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wall => "by time that passes",
            Self::Processor => "by processor time",
        }
    }

    pub(crate) fn now(self) -> Duration {
        match self {
            Self::Wall => SystemTime::now().duration_since(UNIX_EPOCH).unwrap(),
            Self::Processor => {
                // proc_pid_stat(5): the name stands in parentheses; 11 words behind it are the times in user and kernel
                // mode, in hundredths of a second.
                let stat = fs::read_to_string("/proc/self/stat").unwrap();
                let words = stat
                    .rsplit_once(") ")
                    .unwrap()
                    .1
                    .split(' ')
                    .skip(11)
                    .take(2);
                let ticks: u64 = words.map(|word| word.parse::<u64>().unwrap()).sum();
                Duration::from_millis(10 * ticks)
            }
        }
    }

    /// How long something takes.
    pub(crate) fn time(self, act: impl FnOnce()) -> Duration {
        let start = self.now();
        act();
        self.now().saturating_sub(start)
    }
}

/// A line of the table.
pub(crate) struct Row {
    what: String,
    unit: &'static str,
    floor: f64,
    measured: f64,
    ratio: f64,
    at_most: Option<f64>,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, unit, .. } = self;
        let [floor, measured] = [self.floor, self.measured].map(digits);
        write!(
            f,
            "| {what} | {floor}{unit} | {measured}{unit} | {:.2} | {} |",
            self.ratio,
            self.at_most.map(|it| it.to_string()).unwrap_or_default()
        )
    }
}

impl Row {
    /// The same, with the ratio that it is to have at most.
    pub(crate) fn at_most(self, ratio: f64) -> Self {
        let at_most = Some(ratio);
        Self { at_most, ..self }
    }

    /// Two things that are measured once, of which less is better.
    pub(crate) fn once(what: &str, unit: &'static str, floor: f64, measured: f64) -> Self {
        Self {
            what: what.to_owned(),
            unit,
            floor,
            measured,
            ratio: measured / floor,
            at_most: None,
        }
    }
}

/// Three digits.
fn digits(number: f64) -> String {
    if number >= 100.0 {
        format!("{number:.0}")
    } else {
        format!("{number:.1}")
    }
}

/// Measures two things in turn. Each says how many it did, and in what time.
pub(crate) async fn measure(
    what: &str,
    unit: &'static str,
    mut floor: impl AsyncFnMut() -> (u64, Duration),
    mut measured: impl AsyncFnMut() -> (u64, Duration),
) -> Row {
    // What is done once at the first time counts for neither.
    floor().await;
    measured().await;
    rounds(what, unit, ROUNDS, floor, measured).await
}

/// The same for what takes long, in few rounds.
pub(crate) async fn measure_few(
    what: &str,
    unit: &'static str,
    floor: impl AsyncFnMut() -> (u64, Duration),
    measured: impl AsyncFnMut() -> (u64, Duration),
) -> Row {
    rounds(what, unit, FEW, floor, measured).await
}

async fn rounds(
    what: &str,
    unit: &'static str,
    count: usize,
    mut floor: impl AsyncFnMut() -> (u64, Duration),
    mut measured: impl AsyncFnMut() -> (u64, Duration),
) -> Row {
    eprintln!("{what}");
    let rate = |(count, time): (u64, Duration)| count as f64 / time.as_secs_f64();
    let (mut floors, mut rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count {
        let (floor, measured) = (rate(floor().await), rate(measured().await));
        floors.push(floor);
        rates.push(measured);
        ratios.push(floor / measured);
    }
    Row {
        what: what.to_owned(),
        unit,
        floor: median(floors),
        measured: median(rates),
        ratio: median(ratios),
        at_most: None,
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// The most memory that this process has had, in MB.
pub(crate) fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<f64>().unwrap() / 1024.0
}

/// The machine, in a sentence.
pub(crate) fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "));
    let memory = read("/proc/meminfo");
    let kilobytes = memory
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.parse::<u64>().ok());
    let load = read("/proc/loadavg");
    format!(
        "Machine: {} × {}, {} GiB, Linux {}; load at the start {}.",
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        model.unwrap_or("a processor without a name"),
        kilobytes.unwrap_or_default() >> 20,
        read("/proc/sys/kernel/osrelease")
            .trim()
            .split('-')
            .next()
            .unwrap_or_default(),
        load.split(' ').next().unwrap_or_default(),
    )
}
