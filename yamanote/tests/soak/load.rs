//! The load: actors, each of which does one kind of thing again and again and checks what comes of it.

use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use futures::FutureExt;
use yamanote::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use yamanote::net::{TcpListener, TcpStream, UdpSocket, UnixStream};
use yamanote::process::Command;
use yamanote::runtime::{Builder, Handle, RuntimeFlavor};
use yamanote::sync::{Barrier, Mutex, Notify, RwLock, Semaphore, broadcast, mpsc, oneshot, watch};
use yamanote::task::{JoinHandle, JoinSet, LocalSet, spawn_blocking, yield_now};
use yamanote::time::{interval, sleep, timeout};

use crate::dice::{Dice, checksum};
use crate::faults;
use crate::ledger::{self, PLANNED, Stage};

const KINDS: [&str; 15] = [
    "echo",
    "http",
    "unix",
    "datagrams",
    "timers",
    "files",
    "processes",
    "blocking",
    "channels",
    "locks",
    "panics",
    "stalls",
    "local",
    "aborts",
    "signals",
];

static DONE: [AtomicU64; KINDS.len()] = [const { AtomicU64::new(0) }; KINDS.len()];

/// What was done, by kind.
pub fn tally() -> String {
    let counts = KINDS.iter().zip(&DONE).map(|(kind, done)| format!("{kind} {}", done.load(SeqCst)));
    counts.collect::<Vec<_>>().join(", ")
}

static UNDER_WAY: [AtomicUsize; KINDS.len()] = [const { AtomicUsize::new(0) }; KINDS.len()];

/// How many actors of each kind are in the middle of something.
pub fn under_way() -> String {
    let counts = KINDS.iter().zip(&UNDER_WAY).map(|(kind, n)| format!("{kind} {}", n.load(SeqCst)));
    counts.filter(|text| !text.ends_with(" 0")).collect::<Vec<_>>().join(", ")
}

struct UnderWay(usize);

impl UnderWay {
    fn new(kind: usize) -> UnderWay {
        UNDER_WAY[kind].fetch_add(1, SeqCst);
        UnderWay(kind)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY[self.0].fetch_sub(1, SeqCst);
    }
}

/// Starts an actor of some kind in the current runtime.
pub fn start(stage: &Arc<Stage>, mut dice: Dice) -> JoinHandle<()> {
    let kind = dice.below(KINDS.len() as u64) as usize;
    let (guard, stage) = (stage.guard(), Arc::clone(stage));
    yamanote::spawn(async move {
        let _guard = guard;
        while !stage.is_over() {
            // Else an actor whose every step is ready at once, as they are while the runtime ends, would never let go.
            yield_now().await;
            let mut dice = dice.fork();
            let _under_way = UnderWay::new(kind);
            let broken = BROKEN.load(SeqCst);
            let act = AssertUnwindSafe(act(kind, &stage, &mut dice)).catch_unwind();
            match act.await {
                Ok(Ok(())) => {
                    DONE[kind].fetch_add(1, SeqCst);
                    stage.operations.fetch_add(1, SeqCst);
                }
                Ok(Err(error)) => {
                    let planned = faults::is_planned(&error)
                        || ledger::is_ending()
                        || broken != BROKEN.load(SeqCst);
                    assert!(planned, "{}: {error:?}", KINDS[kind]);
                    sleep(dice.micros(3_000)).await;
                }
                // One that was not planned has been noted by the panic hook.
                Err(_) => sleep(dice.micros(3_000)).await,
            }
        }
    })
}

