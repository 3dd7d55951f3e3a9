//! The calls that were under way, out of a copy of a stack.
//!
//! What the compiler leaves for unwinding by panics says, for each instruction, where the caller's registers are and
//! where it goes on. It is looked up in the program and its libraries as they lie in memory, frame by frame, each
//! time with the dynamic linker's lock held, so that none of them goes away meanwhile.

use std::ffi::{c_int, c_void};
use std::ops::Range;

use gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameHdr, Encoding, EndianSlice, EvaluationResult, Location,
    NativeEndian, ParsedEhFrameHdr, Register, RegisterRule, UnwindContext, UnwindExpression,
    UnwindSection, Value,
};

use super::Calls;
use super::registers::{COUNT, PC, RETURN, SP, strip};
use super::sampled::Sample;

/// Calls at the most. Arbitrary: a screenful or two.
const FRAMES: usize = 256;

type Registers = [Option<usize>; COUNT];

pub(super) fn calls(sample: &Sample) -> Calls {
    let mut registers: Registers = sample.registers.map(Some);
    // One past it, as all others are past a call.
    let mut addresses = vec![sample.registers[PC] + 1];
    let mut interrupted = true;
    let mut context = UnwindContext::new();
    while addresses.len() < FRAMES {
        let Some(caller) = step(sample, &registers, interrupted, &mut context) else { break };
        if caller.is_none {
            return Calls { addresses, is_whole: true };
        }
        // Only a function that has not made a frame may be called from where the stack is the same.
        let stays = interrupted && caller.registers[SP] == registers[SP];
        if caller.registers[SP] <= registers[SP] && !stays {
            break;
        }
        interrupted = caller.interrupted;
        registers = caller.registers;
        match registers[PC] {
            Some(address) if address != 0 => addresses.push(address + usize::from(interrupted)),
            _ => break,
        }
    }
    Calls { addresses, is_whole: false }
}

struct Caller {
    registers: Registers,
    /// It was interrupted by a signal, and made no call.
    interrupted: bool,
    /// Nobody called: it is where the thread began.
    is_none: bool,
}

/// From a frame's registers to its caller's. `None`: nothing tells what they were.
fn step(
    sample: &Sample,
    registers: &Registers,
    interrupted: bool,
    context: &mut UnwindContext<usize>,
) -> Option<Caller> {
    let pc = registers[PC]?;
    // A call may be the last instruction of its function: what belongs to it is before the address to return to.
    let pc = if interrupted { pc } else { pc.checked_sub(1)? };
    with_module(pc, |module| {
        let (rules, bases) = (&module.rules, &module.bases);
        let table = module.header.table()?;
        let function = table.fde_for_address(rules, bases, pc as u64, EhFrame::cie_from_offset).ok()?;
        let row = function.unwind_info_for_address(rules, bases, context, pc as u64).ok()?;
        let get = |register: Register| *registers.get(usize::from(register.0))?;
        let encoding = function.cie().encoding();
        let compute = |expression: &_, first| evaluate(sample, rules, encoding, expression, first, get);
        let frame = match *row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => {
                get(register)?.wrapping_add_signed(offset as isize)
            }
            // In the linker's stubs, and where a signal's handler returns to.
            CfaRule::Expression(ref expression) => compute(expression, None)?,
        };
        let mut caller = *registers;
        let is_undefined = row.register(Register(RETURN as u16)) == RegisterRule::Undefined;
        // Where it is in a register, and that has not been saved, nothing is said of it.
        let is_in_register = is_undefined && RETURN != PC && interrupted;
        let mut returns_to = if is_in_register { registers[RETURN] } else { None };
        for (register, rule) in row.registers() {
            let number = usize::from(register.0);
            let value = match *rule {
                RegisterRule::SameValue => get(*register),
                RegisterRule::Offset(offset) => sample.word(frame.wrapping_add_signed(offset as isize)),
                RegisterRule::ValOffset(offset) => Some(frame.wrapping_add_signed(offset as isize)),
                RegisterRule::Register(other) => get(other),
                RegisterRule::Expression(ref expression) => {
                    compute(expression, Some(frame)).and_then(|address| sample.word(address))
                }
                RegisterRule::ValExpression(ref expression) => compute(expression, Some(frame)),
                _ => None,
            };
            if number == RETURN && !is_in_register {
                returns_to = value;
            }
            if let Some(place) = caller.get_mut(number) {
                *place = value;
            }
        }
        caller[SP] = Some(frame);
        caller[PC] = returns_to.map(strip);
        Some(Caller {
            registers: caller,
            interrupted: function.is_signal_trampoline(),
            is_none: is_undefined && !is_in_register,
        })
    })
    .flatten()
}

