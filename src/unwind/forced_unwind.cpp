#include "unwind/forced_unwind.hpp"

#include <cxxabi.h>

#include <utility>

#include "base/check.hpp"
#include "platform/futex.hpp"
#include "platform/poison.hpp"
#include "platform/x86_64/context.hpp"
#include "platform/x86_64/go_on.hpp"

namespace moult::internal {
namespace {

/// Passed from the unwound thread to the successor, which has no parameter for it.
thread_local ForcedUnwind* unwound_by_this_thread = nullptr;

/// Itanium C++ ABI, exception handling, 2.2.2.
struct ExceptionGlobals {
  void* caught;
  unsigned int uncaught;
};

/// The runtime ends the process if a second exception that is not C++'s own meets a handler.
bool is_handling_an_exception() noexcept {
  return reinterpret_cast<const ExceptionGlobals*>(abi::__cxa_get_globals())->caught != nullptr;
}

constexpr _Unwind_Exception_Class exception_class = 0x4D4F554C54000000;  // "MOULT"

}  // namespace

void ForcedUnwind::begin(std::shared_ptr<ForcedUnwind> unwind) {
  ForcedUnwind& self = *unwind;
  if (!self.move(State::waiting, State::going_on)) return;
  if (self.exit_.may_be_handled && is_handling_an_exception()) {
    self.was_in_a_handler_ = true;
    return self.move_to(State::not_begun);
  }
  self.exception_.header.exception_class = exception_class;
  self.exception_.header.exception_cleanup = on_delete;
  self.exception_.owner = &self;
  self.self_ = std::move(unwind);
  forget_stack();
  _Unwind_ForcedUnwind(&self.exception_.header, on_frame, &self);
  // It returns here without having left a frame: the first one has no unwind information.
  const std::shared_ptr<ForcedUnwind> kept = std::move(self.self_);
  self.move_to(State::not_begun);
}

_Unwind_Reason_Code ForcedUnwind::on_frame(int, _Unwind_Action actions, _Unwind_Exception_Class, _Unwind_Exception*,
                                           _Unwind_Context* context, void* self) {
  ForcedUnwind& unwind = *static_cast<ForcedUnwind*>(self);
  MOULT_CHECK((actions & _UA_END_OF_STACK) == 0, "a forced unwinding has missed the frame that it was to leave");
  if (_Unwind_GetCFA(context) == unwind.exit_.cfa) unwind.enter_successor(context);
  unwind.last_call_.store(_Unwind_GetIP(context) - 1, std::memory_order_relaxed);
  return _URC_NO_REASON;
}

void ForcedUnwind::enter_successor(_Unwind_Context* context) noexcept {
  auto get = [context](Register number) { return _Unwind_GetGR(context, static_cast<int>(number)); };
  const CallerState caller{.rbx = get(rbx),
                           .rbp = get(rbp),
                           .r12 = get(r12),
                           .r13 = get(r13),
                           .r14 = get(r14),
                           .r15 = get(r15),
                           .return_address_at = exit_.cfa - sizeof(std::uint64_t)};
  unwound_by_this_thread = this;
  enter_instead(caller, exit_.successor, exit_.first_argument);
}

std::shared_ptr<ForcedUnwind> ForcedUnwind::arrive() noexcept {
  ForcedUnwind* unwind = std::exchange(unwound_by_this_thread, nullptr);
  MOULT_CHECK(unwind != nullptr, "a successor was called, not entered");
  std::shared_ptr<ForcedUnwind> kept = std::move(unwind->self_);
  unwind->move_to(State::arrived);
  return kept;
}

/// The runtime deletes the exception: a handler for every exception has ended without rethrowing it.
void ForcedUnwind::on_delete(_Unwind_Reason_Code, _Unwind_Exception* exception) {
  ForcedUnwind* unwind = reinterpret_cast<Exception*>(exception)->owner;
  const std::shared_ptr<ForcedUnwind> kept = std::move(unwind->self_);
  unwind->move_to(State::handled);
  unwind->on_handled();
}

void ForcedUnwind::move_to(State state) noexcept {
  state_.store(static_cast<std::uint32_t>(state), std::memory_order_release);
  futex_wake_all(state_);
}

bool ForcedUnwind::move(State from, State to) noexcept {
  auto expected = static_cast<std::uint32_t>(from);
  return state_.compare_exchange_strong(expected, static_cast<std::uint32_t>(to));
}

bool ForcedUnwind::call_off() noexcept {
  const bool is_off = move(State::waiting, State::not_begun);
  if (is_off) futex_wake_all(state_);
  return is_off;
}

bool ForcedUnwind::is_over() const noexcept {
  const State now = state();
  return now != State::waiting && now != State::going_on;
}

bool ForcedUnwind::await(std::chrono::steady_clock::time_point deadline) const noexcept {
  for (;;) {
    const std::uint32_t now = state_.load(std::memory_order_acquire);
    if (is_over()) return true;
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left.count() <= 0) return false;
    futex_wait_for(state_, now, left);
  }
}

}  // namespace moult::internal
