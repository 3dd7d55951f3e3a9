//! What runs Windows programs: wine, with a prefix of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::shell;

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
