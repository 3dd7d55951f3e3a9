use yamanote::runtime::{Handle, RuntimeFlavor};

#[cfg(feature = "rt-multi-thread")]
#[yamanote::main]
async fn on_many_threads() -> RuntimeFlavor {
    Handle::current().runtime_flavor()
}

#[yamanote::main(flavor = "current_thread")]
async fn with_arguments(n: u32) -> Result<u32, std::num::ParseIntError> {
    let m: u32 = "2".parse()?;
    Ok(n + m)
}

#[cfg(feature = "rt-multi-thread")]
#[yamanote::main(flavor = "multi_thread", worker_threads = 3)]
async fn three() -> usize {
    Handle::current().metrics().num_workers()
}

#[yamanote::main(flavor = "local", name = "mine")]
async fn local() -> Option<String> {
    yamanote::task::spawn_local(async {}).await.unwrap();
    Handle::current().name().map(str::to_owned)
}

#[test]
fn functions_become_synchronous() {
    #[cfg(feature = "rt-multi-thread")]
    assert_eq!(on_many_threads(), RuntimeFlavor::MultiThread);
    assert_eq!(with_arguments(1), Ok(3));
    #[cfg(feature = "rt-multi-thread")]
    assert_eq!(three(), 3);
    assert_eq!(local().as_deref(), Some("mine"));
}

#[yamanote::test]
async fn tests_are_single_threaded() {
    assert_eq!(Handle::current().runtime_flavor(), RuntimeFlavor::CurrentThread);
}

#[cfg(feature = "rt-multi-thread")]
#[yamanote::test(flavor = "multi_thread", worker_threads = 2)]
async fn unless_told_otherwise() -> Result<(), yamanote::task::JoinError> {
    yamanote::spawn(async {}).await
}

#[yamanote::test(start_paused = true)]
async fn time_can_stand_still() {
    let before = yamanote::time::Instant::now();
    yamanote::time::sleep(std::time::Duration::from_secs(3600)).await;
    assert_eq!(before.elapsed().as_secs(), 3600);
}

#[yamanote::test]
#[should_panic(expected = "planned")]
async fn a_panic_is_the_tests() {
    panic!("planned");
}

macro_rules! made_by_a_macro {
    ($(#[$attribute:meta])* $visibility:vis async fn $name:ident() -> $output:ty $body:block) => {
        $(#[$attribute])*
        #[yamanote::main(flavor = "current_thread", crate = "yamanote")]
        $visibility async fn $name() -> $output $body
    };
}
made_by_a_macro! {
    /// Its parts come in invisible brackets.
    pub(crate) async fn in_parts() -> u32 { 7 }
}

#[cfg(feature = "rt-multi-thread")]
#[yamanote::main(flavor = r"multi_thread", worker_threads = 0x_2_usize)]
async fn generic<F: Fn(u32) -> u32, const N: usize>(f: F) -> [u32; N]
where
    [u32; N]: Sized,
{
    [f(1); N]
}

#[test]
fn what_is_not_looked_at_is_kept() {
    assert_eq!(in_parts(), 7);
    #[cfg(feature = "rt-multi-thread")]
    assert_eq!(generic::<_, 2>(|n| n + 1), [2, 2]);
}
