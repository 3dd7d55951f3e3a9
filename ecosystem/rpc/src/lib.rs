//! A gRPC service of numbers: one method of each kind, with deadlines and cancellation to be seen from outside.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use generated::numbers_server::Numbers;

/// What tonic-build wrote.
#[allow(missing_docs, clippy::all)]
pub mod generated {
    include!(concat!(env!("OUT_DIR"), "/numbers.Numbers.rs"));
}

/// The one message: a number, and how long to take for the answer.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Number {
    #[prost(sint64, tag = "1")]
    pub value: i64,
    #[prost(uint64, tag = "2")]
    pub pause_ms: u64,
    #[prost(bytes = "vec", tag = "3")]
    pub ballast: Vec<u8>,
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number { value, ..Number::default() }
    }
}

/// The service. Counts the streams that it is sending and the calls that it is answering.
#[derive(Debug, Default, Clone)]
pub struct Arithmetic {
    busy: Arc<AtomicUsize>,
}

/// One of those that are counted, until it is dropped.
struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Arithmetic {
    /// How much is going on.
    pub fn busy(&self) -> usize {
        self.busy.load(Ordering::SeqCst)
    }

    fn begin(&self) -> Busy {
        self.busy.fetch_add(1, Ordering::SeqCst);
        Busy(self.busy.clone())
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<Number, Status>> + Send>>;

#[tonic::async_trait]
impl Numbers for Arithmetic {
    async fn double(&self, request: Request<Number>) -> Result<Response<Number>, Status> {
        let _busy = self.begin();
        let mut number = request.into_inner();
        tokio::time::sleep(Duration::from_millis(number.pause_ms)).await;
        number.value = number
            .value
            .checked_mul(2)
            .ok_or_else(|| Status::out_of_range(format!("{} is too large", number.value)))?;
        Ok(Response::new(number))
    }

    type CountToStream = Answers;

    async fn count_to(&self, request: Request<Number>) -> Result<Response<Answers>, Status> {
        let busy = self.begin();
        let Number { value: end, pause_ms, ballast } = request.into_inner();
        if end < 0 {
            return Err(Status::invalid_argument("counting goes up"));
        }
        let (send, receive) = mpsc::channel(4);
        tokio::spawn(async move {
            let _busy = busy;
            for value in 1..=end {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                let number = Number { value, pause_ms, ballast: ballast.clone() };
                if send.send(Ok(number)).await.is_err() {
                    // The client went away.
                    return;
                }
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receive))))
    }

    async fn sum(&self, request: Request<Streaming<Number>>) -> Result<Response<Number>, Status> {
        let _busy = self.begin();
        let mut numbers = request.into_inner();
        let mut sum = 0;
        while let Some(number) = numbers.message().await? {
            sum += number.value;
        }
        Ok(Response::new(sum.into()))
    }

    type RunningSumStream = Answers;

    async fn running_sum(
        &self,
        request: Request<Streaming<Number>>,
    ) -> Result<Response<Answers>, Status> {
        let busy = self.begin();
        let mut sum = 0;
        let sums = request.into_inner().map(move |number| {
            let _ = &busy;
            sum += number?.value;
            if sum > 1_000_000 { Err(Status::resource_exhausted("enough")) } else { Ok(sum.into()) }
        });
        Ok(Response::new(Box::pin(sums)))
    }
}