async fn act(kind: usize, stage: &Arc<Stage>, dice: &mut Dice) -> io::Result<()> {
    match KINDS[kind] {
        "echo" => echo(stage, dice).await,
        "http" => http(stage, dice).await,
        "unix" => unix(stage, dice).await,
        "datagrams" => datagrams(dice).await,
        "timers" => timers(dice).await,
        "files" => files(dice).await,
        "processes" => processes(dice).await,
        "blocking" => blocking(stage, dice).await,
        "channels" => channels(stage, dice).await,
        "locks" => locks(stage, dice).await,
        "panics" => panics(stage, dice).await,
        "stalls" => stalls(stage, dice).await,
        "local" => local(stage, dice).await,
        "aborts" => aborts(stage, dice).await,
        "signals" => signals(dice).await,
        other => unreachable!("{other}"),
    }
}

/// Sends what the dice give and checks that the same comes back.
async fn send_and_compare<R, W>(reader: &mut R, writer: &mut W, dice: &mut Dice) -> io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let total = dice.below(60_000) as usize;
    let sent = dice.bytes(total);
    let (mut write_dice, mut read_dice) = (dice.fork(), dice.fork());
    let write = async {
        let mut rest = &sent[..];
        while !rest.is_empty() {
            let len = (1 + write_dice.below(9_000) as usize).min(rest.len());
            writer.write_all(&rest[..len]).await?;
            rest = &rest[len..];
            if write_dice.one_in(4) {
                yield_now().await;
            }
        }
        writer.shutdown().await
    };
    let read = async {
        let mut got = Vec::new();
        let mut buffer = vec![0; 1 + read_dice.below(9_000) as usize];
        loop {
            let n = reader.read(&mut buffer).await?;
            if n == 0 {
                return io::Result::Ok(got);
            }
            got.extend_from_slice(&buffer[..n]);
        }
    };
    let (wrote, read) = yamanote::join!(write, read);
    wrote?;
    let got = read?;
    if (got.len(), checksum(&got)) == (sent.len(), checksum(&sent)) {
        return Ok(());
    }
    Err(io::Error::other(format!("sent {} bytes, got {}, and not those", sent.len(), got.len())))
}

/// How many of those that answer were met by a planned fault: whoever talks to one of them sees it in one way or another.
static BROKEN: AtomicUsize = AtomicUsize::new(0);

/// One that answers, with its errors.
async fn answer(conversation: impl Future<Output = io::Result<()>>) {
    if let Err(error) = conversation.await {
        if faults::is_planned(&error) {
            BROKEN.fetch_add(1, SeqCst);
        }
    }
}

/// A server whose connections end with it. What goes wrong there, goes wrong with the client.
async fn serve<F, S>(listener: TcpListener, stage: Arc<Stage>, session: S)
where
    S: Fn(TcpStream) -> F,
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let mut sessions = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let (guard, session) = (stage.guard(), session(stream));
                sessions.spawn(async move {
                    let _guard = guard;
                    answer(session).await;
                });
                while sessions.try_join_next().is_some() {}
            }
            Err(error) => {
                assert!(faults::is_planned(&error) || ledger::is_ending(), "accept: {error:?}");
                sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

async fn echo(stage: &Arc<Stage>, dice: &mut Dice) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server =
        Abort(yamanote::spawn(serve(listener, Arc::clone(stage), |mut stream: TcpStream| async move {
            let (mut reader, mut writer) = stream.split();
            yamanote::io::copy(&mut reader, &mut writer).await?;
            writer.shutdown().await
        })));
    for _ in 0..1 + dice.below(4) {
        let mut inner = dice.fork();
        let client = async {
            let (mut reader, mut writer) = TcpStream::connect(address).await?.into_split();
            send_and_compare(&mut reader, &mut writer, &mut inner).await
        };
        dice.perhaps(client).await.transpose()?;
    }
    drop(server);
    Ok(())
}

