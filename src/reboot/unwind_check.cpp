// Problem: std::terminate in the middle of an unwinding would end a healthy program.
//
// Approach: each frame's exception table shows what its personality routine will do. For a call in a noexcept function,
// g++ writes no table entry. clang writes a handler for everything, whose code reaches a call of
// __clang_call_terminate; so we follow the code of such handlers.
//
// Limits: a handler that rethrows looks like one that does not. A function compiled without exceptions, or one in which
// the compiler knows that nothing throws, has no table: its destructors do not run.
#include "reboot/unwind_check.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include "base/fault.hpp"
#include "code/decoder.hpp"
#include "code/linkage_stub.hpp"
#include "moult/error.hpp"
#include "moult/static_points.hpp"
#include "platform/tasks.hpp"
#include "platform/x86_64/return_stubs.hpp"
#include "symbols/program.hpp"
#include "unwind/unwind_table.hpp"

/// The address that modules use which take it from the program's linkage table.
extern "C" int __gxx_personality_v0(...);  // NOLINT(readability-identifier-naming): the ABI's name

namespace moult::internal {
namespace {

std::vector<CodeAddress> entries_of(const Program& program, std::string_view name) {
  std::vector<CodeAddress> entries;
  for (const FunctionSymbol& function : program.find(name)) entries.push_back(function.range.begin);
  return entries;
}

bool is_among(const std::vector<CodeAddress>& addresses, CodeAddress address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

/// True when a call of `target` reaches _Unwind_Resume at one of `entries`, directly or through the linkage table.
bool is_resumption(CodeAddress target, const std::vector<CodeAddress>& entries) {
  if (is_among(entries, target)) return true;
  const std::optional<std::uintptr_t> slot = slot_of_stub(target);
  if (!slot) return false;
  const CodeAddress held = target_in(*slot);
  return is_among(entries, held) || unbound_name(held) == "_Unwind_Resume";
}

}  // namespace

/// True when some path from `begin` reaches a call that terminates. Follows the code within the function, up to the
/// point where the unwinding resumes.
bool UnwindCheck::reaches_terminate(CodeAddress begin) const {
  const std::optional<FrameHandling> code = frame_handling_at(begin);
  if (!code) return false;
  std::set<CodeAddress> seen;
  std::vector<CodeAddress> open{begin};
  while (!open.empty()) {
    const CodeAddress at = open.back();
    open.pop_back();
    if (!code->code.contains(at) || !seen.insert(at).second) continue;
    const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(value(at)),
                                              value(code->code.end) - value(at));
    const std::optional<Instruction> instruction = decode(bytes, at);
    if (!instruction) continue;
    if (instruction->kind == InstructionKind::direct_call) {
      if (is_among(terminators_, *instruction->target)) return true;
      if (is_resumption(*instruction->target, resumers_)) continue;
    }
    if (instruction->goes_on) open.push_back(at + instruction->length);
    if (instruction->kind == InstructionKind::direct_jump) open.push_back(*instruction->target);
  }
  return false;
}

UnwindCheck UnwindCheck::prepare() {
  MOULT_FAULT("reboot.exits.prepare");
  const Program program = Program::of_this_process();
  UnwindCheck check;
  check.point_ = extent_of(program, AnyFunction(detail::stop_at_static_point));
  check.cpp_routines_ = entries_of(program, "__gxx_personality_v0");
  check.cpp_routines_.push_back(CodeAddress{reinterpret_cast<std::uintptr_t>(&__gxx_personality_v0)});
  check.c_routines_ = entries_of(program, "__gcc_personality_v0");
  check.terminators_ = entries_of(program, "__clang_call_terminate");
  check.resumers_ = entries_of(program, "_Unwind_Resume");
  return check;
}

bool UnwindCheck::ends_the_process(const CallHandling& handling) const {
  if (handling.site == CallSite::unmentioned || handling.site == CallSite::forbids) return true;
  return handling.site == CallSite::handles && !terminators_.empty() && reaches_terminate(handling.landing_pad);
}

std::string UnwindCheck::obstacle(const FrameState& state, bool& may_be_handled) const {
  const std::optional<FrameHandling> frame = frame_handling_at(state.frame.lookup_address());
  if (!frame) return "has no unwind information";
  if (frame->is_signal_frame) return "is where a signal is handled";
  // A return barrier's stub reports the exit and lets the unwinding pass.
  if (value(frame->personality) == 0 || is_in_return_stub(state.frame.lookup_address())) return {};
  const bool is_cpp = is_among(cpp_routines_, frame->personality);
  if (!is_cpp && !is_among(c_routines_, frame->personality))
    return "is of another language than C++ and C, whose way with unwinding is not known";
  const CallHandling handling = handling_of_call(*frame, state.frame.lookup_address());
  if (is_cpp && ends_the_process(handling)) return "is noexcept there, and the process would be ended";
  may_be_handled = may_be_handled || handling.site == CallSite::handles;
  return {};
}

std::optional<Leavable> UnwindCheck::find(const StoppedWorld& stopped, ThreadId thread,
                                          const std::function<bool(const FrameState&)>& is_wanted) const {
  MOULT_FAULT("reboot.exits.find");
  Leavable found;
  CodeAddress place{};
  std::string reason;
  bool is_found = false;
  bool is_behind_point = false;
  walk_frames(stopped, thread, [&](const FrameState& state) {
    if (!is_behind_point) {
      is_behind_point = point_.contains(state.frame.lookup_address());
      return true;
    }
    if (reason.empty()) {
      reason = obstacle(state, found.may_be_handled);
      place = state.frame.lookup_address();
    }
    is_found = is_wanted(state);
    if (is_found) found.frame = state;
    return !is_found;
  });
  if (!is_found) return std::nullopt;
  if (!reason.empty())
    throw Error(ErrorCode::unsupported,
                describe_thread(thread) + " cannot be unwound: " + Program::of_this_process().describe(place) + " " +
                    reason + "; place the static update point where it is not called from there");
  return found;
}

}  // namespace moult::internal
