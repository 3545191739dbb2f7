#include "platform/x86_64/interrupted_call.hpp"

#include <sys/syscall.h>

#include <cerrno>
#include <cstring>
#include <ctime>

#include "platform/mappings.hpp"

namespace moult::internal {
namespace {

constexpr std::uint8_t mov_eax_opcode = 0xB8;
constexpr std::size_t mov_eax_size = 5;

/// Calls that are never restarted according to signal(7), and those that are restarted only without a time-out.
bool may_be_repeated(long number) noexcept {
  switch (number) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_poll:
    case SYS_ppoll:
    case SYS_select:
    case SYS_pselect6:
    case SYS_pause:
    case SYS_rt_sigsuspend:
    case SYS_rt_sigtimedwait:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_futex:
    case SYS_futex_waitv:
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_msgrcv:
    case SYS_msgsnd:
    case SYS_io_getevents:
    case SYS_io_pgetevents:
    case SYS_io_uring_enter:
    case SYS_read:
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_accept:
    case SYS_accept4: return true;
    default: return false;
  }
}

/// The code bytes just before `end`. Null if they cannot be read or lie in two pages: the thread's code may have
/// nothing before it, if a just-in-time compiler put it at the beginning of its pages.
const std::uint8_t* code_before(std::uint64_t end, std::size_t size) noexcept {
  constexpr std::uint64_t page = 4096;
  if ((end - 1) % page + 1 < size || !is_readable(end - size)) return nullptr;
  return reinterpret_cast<const std::uint8_t*>(end - size);
}

bool is_syscall_at(const std::uint8_t* code) noexcept {
  return code != nullptr && std::memcmp(code, syscall_opcode, sizeof syscall_opcode) == 0;
}

/// The immediate of a `mov eax, imm32` that ends right before `end`; -1 if there is none. With a REX prefix it would be
/// a move to r8d.
long number_loaded_before(std::uint64_t end) noexcept {
  const std::uint8_t* code = code_before(end, mov_eax_size + 1);
  if (code == nullptr || code[1] != mov_eax_opcode || (code[0] & 0xF0) == 0x40) return -1;
  std::int32_t number;
  std::memcpy(&number, code + 2, sizeof number);
  return number;
}

/// glibc's cancellation points have a 4-byte load of an argument between the two (mov disp8(%rsp), %edi).
long number_in_code(std::uint64_t syscall_at) noexcept {
  constexpr std::size_t load_size = 4;
  long number = number_loaded_before(syscall_at);
  if (may_be_repeated(number)) return number;
  const std::uint8_t* load = code_before(syscall_at, load_size);
  if (load == nullptr || load[0] != 0x8B || load[1] != 0x7C || load[2] != 0x24) return -1;
  return number_loaded_before(syscall_at - load_size);
}

constexpr int argument_registers[6] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};

bool is_same_call(const greg_t* now, const BlockedCall& call) noexcept {
  if (call.number < 0 || call.program_counter != static_cast<std::uint64_t>(now[REG_RIP]) ||
      call.stack_pointer != static_cast<std::uint64_t>(now[REG_RSP]))
    return false;
  for (int i = 0; i < 6; ++i)
    if (call.arguments[i] != static_cast<std::uint64_t>(now[argument_registers[i]])) return false;
  return true;
}

void record(const greg_t* now, long number, BlockedCall& call) noexcept {
  call.number = number;
  call.program_counter = static_cast<std::uint64_t>(now[REG_RIP]);
  call.stack_pointer = static_cast<std::uint64_t>(now[REG_RSP]);
  for (int i = 0; i < 6; ++i) call.arguments[i] = static_cast<std::uint64_t>(now[argument_registers[i]]);
}

/// For a relative sleep with a place for the remaining time, which the kernel has just written there.
void sleep_only_the_rest(greg_t* registers, long number) noexcept {
  if (number == SYS_nanosleep && registers[REG_RSI] != 0) registers[REG_RDI] = registers[REG_RSI];
  if (number == SYS_clock_nanosleep && registers[REG_R10] != 0 && (registers[REG_RSI] & TIMER_ABSTIME) == 0)
    registers[REG_RDX] = registers[REG_R10];
}

}  // namespace

bool is_at_syscall(const ucontext_t& context) noexcept {
  std::uint64_t pc = static_cast<std::uint64_t>(context.uc_mcontext.gregs[REG_RIP]);
  return is_syscall_at(code_before(pc, 2)) || is_syscall_at(code_before(pc + 2, 2));
}

bool is_input_call(const ucontext_t& context) noexcept {
  greg_t number = context.uc_mcontext.gregs[REG_RAX];
  return number == SYS_read || number == SYS_readv || number == SYS_pread64;
}

bool is_futex_call(const ucontext_t& context) noexcept { return context.uc_mcontext.gregs[REG_RAX] == SYS_futex; }

bool continue_interrupted_call(ucontext_t& context, const BlockedCall& before, BlockedCall& continued) noexcept {
  greg_t* registers = context.uc_mcontext.gregs;
  std::uint64_t pc = static_cast<std::uint64_t>(registers[REG_RIP]);
  if (registers[REG_RAX] != -EINTR || !is_syscall_at(code_before(pc, 2))) return true;
  long number = number_in_code(pc - 2);
  for (const BlockedCall& known : {before, continued})
    if (!may_be_repeated(number) && is_same_call(registers, known)) number = known.number;
  if (!may_be_repeated(number)) return false;
  record(registers, number, continued);
  sleep_only_the_rest(registers, number);
  registers[REG_RAX] = number;
  registers[REG_RIP] -= 2;
  return true;
}

}  // namespace moult::internal