async fn http(stage: &Arc<Stage>, dice: &mut Dice) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server =
        Abort(yamanote::spawn(serve(listener, Arc::clone(stage), |stream: TcpStream| async move {
            let mut stream = BufReader::new(stream);
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).await? == 0 {
                    return Ok(());
                }
                let len: usize = line
                    .trim_end()
                    .strip_prefix("PUT ")
                    .and_then(|n| n.parse().ok())
                    .ok_or(io::ErrorKind::InvalidData)?;
                let mut body = vec![0; len];
                stream.read_exact(&mut body).await?;
                stream.write_all(format!("OK {}\n", checksum(&body)).as_bytes()).await?;
                stream.flush().await?;
            }
        })));
    let mut inner = dice.fork();
    let client = async {
        let mut stream = BufReader::new(TcpStream::connect(address).await?);
        for _ in 0..1 + inner.below(20) {
            let len = inner.below(3_000) as usize;
            let body = inner.bytes(len);
            stream.write_all(format!("PUT {}\n", body.len()).as_bytes()).await?;
            stream.write_all(&body).await?;
            let mut answer = String::new();
            stream.read_line(&mut answer).await?;
            if answer != format!("OK {}\n", checksum(&body)) {
                return Err(io::Error::other(format!("answered {answer:?}")));
            }
        }
        io::Result::Ok(())
    };
    dice.perhaps(client).await.transpose()?;
    drop(server);
    Ok(())
}

async fn unix(stage: &Arc<Stage>, dice: &mut Dice) -> io::Result<()> {
    if dice.one_in(2) {
        let (ours, mut theirs) = UnixStream::pair()?;
        let guard = stage.guard();
        let peer = Abort(yamanote::spawn(async move {
            let _guard = guard;
            answer(async {
                let (mut reader, mut writer) = theirs.split();
                yamanote::io::copy_buf(&mut BufReader::new(&mut reader), &mut writer).await?;
                writer.shutdown().await
            })
            .await
        }));
        let mut inner = dice.fork();
        let (mut reader, mut writer) = ours.into_split();
        dice.perhaps(send_and_compare(&mut reader, &mut writer, &mut inner)).await.transpose()?;
        drop(peer);
    } else {
        let (ours, theirs) = yamanote::io::duplex(1 + dice.below(5_000) as usize);
        let guard = stage.guard();
        let peer = Abort(yamanote::spawn(async move {
            let _guard = guard;
            answer(async {
                let (mut reader, mut writer) = yamanote::io::split(theirs);
                yamanote::io::copy(&mut reader, &mut writer).await?;
                writer.shutdown().await
            })
            .await
        }));
        let mut inner = dice.fork();
        let (mut reader, mut writer) = yamanote::io::split(ours);
        dice.perhaps(send_and_compare(&mut reader, &mut writer, &mut inner)).await.transpose()?;
        drop(peer);
    }
    Ok(())
}

async fn datagrams(dice: &mut Dice) -> io::Result<()> {
    let (one, two) = (UdpSocket::bind("127.0.0.1:0").await?, UdpSocket::bind("127.0.0.1:0").await?);
    one.connect(two.local_addr()?).await?;
    for _ in 0..dice.below(20) {
        let len = dice.below(1_000) as usize;
        let sent = dice.bytes(len);
        one.send(&sent).await?;
        let mut got = [0; 1_500];
        // One at a time, on the same machine: none is lost.
        let (len, from) = two.recv_from(&mut got).await?;
        assert_eq!((&got[..len], from), (&sent[..], one.local_addr()?));
    }
    Ok(())
}

async fn timers(dice: &mut Dice) -> io::Result<()> {
    match dice.below(4) {
        0 => {
            let start = Instant::now();
            let length = dice.micros(30_000);
            sleep(length).await;
            assert!(start.elapsed() >= length);
        }
        1 => {
            let mut sleeps: Vec<_> = (0..50).map(|_| Box::pin(sleep(dice.micros(20_000)))).collect();
            for sleep in &mut sleeps {
                assert!(
                    dice.one_in(2) || !sleep.is_elapsed() || futures::poll!(sleep.as_mut()).is_ready()
                );
                let _ = dice.perhaps(sleep.as_mut()).await;
                if dice.one_in(3) {
                    sleep.as_mut().reset(yamanote::time::Instant::now() + dice.micros(5_000));
                }
            }
        }
        2 => {
            let period = Duration::from_micros(500 + dice.below(2_000));
            let (start, mut ticks) = (Instant::now(), interval(period));
            for i in 0..1 + dice.below(10) as u32 {
                ticks.tick().await;
                assert!(start.elapsed() + Duration::from_millis(1) >= period * i);
            }
        }
        _ => {
            let never = timeout(dice.micros(3_000), std::future::pending::<()>()).await;
            assert!(never.is_err());
        }
    }
    Ok(())
}

