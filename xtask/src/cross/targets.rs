//! The targets, and what each needs.

use std::path::Path;

use crate::shell;

/// What is done with what was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// The tests are built and run.
    Run,
    /// Only the compiler looks, at the tests too.
    Check,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) triple: &'static str,
    pub(crate) how: How,
    /// Debian's packages, beside the compiler's.
    pub(crate) packages: &'static [&'static str],
    pub(crate) features: &'static [&'static str],
    /// The test targets that there are, besides the library's own; all if empty.
    pub(crate) tests: &'static [&'static str],
    /// Parts of the standard library to be built, all if empty; nothing where the toolchain's own will do.
    pub(crate) std: Option<&'static str>,
    pub(crate) linker: Option<&'static str>,
    /// `RUSTFLAGS` of the target.
    pub(crate) flags: &'static str,
    /// Tests that are left out, by the beginnings of their names, each with its reason.
    pub(crate) left_out: &'static [(&'static str, &'static str)],
    /// Published tests that pass with the real tokio and not here, for reasons of the target's.
    pub(crate) known: &'static [(&'static str, &'static str)],
}

const FULL: &[&str] = &["full", "test-util"];

/// With what only Linux has, of which some is the processor's own.
const LINUX: &[&str] = &["full", "test-util", "taskdump", "io-uring", "tracing"];

/// Tests that start cargo and compilers, which know nothing of the target.
const COMPILERS: &[(&str, &str)] =
    &[("compile_fail::", "starts a compiler"), ("examples::", "starts cargo")];

const PLAIN: Target = Target {
    name: "",
    triple: "",
    how: How::Check,
    packages: &[],
    features: FULL,
    tests: &[],
    std: Some(""),
    linker: None,
    flags: "",
    left_out: &[],
    known: &[],
};

pub(crate) static TARGETS: [Target; 14] = [
    Target {
        name: "windows",
        triple: "x86_64-pc-windows-gnu",
        how: How::Run,
        packages: &["gcc-mingw-w64-x86-64-posix", "wine64", "wine"],
        left_out: &[
            COMPILERS[0],
            COMPILERS[1],
            ("runtime::stall::all_workers_blocked", "1,000 sockets: minutes with wine"),
            ("limits::ends::a_stack_that_overflows", "wine does not end the program then"),
            ("net::ends::a_reset_in_the_middle_of_a_read", "wine's poll takes the socket's error"),
        ],
        ..PLAIN
    },
    Target { name: "msvc", triple: "x86_64-pc-windows-msvc", ..PLAIN },
    Target { name: "mac", triple: "x86_64-apple-darwin", ..PLAIN },
    Target { name: "mac-arm", triple: "aarch64-apple-darwin", ..PLAIN },
    Target { name: "ios", triple: "aarch64-apple-ios", ..PLAIN },
    Target { name: "bsd", triple: "x86_64-unknown-freebsd", ..PLAIN },
    Target { name: "netbsd", triple: "x86_64-unknown-netbsd", ..PLAIN },
    Target { name: "openbsd", triple: "x86_64-unknown-openbsd", ..PLAIN },
    Target { name: "illumos", triple: "x86_64-unknown-illumos", ..PLAIN },
    Target { name: "android", triple: "aarch64-linux-android", ..PLAIN },
    Target {
        name: "arm",
        triple: "aarch64-unknown-linux-gnu",
        features: LINUX,
        how: How::Run,
        packages: &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "qemu-user"],
        linker: Some("aarch64-linux-gnu-gcc"),
        left_out: &[
            COMPILERS[0],
            COMPILERS[1],
            ("old_kernels::", "qemu-user installs no filter for system calls"),
            (
                "process::ends::a_program_that_is_not_there",
                "qemu-user tells the parent of no failure to execute",
            ),
            ("process::pipes::a_process_group_of_its_own", "as above"),
            ("runtime::backtrace::", "qemu-user sends no signal of the topmost real-time ones"),
            ("limits::fork::", "qemu-user does not survive a fork beside other threads"),
            ("fs::limits::what_is_not_allowed", "the namespace that qemu-user is found in has one user"),
        ],
        ..PLAIN
    },
    Target {
        name: "i686",
        triple: "i686-unknown-linux-gnu",
        // The bindings to io_uring are not for 32 bits.
        features: &["full", "test-util", "taskdump", "tracing"],
        how: How::Run,
        packages: &["gcc-i686-linux-gnu", "libc6-dev-i386-cross", "libc6-i386", "lib32gcc-s1"],
        linker: Some("i686-linux-gnu-gcc"),
        left_out: COMPILERS,
        ..PLAIN
    },
    Target {
        name: "wasi",
        triple: "wasm32-wasip1",
        how: How::Run,
        packages: &["nodejs", "wasi-libc", "lld-22"],
        features: &["sync", "macros", "io-util", "rt", "time", "test-util"],
        tests: &["io", "macros", "runtime", "sync", "task", "time"],
        std: Some("=std,panic_abort"),
        linker: Some("wasm-ld-22"),
        // Debian's C library lacks two functions for threads, which nothing here calls.
        flags: "-Clink-self-contained=no -L/usr/lib/wasm32-wasi -Clink-arg=/usr/lib/wasm32-wasi/crt1-command.o \
                -Clink-arg=-lc -Clink-arg=--unresolved-symbols=ignore-all",
        left_out: super::without::WASI,
        ..PLAIN
    },
    // Not another system: this one without epoll, as a port to a system without any such thing would have it.
    Target {
        name: "poll",
        triple: "x86_64-unknown-linux-gnu",
        how: How::Run,
        std: None,
        flags: "--cfg mio_unsupported_force_poll_poll",
        left_out: &[
            COMPILERS[0],
            COMPILERS[1],
            ("net::async_fd::what_cannot_be_watched", "poll(2) watches any descriptor"),
            ("net::pipe::files_are_checked", "as above"),
            (
                "yamanote::engine::io::poller::tests::a_registration_the_system_keeps",
                "mio forgets all it is told to",
            ),
            ("yamanote::engine::io::registration::tests::a_failed_move", "as above"),
            (
                "yamanote::engine::io::poller::tests::a_turn_takes_no_more",
                "mio's turn takes all there is",
            ),
        ],
        ..PLAIN
    },
];

