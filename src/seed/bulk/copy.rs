//! COPY in its text format.

use std::{io::Write, pin::Pin};

use bytes::{BufMut, Bytes, BytesMut};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::SinkExt;
use tokio_postgres::{CopyInSink, Error, Transaction};
use uuid::Uuid;

/// What is sent at a time, so that the server loads one piece while the next one is made.
const PIECE: usize = 64 * 1024;

/// One COPY on its way.
pub(in crate::seed) struct Copy {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    text: BytesMut,
    first: bool,
    /// The next row's number, where the rows are numbered: COPY alone may give an identity column its value.
    number: Option<i64>,
}

impl Copy {
    pub(in crate::seed) async fn into(
        transaction: &Transaction<'_>,
        table: &str,
        columns: &[&str],
        numbered: Option<(&str, i64)>,
    ) -> Result<Self, Error> {
        let mut columns = columns.to_vec();
        columns.extend(numbered.map(|(column, _)| column));
        let sql = format!("copy {table} ({}) from stdin", columns.join(", "));
        let sink = Box::pin(transaction.copy_in(&sql).await?);
        let number = numbered.map(|(_, first)| first);
        Ok(Self { sink, text: BytesMut::with_capacity(2 * PIECE), first: true, number })
    }

    /// The next field of the row. A `text[]` is given as its elements with commas between.
    pub(in crate::seed) fn field(&mut self, kind: &str, value: &impl Field) {
        if !std::mem::take(&mut self.first) {
            self.text.put_u8(b'\t');
        }
        match kind {
            "text[]" => {
                self.text.put_u8(b'{');
                value.put(&mut self.text);
                self.text.put_u8(b'}');
            }
            _ => value.put(&mut self.text),
        }
    }

    pub(in crate::seed) async fn end_row(&mut self) -> Result<(), Error> {
        if let Some(number) = self.number {
            self.field("int8", &number);
            self.number = Some(number + 1);
        }
        self.text.put_u8(b'\n');
        self.first = true;
        if self.text.len() >= PIECE { self.send().await } else { Ok(()) }
    }

    async fn send(&mut self) -> Result<(), Error> {
        let piece = self.text.split().freeze();
        self.sink.send(piece).await
    }

    pub(in crate::seed) async fn finish(mut self) -> Result<(), Error> {
        self.send().await?;
        self.sink.as_mut().finish().await?;
        Ok(())
    }
}

/// What can stand in a field.
pub(in crate::seed) trait Field {
    fn put(&self, text: &mut BytesMut);
}

macro_rules! displayed {
    ($($kind:ty)+) => {$(
        impl Field for $kind {
            fn put(&self, text: &mut BytesMut) {
                // Writing into memory does not fail.
                let _ = write!(text.writer(), "{self}");
            }
        }
    )+};
}
displayed!(Uuid bool i32 i64 f64 NaiveDate DateTime<Utc>);

impl Field for str {
    fn put(&self, text: &mut BytesMut) {
        for byte in self.bytes() {
            match byte {
                b'\\' => text.put_slice(b"\\\\"),
                b'\t' => text.put_slice(b"\\t"),
                b'\n' => text.put_slice(b"\\n"),
                b'\r' => text.put_slice(b"\\r"),
                byte => text.put_u8(byte),
            }
        }
    }
}

impl Field for String {
    fn put(&self, text: &mut BytesMut) {
        self.as_str().put(text);
    }
}

impl<F: Field + ?Sized> Field for &F {
    fn put(&self, text: &mut BytesMut) {
        (**self).put(text);
    }
}

impl<F: Field> Field for Option<F> {
    fn put(&self, text: &mut BytesMut) {
        match self {
            Some(value) => value.put(text),
            None => text.put_slice(b"\\N"),
        }
    }
}