fn directory() -> &'static std::path::Path {
    static DIRECTORY: OnceLock<tempfile::TempDir> = OnceLock::new();
    DIRECTORY.get_or_init(|| tempfile::tempdir().unwrap()).path()
}

async fn files(dice: &mut Dice) -> io::Result<()> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let path = directory().join(format!("file{}", NUMBER.fetch_add(1, SeqCst)));
    let len = dice.below(100_000) as usize;
    let content = dice.bytes(len);
    let outcome = async {
        let mut file = yamanote::fs::File::create(&path).await?;
        for chunk in content.chunks(1 + dice.below(20_000) as usize) {
            file.write_all(chunk).await?;
        }
        file.flush().await?;
        drop(file);
        assert_eq!(yamanote::fs::metadata(&path).await?.len(), content.len() as u64);
        let mut file = yamanote::fs::File::open(&path).await?;
        let mut got = Vec::new();
        if let Some(read) = dice.perhaps(file.read_to_end(&mut got)).await {
            read?;
            assert_eq!(checksum(&got), checksum(&content));
        }
        io::Result::Ok(())
    };
    let outcome = outcome.await;
    let _ = std::fs::remove_file(&path);
    outcome
}

async fn processes(dice: &mut Dice) -> io::Result<()> {
    use std::process::Stdio;
    if dice.one_in(3) {
        let code = dice.below(100) as i32;
        let status = Command::new("sh").arg("-c").arg(format!("exit {code}")).status().await?;
        assert_eq!(status.code(), Some(code));
        return Ok(());
    }
    let mut command = Command::new("cat");
    let mut child = command.kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let len = dice.below(100_000) as usize;
    let content = dice.bytes(len);
    let talk = async {
        let write = async {
            stdin.write_all(&content).await?;
            drop(stdin);
            io::Result::Ok(())
        };
        let mut got = Vec::new();
        let (wrote, read) = yamanote::join!(write, stdout.read_to_end(&mut got));
        wrote?;
        read?;
        assert_eq!(checksum(&got), checksum(&content));
        assert!(child.wait().await?.success());
        io::Result::Ok(())
    };
    dice.perhaps(talk).await.transpose()?;
    Ok(())
}

async fn blocking(stage: &Arc<Stage>, dice: &mut Dice) -> io::Result<()> {
    match dice.below(4) {
        0 => {
            let content = dice.bytes(2_000);
            let jobs: Vec<_> = (0..1 + dice.below(20))
                .map(|_| {
                    let (guard, content) = (stage.guard(), content.clone());
                    spawn_blocking(move || {
                        let _guard = guard;
                        checksum(&content)
                    })
                })
                .collect();
            for job in jobs {
                assert!(job.await.is_ok_and(|sum| sum == checksum(&content)) || ledger::is_ending());
            }
        }
        1 => {
            let (handle, guard, time) = (Handle::current(), stage.guard(), dice.micros(3_000));
            let job = spawn_blocking(move || {
                let _guard = guard;
                handle.block_on(async {
                    sleep(time).await;
                    yield_now().await;
                    5
                })
            });
            assert!(job.await.is_ok_and(|five| five == 5) || ledger::is_ending());
        }
        2 if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread => {
            let time = dice.micros(3_000);
            yamanote::task::block_in_place(|| std::thread::sleep(time));
        }
        _ => {
            // A runtime inside.
            let (guard, mut dice) = (stage.guard(), dice.fork());
            let job = spawn_blocking(move || {
                let _guard = guard;
                let mut builder = if dice.one_in(2) {
                    Builder::new_current_thread()
                } else {
                    Builder::new_multi_thread()
                };
                let Ok(rt) = builder.worker_threads(2).enable_all().build() else { return };
                rt.block_on(async {
                    let tasks: Vec<_> = (0..10).map(|i| yamanote::spawn(async move { i })).collect();
                    for (i, task) in tasks.into_iter().enumerate() {
                        assert_eq!(task.await.unwrap(), i);
                    }
                    let _ = dice.perhaps(sleep(Duration::from_millis(1))).await;
                });
            });
            assert!(job.await.is_ok() || ledger::is_ending());
        }
    }
    Ok(())
}

