//! The registers that calls are told by, as DWARF numbers them.

pub(crate) use processor::{COUNT, PC, RED_ZONE, RETURN, SP, read, strip};

#[cfg(target_arch = "x86_64")]
mod processor {
    /// How many are of interest: from the first on.
    pub(crate) const COUNT: usize = 17;
    pub(crate) const SP: usize = 7;
    /// Where the instruction that comes next is kept.
    pub(crate) const PC: usize = 16;
    /// What the frame information calls the address to return to.
    pub(crate) const RETURN: usize = 16;
    /// So many bytes beyond the stack's end are the running function's: no signal's handler touches them.
    pub(crate) const RED_ZONE: usize = 128;

    pub(crate) fn read(context: &libc::ucontext_t) -> [usize; COUNT] {
        use libc::*;
        let numbers = [
            REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8, REG_R9,
            REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
        ];
        numbers.map(|number| context.uc_mcontext.gregs[number as usize] as usize)
    }

    /// The address without what the processor keeps beside it.
    pub(crate) fn strip(address: usize) -> usize {
        address
    }
}

#[cfg(target_arch = "x86")]
mod processor {
    pub(crate) const COUNT: usize = 9;
    pub(crate) const SP: usize = 4;
    pub(crate) const PC: usize = 8;
    pub(crate) const RETURN: usize = 8;
    pub(crate) const RED_ZONE: usize = 0;

    pub(crate) fn read(context: &libc::ucontext_t) -> [usize; COUNT] {
        use libc::*;
        let numbers = [REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI, REG_EIP];
        numbers.map(|number| context.uc_mcontext.gregs[number as usize] as usize)
    }

    pub(crate) fn strip(address: usize) -> usize {
        address
    }
}

#[cfg(target_arch = "aarch64")]
mod processor {
    pub(crate) const COUNT: usize = 33;
    pub(crate) const SP: usize = 31;
    /// DWARF has no number that is in use for it.
    pub(crate) const PC: usize = 32;
    pub(crate) const RETURN: usize = 30;
    pub(crate) const RED_ZONE: usize = 0;

    pub(crate) fn read(context: &libc::ucontext_t) -> [usize; COUNT] {
        let machine = &context.uc_mcontext;
        std::array::from_fn(|number| match number {
            SP => machine.sp as usize,
            PC => machine.pc as usize,
            number => machine.regs[number] as usize,
        })
    }

    /// Pointer authentication signs return addresses in the bits that addresses of programs do not need.
    pub(crate) fn strip(address: usize) -> usize {
        address & 0x0000_FFFF_FFFF_FFFF
    }
}