/// What an expression of the frame information comes to, on a stack of its own that `first` may lie on.
fn evaluate(
    sample: &Sample,
    rules: &EhFrame<Bytes<'_>>,
    encoding: Encoding,
    expression: &UnwindExpression<usize>,
    first: Option<usize>,
    get: impl Fn(Register) -> Option<usize>,
) -> Option<usize> {
    let mut evaluation = expression.get(rules).ok()?.evaluation(encoding);
    // None has loops; one that is damaged might.
    evaluation.set_max_iterations(1000);
    if let Some(first) = first {
        evaluation.set_initial_value(first as u64);
    }
    let mut state = evaluation.evaluate().ok()?;
    loop {
        state = match state {
            EvaluationResult::Complete => break,
            EvaluationResult::RequiresRegister { register, .. } => {
                evaluation.resume_with_register(Value::Generic(get(register)? as u64))
            }
            EvaluationResult::RequiresMemory { address, size, .. }
                if usize::from(size) == size_of::<usize>() =>
            {
                let word = sample.word(usize::try_from(address).ok()?)?;
                evaluation.resume_with_memory(Value::Generic(word as u64))
            }
            _ => return None,
        }
        .ok()?;
    }
    match evaluation.as_result().first()?.location {
        Location::Address { address } => usize::try_from(address).ok(),
        _ => None,
    }
}

impl Sample {
    /// The word at an address of the stack that was copied.
    fn word(&self, address: usize) -> Option<usize> {
        let at = address.checked_sub(self.start)?;
        let bytes = self.stack.get(at..at.checked_add(size_of::<usize>())?)?;
        Some(usize::from_ne_bytes(bytes.try_into().ok()?))
    }
}

type Bytes<'a> = EndianSlice<'a, NativeEndian>;

/// What the program, or a library, says in memory of its functions.
struct Module<'a> {
    /// What addresses are relative to.
    bases: BaseAddresses,
    /// The table to look functions up in.
    header: ParsedEhFrameHdr<Bytes<'a>>,
    rules: EhFrame<Bytes<'a>>,
}

/// Runs `f` on the module that an address is in.
fn with_module<R>(address: usize, f: impl FnOnce(&Module<'_>) -> R) -> Option<R> {
    struct Search<F, R> {
        address: usize,
        f: Option<F>,
        result: Option<R>,
    }

    /// Is called for each module, until it returns something else than 0.
    unsafe extern "C" fn look<F: FnOnce(&Module<'_>) -> R, R>(
        info: *mut libc::dl_phdr_info,
        _: usize,
        search: *mut c_void,
    ) -> c_int {
        // SAFETY: what `with_module` passed, which waits for us; and what the linker lends us for the call.
        let (search, info) = unsafe { (&mut *search.cast::<Search<F, R>>(), &*info) };
        // SAFETY: as above.
        let Some(module) = (unsafe { find(info, search.address) }) else { return 0 };
        if let Some(f) = search.f.take() {
            search.result = Some(f(&module));
        }
        1
    }

    fn with<F: FnOnce(&Module<'_>) -> R, R>(address: usize, f: F) -> Option<R> {
        let mut search = Search { address, f: Some(f), result: None };
        // SAFETY: the callback gets what it expects. It does not unwind: nothing in it panics.
        unsafe { libc::dl_iterate_phdr(Some(look::<F, R>), (&raw mut search).cast()) };
        search.result
    }

    with(address, f)
}

/// The module, if the address is in it and it says how to unwind.
///
/// # Safety
/// `info` must be what the linker tells, and must not be changed while the module is used.
unsafe fn find(info: &libc::dl_phdr_info, address: usize) -> Option<Module<'_>> {
    if info.dlpi_phdr.is_null() {
        return None;
    }
    // SAFETY: the linker says that there are so many.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let base = info.dlpi_addr as usize;
    let range = |header: &ElfHeader| {
        let start = base.wrapping_add(header.p_vaddr as usize);
        start..start.wrapping_add(header.p_memsz as usize)
    };
    let loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
    if !loaded.clone().any(|header| range(header).contains(&address)) {
        return None;
    }
    let header = range(headers.iter().find(|header| header.p_type == libc::PT_GNU_EH_FRAME)?);
    // SAFETY: a part of what is loaded, which nobody writes; by contract it stays.
    let bytes = |range: Range<usize>| unsafe {
        std::slice::from_raw_parts(std::ptr::with_exposed_provenance(range.start), range.len())
    };
    let bases = BaseAddresses::default().set_eh_frame_hdr(header.start as u64);
    let header =
        EhFrameHdr::new(bytes(header), NativeEndian).parse(&bases, size_of::<usize>() as u8).ok()?;
    let start = usize::try_from(header.eh_frame_ptr().direct().ok()?).ok()?;
    // Its end is marked in it; the segment's is not before that.
    let segment = loaded.map(range).find(|segment| segment.contains(&start))?;
    let bases = bases.set_eh_frame(start as u64);
    Some(Module { bases, header, rules: EhFrame::new(bytes(start..segment.end), NativeEndian) })
}

#[cfg(target_pointer_width = "64")]
type ElfHeader = libc::Elf64_Phdr;
#[cfg(target_pointer_width = "32")]
type ElfHeader = libc::Elf32_Phdr;