async fn channels(stage: &Arc<Stage>, dice: &mut Dice) -> io::Result<()> {
    match dice.below(5) {
        0 => {
            let (sender, mut receiver) = mpsc::channel(1 + dice.below(20) as usize);
            let senders: Vec<_> = (0..1 + dice.below(4))
                .map(|_| {
                    let (guard, sender, mut dice) = (stage.guard(), sender.clone(), dice.fork());
                    yamanote::spawn(async move {
                        let _guard = guard;
                        let mut sent = 0_u64;
                        for _ in 0..dice.below(300) {
                            let value = dice.below(1_000);
                            if dice
                                .perhaps(sender.send(value))
                                .await
                                .is_some_and(|result| result.is_ok())
                            {
                                sent += value;
                            }
                        }
                        sent
                    })
                })
                .collect();
            drop(sender);
            let mut got = 0;
            loop {
                match dice.perhaps(receiver.recv()).await {
                    None => {}
                    Some(None) => break,
                    Some(Some(value)) => got += value,
                }
            }
            let mut sent = 0;
            for sender in senders {
                sent += sender.await.unwrap();
            }
            assert_eq!(got, sent);
        }
        1 => {
            let (sender, mut receiver) = mpsc::unbounded_channel();
            let n = dice.below(500);
            let guard = stage.guard();
            let task = yamanote::spawn(async move {
                let _guard = guard;
                for i in 0..n {
                    sender.send(i).unwrap();
                }
            });
            let mut next = 0;
            while let Some(i) = receiver.recv().await {
                assert_eq!(i, next);
                next += 1;
            }
            assert_eq!(next, n);
            task.await.unwrap();
        }
        2 => {
            for _ in 0..dice.below(50) {
                let (sender, mut receiver) = oneshot::channel();
                let (guard, pause) = (stage.guard(), dice.one_in(2));
                let task = yamanote::spawn(async move {
                    let _guard = guard;
                    if pause {
                        yield_now().await;
                    }
                    sender.send(7).is_ok()
                });
                if let Some(got) = dice.perhaps(&mut receiver).await {
                    assert_eq!(got.unwrap(), 7);
                    assert!(task.await.unwrap());
                }
            }
        }
        3 => {
            let sender = broadcast::Sender::new(1_000);
            let n = dice.below(200);
            let receivers: Vec<_> = (0..1 + dice.below(5))
                .map(|_| {
                    let (guard, mut receiver) = (stage.guard(), sender.subscribe());
                    yamanote::spawn(async move {
                        let _guard = guard;
                        let mut sum = 0;
                        while let Ok(value) = receiver.recv().await {
                            sum += value;
                        }
                        sum
                    })
                })
                .collect();
            for i in 0..n {
                sender.send(i).unwrap();
                if dice.one_in(10) {
                    yield_now().await;
                }
            }
            drop(sender);
            for receiver in receivers {
                assert_eq!(receiver.await.unwrap(), n * n.saturating_sub(1) / 2);
            }
        }
        _ => {
            let (sender, mut receiver) = watch::channel(0);
            let guard = stage.guard();
            let task = yamanote::spawn(async move {
                let _guard = guard;
                let mut last = 0;
                while receiver.changed().await.is_ok() {
                    let now = *receiver.borrow_and_update();
                    assert!(now > last);
                    last = now;
                }
                last
            });
            let n = 1 + dice.below(100);
            for i in 1..=n {
                sender.send(i).unwrap();
                if dice.one_in(3) {
                    yield_now().await;
                }
            }
            drop(sender);
            assert_eq!(task.await.unwrap(), n);
        }
    }
    Ok(())
}

