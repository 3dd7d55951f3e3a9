//! Examples that run to their end.

use crate::support::{Example, names, output, run};

/// Those that have something else to do at once.
const WITHOUT_HELP: [&str; 1] = ["stalled_workers"];

#[test]
fn every_example_explains_itself() {
    let names = names();
    assert!(names.len() >= 11, "{names:?}");
    for name in names.iter().filter(|name| !WITHOUT_HELP.contains(&name.as_str())) {
        let help = output(name, &["--help"]);
        assert!(help.starts_with(&format!("usage: {name}")), "{name}: {help}");
        let wrong = run(name, &["--nonsense"]);
        assert_eq!(wrong.status.code(), Some(2), "{name}");
        assert!(String::from_utf8_lossy(&wrong.stderr).contains("--nonsense"), "{name}");
    }
}

#[test]
fn hello() {
    let said = output("hello", &[]);
    assert!(said.starts_with("the server at 127.0.0.1:"), "{said}");
    assert!(said.ends_with(" says: hello world\n"), "{said}");
    let server = Example::start("echo", &["--listen", "127.0.0.1:0"]);
    let address = server.address.to_string();
    assert_eq!(output("hello", &[&address]), format!("the server at {address} says: hello world\n"));
    // Nobody listens on the discard port; on a machine where somebody does, nothing comes back either.
    assert!(!run("hello", &["127.0.0.1:9"]).status.success());
}

#[test]
fn echo_under_load() {
    for workers in ["0", "2"] {
        let said = output(
            "echo",
            &["--connections", "5", "--seconds", "1", "--workers", workers, "--size", "100"],
        );
        assert!(said.contains("5 connections, 100 bytes a message, 1 seconds"), "{said}");
        assert!(said.contains("p99.9"), "{said}");
    }
}

#[test]
fn timers() {
    // Paused, the times are exact.
    let said = output("timers", &["--paused"]);
    let expected = "\
0.20 s: slept
0.40 s: slept until then
0.60 s: gave up
0.60 s: in time, Ok(42)
0.60 s: tick 0
0.70 s: tick 1
0.80 s: tick 2
1.20 s: after a pause
1.25 s: after a pause
1.35 s: that was a short hour
";
    let (shown, passed) = said.split_once("really passed").unwrap();
    assert_eq!(shown, expected);
    assert!(passed.starts_with(": "), "{passed}");
    // On the real clock there are the same lines, if not always at the same hundredth of a second.
    let said = output("timers", &[]);
    let without_times = |text: &str| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        lines.map(|(_, rest)| rest.to_owned()).collect()
    };
    let mut lines = without_times(&said);
    lines.pop();
    assert_eq!(lines, without_times(expected));
}

#[test]
fn select() {
    let expected = "\
counted 5050 small and 5050000 large
\"fast\" came first
\"sound\" came although another broke
";
    assert_eq!(output("select", &[]), expected);
}

#[test]
fn channels() {
    let expected = "\
mpsc and oneshot: 30 words
broadcast: rain, wind, sun
broadcast: rain, wind, sun
broadcast: rain, wind, sun
watch: level 3
semaphore: at most three at a time, true
";
    assert_eq!(output("channels", &[]), expected);
}
