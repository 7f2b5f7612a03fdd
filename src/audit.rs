//! The audit: whatever shows a record is written down before it leaves.
//!
//! Entries of many answers are committed together: whoever comes while one batch is being written goes with the next, and a
//! batch waits a moment for operations that are under way. If entries cannot be written, the answers that wait for them do
//! not leave.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    db::{
        Db,
        audit::{self, Link, NewEntry},
    },
    error::{Error, Result},
};

/// Entries of one batch at most.
const BATCH: usize = 512;
/// How long a batch waits for operations that are under way. A commit costs as much as a small answer, so that whoever can
/// share one should.
const GATHERED_WITHIN: Duration = Duration::from_millis(1);
/// Answers that may wait for theirs.
const WAITING: usize = 4096;
/// How often a writer that failed tries whether it works again.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// How long an answer waits for its entry.
const PATIENCE: Duration = Duration::from_secs(10);

type Waiting = (Vec<NewEntry>, oneshot::Sender<Result<()>>);

/// Takes entries to be written.
#[derive(Clone)]
pub struct Audit {
    /// This process, in every entry.
    pub process: Uuid,
    waiting: mpsc::Sender<Waiting>,
    under_way: Arc<AtomicUsize>,
    works: Arc<AtomicBool>,
}

/// An operation that may have something to write down, until this is dropped.
pub struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Writes entries.
pub struct Writer {
    db: Db,
    waiting: mpsc::Receiver<Waiting>,
    under_way: Arc<AtomicUsize>,
    works: Arc<AtomicBool>,
}

impl Audit {
    /// The two ends, writing to this database as the application's role.
    pub fn new(db: Db) -> (Self, Writer) {
        let (waiting, written) = mpsc::channel(WAITING);
        let under_way = Arc::<AtomicUsize>::default();
        let works = Arc::new(AtomicBool::new(true));
        let writer = Writer { db, waiting: written, under_way: Arc::clone(&under_way), works: Arc::clone(&works) };
        (Self { process: Uuid::now_v7(), waiting, under_way, works }, writer)
    }

    /// Whether the last entries could be written.
    pub fn works(&self) -> bool {
        self.works.load(Ordering::Relaxed)
    }

    /// Says that an operation begins, for which a batch may wait a moment.
    pub fn expect(&self) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(&self.under_way))
    }

    /// Writes these entries: committed when this returns. Fails when they cannot be written; then nothing may be said of
    /// what they are about.
    pub async fn write(&self, entries: Vec<NewEntry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let (tell, told) = oneshot::channel();
        let writing = async {
            self.waiting.send((entries, tell)).await.map_err(Error::internal)?;
            told.await.map_err(Error::internal)?
        };
        tokio::time::timeout(PATIENCE, writing).await.unwrap_or(Err(Error::Timeout))
    }
}

impl Writer {
    /// Writes until nobody can come any more, or `stop` when nobody waits.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failing = false;
        loop {
            let first = tokio::select! {
                biased;
                first = self.waiting.recv() => match first {
                    Some(first) => first,
                    None => return,
                },
                () = stop.cancelled() => return,
                // Nobody may come while it is known that it fails: so that it is known when it works again.
                () = tokio::time::sleep(TRY_AGAIN), if failing => {
                    failing = audit::append(&self.db, &[]).await.is_err();
                    self.works.store(!failing, Ordering::Relaxed);
                    continue;
                }
            };
            let (mut entries, mut tell) = (first.0, vec![first.1]);
            let until = Instant::now() + GATHERED_WITHIN;
            while entries.len() < BATCH {
                let next = match self.waiting.try_recv() {
                    Ok(next) => next,
                    // Everybody who is under way waits here already.
                    Err(_) if tell.len() >= self.under_way.load(Ordering::Relaxed) => break,
                    Err(_) => match tokio::time::timeout_at(until, self.waiting.recv()).await {
                        Ok(Some(next)) => next,
                        Ok(None) | Err(_) => break,
                    },
                };
                entries.extend(next.0);
                tell.push(next.1);
            }
            let written = audit::append(&self.db, &entries).await;
            if let Err(error) = &written
                && !failing
            {
                tracing::error!(error = ?error, "the audit cannot be written: no answers leave");
            }
            failing = written.is_err();
            self.works.store(!failing, Ordering::Relaxed);
            for one in tell {
                // Whoever has given up meanwhile says nothing either.
                let _ = one.send(written.clone());
            }
        }
    }
}

/// The text of a link in the anchor file: its number, its hash.
fn line(link: &Link) -> String {
    let hash: String = link.hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} {hash}\n", link.seq)
}

/// Appends a link to the anchor file, and returns when it is on the disk. A line that a failure cut off stays by itself.
pub async fn anchor(path: &Path, link: &Link) -> Result<()> {
    let (path, line) = (path.to_owned(), line(link));
    let appending = move || -> std::io::Result<()> {
        use std::io::{Read, Seek, SeekFrom, Write};
        let mut file = std::fs::OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let mut last = [b'\n'];
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        let line = if last == [b'\n'] { line } else { format!("\n{line}") };
        file.write_all(line.as_bytes())?;
        file.sync_data()
    };
    tokio::task::spawn_blocking(appending).await.map_err(Error::internal)?.map_err(Error::internal)
}

/// The links of an anchor file, and how many of its lines are none: cut off by a failure. What such a line stood for is no
/// weaker for it: every later link holds it too.
pub fn anchors(text: &str) -> (Vec<Link>, usize) {
    let read = |line: &str| {
        let (seq, hash) = line.split_once(' ')?;
        let bytes = |at: usize| u8::from_str_radix(hash.get(at..at + 2)?, 16).ok();
        let hash: Option<Vec<u8>> = (0..hash.len()).step_by(2).map(bytes).collect();
        Some(Link { seq: seq.parse().ok()?, hash: hash.filter(|hash| hash.len() == 32)? })
    };
    let links: Vec<Link> = text.lines().filter_map(read).collect();
    let others = text.lines().count() - links.len();
    (links, others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_anchored_reads_back_also_behind_a_line_that_was_cut_off() {
        let links = [Link { seq: 1, hash: vec![7; 32] }, Link { seq: 20, hash: (0..32).collect() }];
        let path = std::env::temp_dir().join(format!("hearth_anchor_{}", Uuid::now_v7()));
        for link in &links {
            anchor(&path, link).await.unwrap();
        }
        let whole = std::fs::read_to_string(&path).unwrap();
        assert_eq!(anchors(&whole), (links.to_vec(), 0));
        // In the middle of a line, as by a power failure.
        std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
        let next = Link { seq: 21, hash: vec![9; 32] };
        anchor(&path, &next).await.unwrap();
        assert_eq!(anchors(&std::fs::read_to_string(&path).unwrap()), (vec![links[0].clone(), next], 1));
        std::fs::remove_file(&path).unwrap();
    }
}