async fn locks(stage: &Arc<Stage>, dice: &mut Dice) -> io::Result<()> {
    struct All {
        semaphore: Semaphore,
        inside: AtomicUsize,
        mutex: Mutex<u64>,
        lock: RwLock<(u64, u64)>,
        notify: Notify,
        barrier: Barrier,
    }
    let tasks = 2 + dice.below(6) as usize;
    let all = Arc::new(All {
        semaphore: Semaphore::new(2),
        inside: AtomicUsize::new(0),
        mutex: Mutex::new(0),
        lock: RwLock::new((0, 0)),
        notify: Notify::new(),
        barrier: Barrier::new(tasks),
    });
    let handles: Vec<_> = (0..tasks)
        .map(|_| {
            let (guard, all, mut dice) = (stage.guard(), Arc::clone(&all), dice.fork());
            yamanote::spawn(async move {
                let _guard = guard;
                let mut added = 0;
                for _ in 0..dice.below(50) {
                    if let Some(permit) = dice.perhaps(all.semaphore.acquire()).await {
                        // A runtime that ends drops its tasks in the midst of it.
                        assert!(all.inside.fetch_add(1, SeqCst) < 2 || ledger::is_ending());
                        yield_now().await;
                        all.inside.fetch_sub(1, SeqCst);
                        drop(permit);
                    }
                    if let Some(mut value) = dice.perhaps(all.mutex.lock()).await {
                        let before = *value;
                        yield_now().await;
                        *value = before + 1;
                        added += 1;
                    }
                    if let Some(mut pair) = dice.perhaps(all.lock.write()).await {
                        pair.0 += 1;
                        yield_now().await;
                        pair.1 += 1;
                    }
                    if let Some(pair) = dice.perhaps(all.lock.read()).await {
                        assert!(pair.0 == pair.1 || ledger::is_ending());
                    }
                    all.notify.notify_one();
                    let _ = dice.perhaps(all.notify.notified()).await;
                    all.notify.notify_one();
                }
                all.barrier.wait().await;
                added
            })
        })
        .collect();
    let mut added = 0;
    for handle in handles {
        added += handle.await.unwrap();
    }
    assert_eq!(*all.mutex.lock().await, added);
    assert_eq!(all.semaphore.available_permits(), 2);
    Ok(())
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("{PLANNED}");
        }
    }
}

struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("{PLANNED}");
    }
}

async fn panics(stage: &Arc<Stage>, dice: &mut Dice) -> io::Result<()> {
    match dice.below(5) {
        0 => {
            let (guard, yields) = (stage.guard(), dice.below(3));
            let task = yamanote::spawn(async move {
                let _guard = guard;
                for _ in 0..yields {
                    yield_now().await;
                }
                panic!("{PLANNED}");
            });
            let error = task.await.unwrap_err();
            assert!(error.is_panic() || ledger::is_ending());
        }
        1 => {
            let guard = stage.guard();
            let task = yamanote::spawn(async move {
                let (_bomb, _guard) = (PanicsWhenDropped, guard);
                std::future::pending::<()>().await;
            });
            yield_now().await;
            task.abort();
            let error = task.await.unwrap_err();
            assert!(error.is_panic() || error.is_cancelled());
        }
        2 => {
            let guard = stage.guard();
            let task = spawn_blocking(move || {
                let _guard = guard;
                panic!("{PLANNED}")
            });
            drop(task.await);
        }
        3 => {
            // Woken by a task.
            let (sender, mut receiver) = oneshot::channel();
            {
                let bomb = Waker::from(Arc::new(Bomb));
                assert!(Pin::new(&mut receiver).poll(&mut Context::from_waker(&bomb)).is_pending());
            }
            assert!(std::panic::catch_unwind(AssertUnwindSafe(|| sender.send(1))).is_err());
            assert_eq!(receiver.try_recv(), Ok(1));
        }
        // On a single-threaded runtime `block_on` would pass it on.
        _ if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread => {
            // Woken by the driver.
            let mut late = Box::pin(sleep(dice.micros(2_000)));
            {
                let bomb = Waker::from(Arc::new(Bomb));
                assert!(
                    late.as_mut().poll(&mut Context::from_waker(&bomb)).is_pending()
                        || late.is_elapsed()
                );
            }
            sleep(Duration::from_millis(3)).await;
        }
        _ => {}
    }
    Ok(())
}

