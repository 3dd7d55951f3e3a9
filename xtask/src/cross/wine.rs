//! What runs Windows programs: wine, with a prefix of its own.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::runner::Test;
use crate::shell;

/// The test that wants keys to be pressed.
const KEYS: &str = "windows::console::keys_are_heard";

const WINE: &str = "/usr/lib/wine/wine64";
const SERVER: &str = "/usr/lib/wine/wineserver";

/// A library of Windows' that the standard library takes random numbers from, and wine 8 lacks.
const PRNG: &str = "\
typedef unsigned char u8;
typedef unsigned long long size;
__declspec(dllimport) u8 __stdcall SystemFunction036(void *, unsigned long); /* RtlGenRandom */
__declspec(dllexport) int __stdcall ProcessPrng(u8 *to, size n) {
    while (n) {
        unsigned long part = n > 65536 ? 65536 : (unsigned long)n;
        if (!SystemFunction036(to, part)) return 0;
        to += part;
        n -= part;
    }
    return 1;
}
int __stdcall DllMain(void *module, unsigned long reason, void *reserved) { return 1; }
";

/// Makes the prefix if it is not there, and starts its server, which then stays: each program would start one.
pub(super) fn prepare(directory: &Path) -> Result<Vec<String>, String> {
    let prefix = directory.join("prefix");
    let library = prefix.join("drive_c/windows/system32/bcryptprimitives.dll");
    if !library.exists() {
        println!("making a wine prefix");
        shell::write_if_changed(&directory.join("prng.c"), PRNG)?;
        std::fs::create_dir_all(&prefix).map_err(|error| error.to_string())?;
        if !quiet(wine(&prefix, WINE).args(["wineboot", "-i"]))?
            || !quiet(wine(&prefix, SERVER).arg("-w"))?
        {
            return Err("wineboot failed".to_owned());
        }
        let mut compiler = Command::new("x86_64-w64-mingw32-gcc-posix");
        compiler.args(["-O2", "-shared", "-nostdlib", "-Wl,-e,DllMain", "-o"]).arg(&library);
        compiler.arg(directory.join("prng.c")).args(["-ladvapi32", "-lkernel32"]);
        if !shell::succeeds(&mut compiler)? {
            return Err("the library for wine does not compile".to_owned());
        }
    }
    quiet(wine(&prefix, SERVER).arg("-p"))?;
    // The first program starts services, which would hold its streams: so not one whose output is read.
    quiet(wine(&prefix, WINE).args(["cmd", "/c", "exit"]))?;
    let mut words = vec!["env".to_owned()];
    words.extend(environment(&prefix).map(|(name, value)| format!("{name}={value}")));
    words.push(WINE.to_owned());
    Ok(words)
}

fn environment(prefix: &Path) -> impl Iterator<Item = (&'static str, String)> {
    let prefix = prefix.display().to_string();
    let overrides = "mscoree=;mshtml=".to_owned();
    [("WINEPREFIX", prefix), ("WINEDEBUG", "-all".to_owned()), ("WINEDLLOVERRIDES", overrides)]
        .into_iter()
}

fn wine(prefix: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command.envs(environment(prefix));
    command
}

/// Without our streams: what wine leaves running would hold them.
fn quiet(command: &mut Command) -> Result<bool, String> {
    shell::succeeds(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))
}

/// Runs the test that listens to keys in a terminal, and presses Ctrl-C; whether it passes. `None` if it is not among
/// the tests.
pub(super) fn press_keys(tests: &[Test]) -> Result<Option<bool>, String> {
    let Some(test) = tests.iter().find(|test| test.full_name() == KEYS) else { return Ok(None) };
    let inner = test.target.command();
    let words: Vec<_> = std::iter::once(inner.get_program()).chain(inner.get_args()).collect();
    let words: Vec<_> = words.iter().map(|word| format!("'{}'", word.to_string_lossy())).collect();
    let line = format!("{} {} --exact --nocapture", words.join(" "), test.name);
    let mut command = Command::new("script");
    command.args(["-q", "-e", "-c", &line, "/dev/null"]).env("KEYS_ARE_PRESSED", "1");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot run script: {error}"))?;
    // What is dropped ends the terminal's input: not before the program has ended.
    let (Some(mut keys), Some(screen)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("no terminal".to_owned());
    };
    let mut is_told = false;
    for line in BufReader::new(screen).split(b'\n') {
        let line = line.map_err(|error| error.to_string())?;
        let line = String::from_utf8_lossy(&line);
        if line.contains("listening") {
            keys.write_all(b"\x03").map_err(|error| error.to_string())?;
        }
        is_told |= line.contains("told");
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok(Some(status.success() && is_told))
}