impl Target {
    /// What runs the target's programs here, in front of their paths. Makes what that needs, in `directory`.
    pub(crate) fn runner(&self, directory: &Path) -> Result<Vec<String>, String> {
        let words = |words: &[&str]| Ok(words.iter().map(|word| (*word).to_owned()).collect());
        match self.name {
            "windows" => super::wine::prepare(directory),
            "arm" => {
                let script = directory.join("qemu.sh");
                shell::write_if_changed(&script, QEMU)?;
                words(&["bash", &script.display().to_string()])
            }
            // 32-bit programs run as they are, with the libraries of libc6-i386. Not with those of the cross compiler:
            // another version than the loader's, with which threads are sometimes waited for in vain.
            "wasi" => {
                let script = directory.join("wasi.mjs");
                shell::write_if_changed(&script, NODE)?;
                words(&["node", "--no-warnings", &script.display().to_string()])
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Cargo's words for the library with its tests, and the test targets.
    pub(crate) fn test_targets(&self) -> Vec<&'static str> {
        let named = self.tests.iter().flat_map(|name| ["--test", name]);
        let all: &[&str] = if self.tests.is_empty() { &["--tests"] } else { &[] };
        ["--lib"].into_iter().chain(named).chain(all.iter().copied()).collect()
    }

    /// Why a published test that the real tokio passes is known not to pass.
    pub(crate) fn known(&self, test: &str) -> Option<&'static str> {
        self.known.iter().find(|(name, _)| *name == test).map(|(_, reason)| *reason)
    }

    /// The environment variable that cargo reads one of the target's settings from.
    pub(crate) fn variable(&self, setting: &str) -> String {
        format!("CARGO_TARGET_{}_{setting}", self.triple.to_uppercase().replace('-', "_"))
    }
}

/// Has the kernel give programs of the other kind to qemu, children of the program included, in a namespace of its own
/// (Linux 6.7 or later): nothing changes for the machine.
const QEMU: &str = r#"exec unshare --user --map-root-user --mount bash -c '
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc &&
printf "%s" ":qemu-aarch64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:/usr/bin/qemu-aarch64:F" > /proc/sys/fs/binfmt_misc/register || exit 99
export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu
exec "$@"' qemu "$@"
"#;

const NODE: &str = r#"import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";
const args = process.argv.slice(2);
const wasi = new WASI({ version: "preview1", args, env: process.env, preopens: { "/": "/" } });
const module = await WebAssembly.compile(await readFile(args[0]));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
"#;