async fn stalls(stage: &Arc<Stage>, dice: &mut Dice) -> io::Result<()> {
    let (guard, time) = (stage.guard(), Duration::from_millis(dice.below(30)));
    // What is queued behind the stall must get on, and does so elsewhere if need be.
    let task = yamanote::spawn(async move {
        let _guard = guard;
        yield_now().await;
        1
    });
    std::thread::sleep(time);
    assert_eq!(task.await.unwrap(), 1);
    sleep(Duration::from_millis(dice.below(40))).await;
    Ok(())
}

async fn local(stage: &Arc<Stage>, dice: &mut Dice) -> io::Result<()> {
    let (guard, handle, mut dice) = (stage.guard(), Handle::current(), dice.fork());
    let stage = Arc::clone(stage);
    let job = spawn_blocking(move || {
        let _guard = guard;
        let set = LocalSet::new();
        handle.block_on(set.run_until(async {
            let tasks: Vec<_> = (0..1 + dice.below(10))
                .map(|i| {
                    let (guard, time) = (stage.guard(), dice.micros(1_000));
                    yamanote::task::spawn_local(async move {
                        let (_guard, here) = (guard, std::rc::Rc::new(i));
                        sleep(time).await;
                        *here
                    })
                })
                .collect();
            for (i, task) in tasks.into_iter().enumerate() {
                if let Some(result) = dice.perhaps(task).await {
                    assert_eq!(result.unwrap(), i as u64);
                }
            }
        }));
    });
    drop(job.await);
    Ok(())
}

async fn aborts(stage: &Arc<Stage>, dice: &mut Dice) -> io::Result<()> {
    let mut set = JoinSet::new();
    let n = 1 + dice.below(50) as usize;
    let mut handles = Vec::new();
    for _ in 0..n {
        let (guard, mut dice) = (stage.guard(), dice.fork());
        handles.push(set.spawn(async move {
            let _guard = guard;
            let time = dice.micros(3_000);
            let _ = dice.perhaps(sleep(time)).await;
        }));
    }
    for handle in &handles {
        if dice.one_in(3) {
            handle.abort();
        }
        if dice.one_in(10) {
            yield_now().await;
        }
    }
    if dice.one_in(4) {
        drop(set);
        return Ok(());
    }
    let mut ended = 0;
    while let Some(result) = set.join_next().await {
        assert!(result.is_ok() || result.unwrap_err().is_cancelled());
        ended += 1;
    }
    assert_eq!(ended, n);
    Ok(())
}

async fn signals(dice: &mut Dice) -> io::Result<()> {
    use yamanote::signal::unix::{SignalKind, signal};
    let mut listener = signal(SignalKind::user_defined2())?;
    for _ in 0..dice.below(5) {
        // SAFETY: touches no memory, and there is a handler.
        assert_eq!(unsafe { libc::kill(libc::getpid(), libc::SIGUSR2) }, 0);
        listener.recv().await;
    }
    Ok(())
}

/// Aborts a task with its handle.
struct Abort<T>(JoinHandle<T>);

impl<T> Drop for Abort<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
