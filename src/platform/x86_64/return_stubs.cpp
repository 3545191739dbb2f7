// A stub is sixteen bytes:
//
//   nop; call common; .long slot - . ; filler
//
// The return address on the stack is that of the call. Unwinders look a return address up by the byte before it, which
// is why the nop is there. The call pushes its own return address, the place of the .long, into the very word of the
// stack that held the stub's address. `common` and the unwind information find the slot through it, so that one
// description serves all stubs. Then `common` writes the true address into that word, and from there on the stack is as
// at any return.
//
// Limit: the slots lie above the code in memory, by less than 4 GB (static_assert cannot say so; ready() does).
#include "platform/x86_64/return_stubs.hpp"

#include <dlfcn.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unwind.h>

#include <climits>
#include <cstddef>

#include "platform/futex.hpp"

namespace moult::internal {
namespace {

constexpr std::size_t stub_size = 16;
constexpr std::size_t entry_offset = 1;  // behind the nop

static_assert(sizeof(ReturnSlot) == 32 && offsetof(ReturnSlot, true_address) == 0 && offsetof(ReturnSlot, state) == 8,
              "the assembly below knows these");

}  // namespace

extern "C" {
[[gnu::visibility("hidden"), gnu::used]] constinit ReturnSlot moult_return_slots[return_stub_count] = {};
[[gnu::visibility("hidden"), gnu::used]] constinit std::atomic<std::uint32_t> moult_told_returns{0};
extern const char moult_return_stubs[] __attribute__((visibility("hidden")));
extern const char moult_return_stubs_end[] __attribute__((visibility("hidden")));
extern const char moult_return_common_end[] __attribute__((visibility("hidden")));

/// The counter is raised after the state: a thread that sleeps on it looks at the states when it has changed.
[[gnu::visibility("hidden"), gnu::used]] _Unwind_Reason_Code moult_return_personality(int, _Unwind_Action actions,
                                                                                      std::uint64_t, _Unwind_Exception*,
                                                                                      _Unwind_Context* context) {
  if ((actions & _UA_CLEANUP_PHASE) == 0) return _URC_CONTINUE_UNWIND;
  if (std::optional<std::uint32_t> index = return_slot_of(CodeAddress{_Unwind_GetIP(context)})) {
    moult_return_slots[*index].state.store(ReturnState::passed);
    moult_told_returns.fetch_add(1);
    futex_wake_all(moult_told_returns);
  }
  return _URC_CONTINUE_UNWIND;
}
}

static_assert(SYS_futex == 202 && (FUTEX_WAKE | FUTEX_PRIVATE_FLAG) == 129 && INT_MAX == 0x7FFFFFFF,
              "the assembly below knows these");

// CFI: DW_CFA_def_cfa rsp+1. DW_CFA_val_expression (0x16) for rsp (7): CFA (pushed) lit1 minus. DW_CFA_expression
// (0x10) for the return address (16), from the CFA: lit17 minus... reads the word below the stack pointer, the stub's
// address or the one behind its call; there: [+ distance from the one to the other,] dup, deref_size 4, plus: the slot.
// An exception may look an address up in `common` too: those rules hold until the word is restored.
asm(R"(
  .text
  .p2align 6
  .hidden moult_return_stubs
  .hidden moult_return_stubs_end
  .hidden moult_return_common_end
  .globl moult_return_stubs, moult_return_stubs_end, moult_return_common_end
  .type moult_return_stubs, @function
moult_return_stubs:
  .cfi_startproc
  .cfi_personality 0x1b, moult_return_personality
  .cfi_def_cfa %rsp, 1
  .cfi_escape 0x16, 7, 2, 0x31, 0x1c
  .cfi_escape 0x10, 16, 9, 0x39, 0x1c, 0x06, 0x23, 5, 0x12, 0x94, 4, 0x22
  .set moult_slot, 0
  .rept 4096
  nop
  call moult_return_common
  .long moult_return_slots + moult_slot - .
  .byte 0xCC, 0xCC, 0xCC, 0xCC, 0xCC, 0xCC
  .set moult_slot, moult_slot + 32
  .endr
  .cfi_endproc
moult_return_stubs_end:
  .size moult_return_stubs, .-moult_return_stubs

  .p2align 4
  .type moult_return_common, @function
moult_return_common:
  .cfi_startproc
  .cfi_def_cfa %rsp, 9
  .cfi_escape 0x16, 7, 2, 0x31, 0x1c
  .cfi_escape 0x10, 16, 7, 0x39, 0x1c, 0x06, 0x12, 0x94, 4, 0x22
  pushq %rax
  .cfi_def_cfa_offset 17
  pushq %rcx
  .cfi_def_cfa_offset 25
  movq 16(%rsp), %rax
  movl (%rax), %ecx
  addq %rcx, %rax
  movq (%rax), %rcx
  movq %rcx, 16(%rsp)
  .cfi_def_cfa_offset 24
  .cfi_restore %rsp
  .cfi_offset %rip, -8
  movl $2, 8(%rax)
  pushq %rdx
  .cfi_def_cfa_offset 32
  pushq %rsi
  .cfi_def_cfa_offset 40
  pushq %rdi
  .cfi_def_cfa_offset 48
  pushq %r11
  .cfi_def_cfa_offset 56
  lock incl moult_told_returns(%rip)
  movl $202, %eax
  leaq moult_told_returns(%rip), %rdi
  movl $129, %esi
  movl $0x7FFFFFFF, %edx
  syscall
  popq %r11
  .cfi_def_cfa_offset 48
  popq %rdi
  .cfi_def_cfa_offset 40
  popq %rsi
  .cfi_def_cfa_offset 32
  popq %rdx
  .cfi_def_cfa_offset 24
  popq %rcx
  .cfi_def_cfa_offset 16
  popq %rax
  .cfi_def_cfa_offset 8
  ret
  .cfi_endproc
moult_return_common_end:
  .size moult_return_common, .-moult_return_common
)");

namespace {

std::uintptr_t stubs_begin() noexcept { return reinterpret_cast<std::uintptr_t>(moult_return_stubs); }

}  // namespace

ReturnSlot& return_slot(std::uint32_t index) noexcept { return moult_return_slots[index]; }

CodeAddress return_stub(std::uint32_t index) noexcept {
  return CodeAddress{stubs_begin() + index * stub_size + entry_offset};
}

std::optional<std::uint32_t> return_slot_of(CodeAddress address) noexcept {
  const std::uintptr_t offset = value(address) - stubs_begin();
  if (offset >= return_stub_count * stub_size || offset % stub_size != entry_offset) return std::nullopt;
  return static_cast<std::uint32_t>(offset / stub_size);
}

bool is_in_return_stub(CodeAddress pc) noexcept {
  return stubs_begin() <= value(pc) && value(pc) < reinterpret_cast<std::uintptr_t>(moult_return_common_end);
}

std::atomic<std::uint32_t>& told_returns() noexcept { return moult_told_returns; }

namespace {

bool is_unwinder_of_gcc() noexcept {
  // Both libraries called libunwind define the calls of GCC's unwinder too.
  Dl_info raises{};
  if (::dladdr(reinterpret_cast<void*>(&_Unwind_RaiseException), &raises) == 0) return false;
  for (const char* name : {"_ULx86_64_step", "__unw_step"}) {
    Dl_info other{};
    void* const step = ::dlsym(RTLD_DEFAULT, name);
    if (step != nullptr && ::dladdr(step, &other) != 0 && other.dli_fbase == raises.dli_fbase) return false;
  }
  return true;
}

}  // namespace

std::array<CodeAddress, 5> unwinder_functions() noexcept {
  auto address_of = [](auto* function) { return CodeAddress{reinterpret_cast<std::uintptr_t>(function)}; };
  return {address_of(&_Unwind_RaiseException), address_of(&_Unwind_Resume), address_of(&_Unwind_Resume_or_Rethrow),
          address_of(&_Unwind_ForcedUnwind), address_of(&_Unwind_Backtrace)};
}

bool knows_return_stubs() noexcept {
  static const bool does = is_unwinder_of_gcc();  // it does not change: its calls are bound once
  return does;
}

bool has_shadow_stack() noexcept {
  // <asm/prctl.h> of Linux 6.6; older kernels know no such code, and no shadow stacks of processes.
  constexpr long shadow_stack_status = 0x5005;
  constexpr std::uint64_t is_enabled = 1;
  std::uint64_t features = 0;
  return raw_syscall(SYS_arch_prctl, shadow_stack_status, as_argument(&features)) == 0 && (features & is_enabled) != 0;
}

}  // namespace moult::internal
