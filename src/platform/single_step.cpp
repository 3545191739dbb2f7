#include "platform/single_step.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "platform/tasks.hpp"
#include "platform/x86_64/interrupted_call.hpp"
#include "platform/x86_64/syscall.hpp"

namespace moult::internal {
namespace {

constexpr greg_t trap_flag = 0x100;

struct SteppedThread {
  StopSlot* slot;  ///< null: this thread is not being stepped
  std::uint32_t request;
  std::uint32_t steps;
};
[[gnu::tls_model("initial-exec")]] thread_local constinit SteppedThread stepped_thread{nullptr, 0, 0};

/// Calls after which a trap might be blocked, or might hit another thread or process than stepped_thread.
constexpr std::array<std::uint64_t, 8> not_under_trap = {
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigaction, SYS_clone, SYS_clone3, SYS_fork, SYS_vfork, SYS_execve};

__attribute__((no_sanitize("address", "thread", "undefined"))) bool is_before_forbidden_call(
    const ucontext_t& context) noexcept {
  const greg_t* registers = context.uc_mcontext.gregs;
  const std::uint8_t* next = reinterpret_cast<const std::uint8_t*>(registers[REG_RIP]);
  if (next[0] != syscall_opcode[0] || next[1] != syscall_opcode[1]) return false;
  std::uint64_t number = static_cast<std::uint64_t>(registers[REG_RAX]);
  for (std::uint64_t forbidden : not_under_trap)
    if (number == forbidden) return true;
  return false;
}

__attribute__((no_sanitize("address", "thread", "undefined"))) bool has_arrived(const ucontext_t& context,
                                                                                const Destination& where) noexcept {
  const greg_t* registers = context.uc_mcontext.gregs;
  return static_cast<std::uint64_t>(registers[REG_RIP]) == where.pc &&
         static_cast<std::uint64_t>(registers[REG_RSP]) >= where.stack_pointer;
}

/// A trap that is not moult's, such as the program's own int3: does what would have happened without the handler.
__attribute__((no_sanitize("address", "thread", "undefined"))) void raise_by_default() noexcept {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  ::sigaction(SIGTRAP, &by_default, nullptr);
  raw_syscall(SYS_tgkill, raw_syscall(SYS_getpid), raw_syscall(SYS_gettid), SIGTRAP);
}

__attribute__((no_sanitize("address", "thread", "undefined"))) void on_trap(int, siginfo_t* info, void* data) {
  ucontext_t& context = *static_cast<ucontext_t*>(data);
  if (info->si_code != TRAP_TRACE) return raise_by_default();
  StopSlot* slot = stepped_thread.slot;
  if (slot == nullptr || slot->word.load() != stepped_thread.request) return end_steps(context);  // withdrawn
  if (!has_arrived(context, slot->destination) && !is_before_forbidden_call(context) &&
      ++stepped_thread.steps < most_steps)
    return;
  end_steps(context);
  arrive(*slot, stepped_thread.request, context);
}

}  // namespace

bool claim_traps() noexcept {
  struct sigaction current {};
  if (::sigaction(SIGTRAP, nullptr, &current) != 0 || task_status(own_task()).is_debugged) return false;
  if ((current.sa_flags & SA_SIGINFO) != 0) return current.sa_sigaction == on_trap;
  return current.sa_handler == SIG_DFL && install_stop_handler(SIGTRAP, on_trap);
}

bool can_be_stepped(const StopSlot& slot) noexcept {
  return sigismember(&slot.context->uc_sigmask, SIGTRAP) == 0 && !is_before_forbidden_call(*slot.context);
}

__attribute__((no_sanitize("address", "thread", "undefined"))) void begin_steps(StopSlot& slot, std::uint32_t request,
                                                                                ucontext_t& context) noexcept {
  stepped_thread = {&slot, request, 0};
  context.uc_mcontext.gregs[REG_EFL] |= trap_flag;
}

__attribute__((no_sanitize("address", "thread", "undefined"))) void end_steps(ucontext_t& context) noexcept {
  context.uc_mcontext.gregs[REG_EFL] &= ~trap_flag;
  stepped_thread.slot = nullptr;
}

}  // namespace moult::internal
