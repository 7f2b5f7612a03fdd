//! A connection whose other side must go on reading.

use std::{
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Sleep,
};

/// How many bytes of a request are taken, and forgotten, after its answer.
const LINGER_BYTES: usize = 8 * 1024 * 1024;

/// Fails to write when nothing at all could leave for a while: a client that does not read must not keep a connection,
/// and with it whatever still waits to be said to it, for ever.
///
/// Closes as the client needs it: an answer may come before its request has come to the end (413), and whoever still
/// writes to a connection that is gone never reads the answer. So nothing more is said, and what comes is forgotten, for
/// a while and up to a limit.
pub(super) struct Patient<S> {
    stream: S,
    patience: Duration,
    /// How long it lingers at the end.
    linger: Duration,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    /// From the shutdown on: until when, and how many bytes it still takes.
    lingering: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<S> Patient<S> {
    pub(super) fn new(stream: S, patience: Duration, linger: Duration) -> Self {
        Self { stream, patience, linger, waiting: None, lingering: None }
    }

    /// What became of a write: done, or how long it may still wait.
    fn judge<T>(&mut self, cx: &mut Context<'_>, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.waiting = None;
            return done;
        }
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.patience)));
        ready!(waiting.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.judge(cx, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        self.judge(cx, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let done = Pin::new(&mut self.stream).poll_flush(cx);
        self.judge(cx, done)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.lingering.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
        }
        let linger = this.linger;
        let (end, left) = this.lingering.get_or_insert_with(|| (Box::pin(tokio::time::sleep(linger)), LINGER_BYTES));
        let mut bytes = [MaybeUninit::uninit(); 8 * 1024];
        loop {
            let mut buffer = ReadBuf::uninit(&mut bytes);
            match Pin::new(&mut this.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() && buffer.filled().len() <= *left => {
                    *left -= buffer.filled().len();
                }
                // The client has closed too, is gone, or has sent enough.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return end.as_mut().poll(cx).map(Ok),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn who_reads_nothing_is_given_up() {
        let (near, _far) = tokio::io::duplex(16);
        let mut near = Patient::new(near, Duration::from_millis(20), Duration::ZERO);
        let error = near.write_all(&[0; 1024]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn who_reads_slowly_is_not() {
        let (near, mut far) = tokio::io::duplex(16);
        let mut near = Patient::new(near, Duration::from_secs(60), Duration::ZERO);
        let read = async {
            let mut read = 0;
            let mut byte = [0; 1];
            while read < 1024 {
                read += far.read(&mut byte).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let (wrote, ()) = futures_util::join!(near.write_all(&[0; 1024]), read);
        wrote.unwrap();
    }

    #[tokio::test]
    async fn the_end_waits_for_the_other_side_until_it_has_sent_enough_or_for_too_long() {
        let ends = async |sent: usize, closes: bool, linger: Duration| {
            let (near, mut far) = tokio::io::duplex(1024);
            let mut near = Patient::new(near, Duration::from_secs(60), linger);
            let writes = async {
                let _ = far.write_all(&vec![0; sent]).await;
                if closes {
                    far.shutdown().await.unwrap();
                }
                let mut nothing_more = Vec::new();
                far.read_to_end(&mut nothing_more).await.unwrap();
            };
            let shut = async {
                near.shutdown().await.unwrap();
                drop(near);
            };
            futures_util::join!(shut, writes);
        };
        let long = Duration::from_secs(3600);
        ends(300 * 1024, true, long).await;
        ends(LINGER_BYTES + 1, false, long).await;
        ends(0, false, Duration::from_millis(20)).await;
    }
}
